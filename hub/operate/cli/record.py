"""`hub record`: write what comes on the broker's topics into a file, for `hub replay`."""

import asyncio
import contextlib
import gzip
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from hub.config import Settings, load_settings
from hub.documents.document import Problems
from hub.documents.duration import parse_duration
from hub.errors import ConfigError, HubError
from hub.ingest.itself import Itself
from hub.ingest.topics import check_filter
from hub.operate.client.connect import connected
from hub.operate.process.runner import Stopper, run_loop
from hub.printable import shown
from hub.project.files import load_files
from hub.trial.records import line_of

__all__ = ["record"]

_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def record(
    file: Annotated[
        Path,
        typer.Argument(help="Where to: NDJSON, gzipped if it ends with .gz; - is standard output.", metavar="FILE"),
    ] = Path("events.ndjson"),
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topics", help="A filter of topics; may be repeated [default: those of the rules].", metavar="FILTER"
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The settings [default: hub.yaml, where it exists].")
    ] = None,
    broker: Annotated[str | None, typer.Option(help="The broker: mqtt://[user:password@]host[:port].")] = None,
    seconds: Annotated[float | None, typer.Option(help="End after so many seconds.", min=0.1)] = None,
    count: Annotated[int | None, typer.Option(help="End after so many messages.", min=1)] = None,
    rotate: Annotated[
        str | None, typer.Option(help="Begin a new file at this size or age, as in 100MB or 1h.", metavar="SIZE|TIME")
    ] = None,
    keep: Annotated[int, typer.Option(help="Older files that are kept, FILE.1 the youngest.", min=1)] = 10,
) -> None:
    """Record events until Ctrl-C; each is written before it is acknowledged to the broker."""
    settings = load_settings(config, broker=broker)
    writer = Writer(file, *_rotation(rotate), keep)
    filters = _filters(settings, topics or ())
    try:
        # of what was asked for by name nothing is left out
        itself = None if topics else Itself(settings.publish_prefix)
        written = run_loop(_record(settings, filters, writer, seconds, count, itself))
    finally:
        writer.close()
    typer.echo(f"{written} messages recorded{'' if str(file) == '-' else f' in {shown(file)}'}", err=True)


def _rotation(text: str | None) -> tuple[float, float]:
    """Read 100MB or 1h as bytes and seconds; what is not given is without end."""
    if text is None:
        return float("inf"), float("inf")
    number, unit = text.rstrip("BKMGbkmg"), text[len(text.rstrip("BKMGbkmg")) :].upper()
    if unit in _UNITS and number.replace(".", "", 1).isdigit():
        return float(number) * _UNITS[unit], float("inf")
    try:
        return float("inf"), parse_duration(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a size (100MB) nor a time (1h)") from None


def _filters(settings: Settings, topics: Sequence[str]) -> list[str]:
    for each in topics:
        if why := check_filter(each):
            raise typer.BadParameter(f"{each!r} is not a filter of topics: {why}")
    if topics:
        return list(topics)
    problems = Problems()
    files = load_files(settings, problems)
    if problems:
        raise ConfigError(problems)
    filters = files.rules.filters()
    if not filters:
        raise HubError("the rules name no topic; say which with --topics")
    return filters


async def _record(
    settings: Settings,
    filters: Sequence[str],
    writer: "Writer",
    seconds: float | None,
    count: int | None,
    itself: Itself | None,
) -> int:
    written = 0
    stop = asyncio.Event()
    Stopper(stop.set, writer.close).install()
    async with connected(settings.broker, f"hub-record-{secrets.token_hex(6)}", filters) as session:
        until = None if seconds is None else asyncio.get_running_loop().call_later(seconds, stop.set)
        stopped = asyncio.create_task(stop.wait())
        while not stop.is_set() and (count is None or written < count):
            coming = asyncio.create_task(session.receive())
            await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await coming
                break
            deliveries = coming.result()
            if not deliveries:
                raise HubError("the session with the broker has ended")
            now = time.time()
            heard = itself.left_out(deliveries) if itself is not None else deliveries
            for delivery in heard[: None if count is None else count - written]:
                writer.write(line_of(delivery, now))
                written += 1
            writer.flush(now)
            session.acknowledge(session.handed)
        stopped.cancel()
        if until is not None:
            until.cancel()
    return written


class Writer:
    """A file of lines that gives way to a new one at a size or age: FILE becomes FILE.1, that FILE.2, and so on."""

    def __init__(self, path: Path, size: float, age: float, keep: int) -> None:
        """Open it, behind what is there.

        Raises:
            HubError: it cannot be written.

        """
        self._path, self._size, self._age, self._keep = path, size, age, keep
        self._written = 0
        self._begun = time.time()
        self._file = self._opened()

    def _opened(self) -> IO[bytes]:
        if str(self._path) == "-":
            return sys.stdout.buffer
        try:
            if self._path.exists():
                self._written = self._path.stat().st_size
            zipped = self._path.suffix == ".gz"
            opened: Any = gzip.open(self._path, "ab") if zipped else self._path.open("ab")  # noqa: SIM115 - it stays open
        except OSError as error:
            raise HubError(f"{self._path}: cannot be written: {error.strerror}") from None
        made: IO[bytes] = opened
        return made

    def write(self, line: bytes) -> None:
        """Write a line."""
        self._file.write(line)
        self._written += len(line)

    def flush(self, now: float) -> None:
        """See that what was written is in the file; begin a new one where it is time."""
        self._file.flush()
        if str(self._path) != "-" and (self._written >= self._size or now - self._begun >= self._age):
            self._file.close()
            self._shift()
            self._written, self._begun = 0, now
            self._file = self._opened()

    def _shift(self) -> None:
        for number in range(self._keep, 0, -1):
            older = self._numbered(number)
            newer = self._path if number == 1 else self._numbered(number - 1)
            if newer.exists():
                newer.replace(older)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def close(self) -> None:
        """Write what waits."""
        if str(self._path) != "-":
            self._file.close()
        else:
            self._file.flush()
