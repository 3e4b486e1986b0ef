"""`hub record`: writes the messages of the broker into a file, for `hub replay`."""

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
from hub.operate.cli.options import Broker, Config
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
        typer.Argument(
            help="The file to write: NDJSON, gzipped if its name ends with .gz; - is standard output.", metavar="FILE"
        ),
    ] = Path("events.ndjson"),
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topics", help="A topic filter; may be repeated [default: the topics of the rules].", metavar="FILTER"
        ),
    ] = None,
    config: Config = None,
    broker: Broker = None,
    seconds: Annotated[float | None, typer.Option(help="End after this many seconds.", min=0.1)] = None,
    count: Annotated[int | None, typer.Option(help="End after this many messages.", min=1)] = None,
    rotate: Annotated[
        str | None, typer.Option(help="Begin a new file at this size or age, as in 100MB or 1h.", metavar="SIZE|TIME")
    ] = None,
    keep: Annotated[int, typer.Option(help="How many older files are kept; FILE.1 is the newest of them.", min=1)] = 10,
) -> None:
    """Record messages of the broker until Ctrl-C. Each is written before it is acknowledged to the broker."""
    settings = load_settings(config, broker=broker)
    writer = Writer(file, *_rotation(rotate), keep)
    filters = _filters(settings, topics or ())
    try:
        # by default the hub's own topics are left out, as rules do not see them; --topics is taken at its word
        itself = None if topics else Itself(settings.publish_prefix)
        written = run_loop(_record(settings, filters, writer, seconds, count, itself))
    finally:
        writer.close()
    typer.echo(f"{written} messages recorded{'' if str(file) == '-' else f' in {shown(file)}'}", err=True)


def _rotation(text: str | None) -> tuple[float, float]:
    """Read 100MB or 1h as (bytes, seconds); the one that is not given is infinite."""
    if text is None:
        return float("inf"), float("inf")
    number, unit = text.rstrip("BKMGbkmg"), text[len(text.rstrip("BKMGbkmg")) :].upper()
    if unit in _UNITS and number.replace(".", "", 1).isdigit():
        return float(number) * _UNITS[unit], float("inf")
    try:
        return float("inf"), parse_duration(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a size such as 100MB nor a time such as 1h") from None


def _filters(settings: Settings, topics: Sequence[str]) -> list[str]:
    """Return the filters to subscribe to: those of --topics, else those of the rules."""
    for topic_filter in topics:
        if why := check_filter(topic_filter):
            raise typer.BadParameter(f"{topic_filter!r} is not a topic filter: {why}")
    if topics:
        return list(topics)
    problems = Problems()
    files = load_files(settings, problems)
    if problems:
        raise ConfigError(problems)
    filters = files.rules.filters()
    if not filters:
        raise HubError("the rules name no topic; give one with --topics")
    return filters


async def _record(
    settings: Settings,
    filters: Sequence[str],
    writer: "Writer",
    seconds: float | None,
    count: int | None,
    itself: Itself | None,
) -> int:
    """Write until a signal, `seconds` or `count` ends it; return how many messages were written."""
    written = 0
    stop = asyncio.Event()
    Stopper(stop.set, writer.close).install()
    async with connected(settings.broker, f"hub-record-{secrets.token_hex(6)}", filters) as session:
        until = None if seconds is None else asyncio.get_running_loop().call_later(seconds, stop.set)
        stopped = asyncio.create_task(stop.wait())
        while not stop.is_set() and (count is None or written < count):
            receiving = asyncio.create_task(session.receive())
            await asyncio.wait({receiving, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not receiving.done():
                receiving.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await receiving
                break
            deliveries = receiving.result()
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
    """A file of lines with rotation: at a size or age FILE becomes FILE.1, FILE.1 becomes FILE.2, and so on."""

    def __init__(self, path: Path, size: float, age: float, keep: int) -> None:
        """Open the file, to append; `size` is in bytes, `age` in seconds, and `keep` counts older files.

        Raises:
            HubError: the file cannot be written.

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
            file: Any = gzip.open(self._path, "ab") if zipped else self._path.open("ab")  # noqa: SIM115 - it stays open
        except OSError as error:
            raise HubError(f"{self._path}: cannot be written: {error.strerror}") from None
        opened: IO[bytes] = file
        return opened

    def write(self, line: bytes) -> None:
        """Buffer a line; `flush` brings it into the file."""
        self._file.write(line)
        self._written += len(line)

    def flush(self, now: float) -> None:
        """Bring all lines into the file, and begin a new file if this one is too large or too old."""
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
        """Write what is still buffered; standard output stays open."""
        if str(self._path) != "-":
            self._file.close()
        else:
            self._file.flush()
