"""Receiver `file`: one JSON line each, on disk before it counts as delivered.

What waits while a write is under way goes out with the next one, behind one fsync for all of it.
"""

import asyncio
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from hub.fields import Key, KeyTable, Section, text
from hub.model import Delivered, Notification, Outcome, Retry
from hub.notify.outward.threads import Threads
from hub.notify.receiver import Toolbox
from hub.notify.wording.text import as_json

__all__ = ["File", "FileOptions"]

_PATH = Key("path", text, "", "The file; its folder must exist.", "alerts.ndjson", required=True)
_Waiter = tuple[bytes, "asyncio.Future[Outcome]"]


@dataclass(frozen=True, slots=True)
class FileOptions:
    """`path` is relative to where the hub was started."""

    path: str


class File:
    """Appends to a file that somebody else may rotate."""

    keys = KeyTable("file", _PATH, words="Appends one JSON line each to a file.")
    concurrency = 64  # they share one write and one fsync

    def __init__(self, options: FileOptions, toolbox: Toolbox) -> None:  # noqa: ARG002 - as every kind
        """Open nothing yet."""
        self.path = options.path
        self._threads = Threads("hub-file", 1)
        self._waiting: list[_Waiter] = []
        self._file = -1

    @classmethod
    def read(cls, section: Section) -> FileOptions:
        """Take the path; whether it can be written is seen with the first line."""
        return FileOptions(section.take(_PATH))

    async def send(self, notification: Notification) -> Outcome:
        """Wait for the write that has this line."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        waiter = (as_json(notification.body) + b"\n", future)
        self._waiting.append(waiter)
        self._start()
        try:
            return await future
        finally:
            with suppress(ValueError):
                self._waiting.remove(waiter)  # only where its time ran out before a write took it

    async def close(self) -> None:
        """Close the file."""
        if self._file >= 0 and not self._threads.busy:
            os.close(self._file)
            self._file = -1

    def _start(self) -> None:
        batch = self._waiting
        if self._threads.busy or not batch:
            return  # the write under way starts the next one
        written = self._threads.run(partial(self._append, [line for line, _ in batch]))
        self._waiting = []
        written.add_done_callback(partial(self._written, batch))

    def _written(self, batch: list[_Waiter], written: "asyncio.Future[list[Outcome]]") -> None:
        error = written.exception()
        outcomes = [None] * len(batch) if error else written.result()
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if outcome is None:
                future.set_exception(error or RuntimeError())
            else:
                future.set_result(outcome)
        self._start()

    # on the thread

    def _append(self, lines: list[bytes]) -> list[Outcome]:
        try:
            regular = self._open()
            outcomes = [self._line(line, regular=regular) for line in lines]
            if regular:
                os.fsync(self._file)
        except OSError as error:
            return [Retry(_reason(error))] * len(lines)
        return outcomes

    def _open(self) -> bool:
        """Have the file open that the path names now; tell whether it is a regular one."""
        with suppress(FileNotFoundError):
            there = os.stat(self.path)  # noqa: PTH116 - pathlib adds nothing here
            if self._file >= 0 and os.path.samestat(there, os.fstat(self._file)):
                return stat.S_ISREG(there.st_mode)
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        here = os.fstat(self._file)
        regular = stat.S_ISREG(here.st_mode)
        if regular and here.st_size and os.pread(self._file, 1, here.st_size - 1) != b"\n":
            os.write(self._file, b"\n")  # a line was cut off by a crash: the next one stays its own
        return regular

    def _line(self, line: bytes, *, regular: bool) -> Outcome:
        try:
            written = os.write(self._file, line)
        except OSError as error:
            return Retry(_reason(error))
        if written == len(line):
            return Delivered()
        size = os.fstat(self._file).st_size
        if regular:
            os.ftruncate(self._file, size - written)
        return Retry("only a part of the line could be written: the disk is full")


def _reason(error: OSError) -> str:
    return f"cannot be written: {error.strerror or type(error).__name__}"
