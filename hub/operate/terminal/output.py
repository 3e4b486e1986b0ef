"""Where a command's lines go: with Rich to a person on a terminal, else into a log, as text or JSON."""

import contextlib
import os
import signal
from functools import partial
from typing import TextIO

import orjson
from rich.console import Console

from hub.operate.figures.summary import Summary
from hub.operate.terminal.console import ConsoleObserver
from hub.operate.terminal.log import LogObserver

__all__ = ["Output"]


class Output:
    """Chooses the console if the stream is a terminal, else the log; `observer` is the chosen one."""

    def __init__(self, stream: TextIO, *, as_json: bool = False, plain: bool = False) -> None:
        """Write to `stream`; `plain` chooses the log on a terminal, too."""
        self.log: LogObserver | None = None
        self.console: ConsoleObserver | None = None
        self.as_json = as_json
        self._stream = stream
        if as_json or plain or not stream.isatty():
            self.observer: ConsoleObserver | LogObserver = LogObserver(stream, as_json=as_json)
            self.log = self.observer
        else:
            self.observer = self.console = ConsoleObserver(Console(file=stream, highlight=False))

    def note(self, word: str, text: str) -> None:
        """Write a line that is never left out; `word` says what it is about."""
        self.observer.note(word, text)

    def summary(self, summary: Summary) -> None:
        """Write the figures of the whole run."""
        if self.console:
            self.console.show(summary.table())
        elif self.log and self.as_json:
            self.log.note("summary", "what this run came to", **orjson.loads(summary.json()))
        elif self.log:
            for line in summary.plain().splitlines():
                self.log.note("summary", line)

    def stop_when_unread(self) -> None:
        """When nobody reads the output any more (`hub demo | head`), end the process by the signal that drains."""
        self.observer.printer.on_broken = partial(os.kill, os.getpid(), signal.SIGTERM)

    def close(self) -> None:
        """Write what waits, and end the thread."""
        self.observer.close()
        if self.observer.printer.broken:
            # Python flushes the stream at its end; into the closed pipe that would fail with a traceback
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
