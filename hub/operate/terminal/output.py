"""Where a command's lines go: to a person on a terminal with Rich, else into a log, as text or JSON."""

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
    """Chooses between console and log by what the stream is; `observer` is the one that was chosen."""

    def __init__(self, stream: TextIO, *, as_json: bool = False, plain: bool = False) -> None:
        """Write to `stream`; `plain` makes it a log on a terminal too."""
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
        """Write a line of the hub's own."""
        self.observer.note(word, text)

    def summary(self, summary: Summary) -> None:
        """Write what a run came to."""
        if self.console:
            self.console.show(summary.table())
        elif self.log and self.as_json:
            self.log.note("summary", "what this run came to", **orjson.loads(summary.json()))
        elif self.log:
            for line in summary.plain().splitlines():
                self.log.note("summary", line)

    def stop_when_unread(self) -> None:
        """Have the process end, by the signal that drains, when nobody reads what it writes any more."""
        self.observer.printer.on_broken = partial(os.kill, os.getpid(), signal.SIGTERM)

    def close(self) -> None:
        """Write what waits."""
        self.observer.close()
        if self.observer.printer.broken:
            # what the stream still holds goes nowhere; else Python would try again at its end and fail
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
