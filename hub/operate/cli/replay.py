"""`hub replay`: plays recorded events through rules, and shows what fires or what other rules would change."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import IO, Annotated, Any, BinaryIO
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from hub.clock import rfc3339
from hub.config import load_settings
from hub.documents.document import Problems
from hub.errors import ConfigError, HubError
from hub.ingest.decode import IsEncoded
from hub.model import Event
from hub.operate.cli.options import Config, Devices
from hub.printable import shown, shown_json, shown_labels
from hub.project.files import load_files
from hub.schedules import local_zone
from hub.trial.difference import Change, Difference, compare
from hub.trial.records import BadLine, opened, records
from hub.trial.replaying import Happening, Replay, ReplayNotice

__all__ = ["replay"]

_BATCH = 1000  # records between two updates of the progress bar
_TOLD_STATES = ("firing", "resolved", "event")


def replay(
    files: Annotated[
        list[Path], typer.Argument(help="Files that `hub record` wrote; - is standard input.", metavar="FILE...")
    ],
    rules: Annotated[list[Path] | None, typer.Option(help="A rule file or a folder of them; may be repeated.")] = None,
    against: Annotated[
        list[Path] | None, typer.Option(help="The older version of the rules, to compare with; may be repeated.")
    ] = None,
    config: Config = None,
    devices: Devices = None,
    tz: Annotated[
        str | None, typer.Option("--tz", help="The time zone for schedules that name none [default: this machine's].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Play recorded events through rules. Prints a timeline of alerts or, with --against, what the new rules change."""
    zone = _zone(tz)
    new = _loaded(config, rules, devices, zone)
    both = [new] if against is None else [new, _loaded(config, against, devices, zone)]
    begun = time.monotonic()
    _play(files, both, quiet=as_json or not sys.stderr.isatty())
    seconds = time.monotonic() - begun
    difference = None if against is None else compare(new, both[1])
    if as_json:
        typer.echo(shown_json(_json(new, difference)))
        return
    _say_bad(new)
    if difference is None:
        _timeline(new, zone)
    else:
        _changes(difference, zone)
    typer.echo(_summary(new, difference, seconds))


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return local_zone()
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise typer.BadParameter(f"no time zone {name!r}; write an IANA name such as Europe/Berlin") from None


def _loaded(config: Path | None, rules: Sequence[Path] | None, devices: Sequence[Path] | None, zone: tzinfo) -> Replay:
    problems = Problems()
    files = load_files(load_settings(config, rules=rules or (), devices=devices or ()), problems)
    if problems:
        raise ConfigError(problems)
    return Replay(files.rules, files.registry, zone)


# playing


def _play(files: Sequence[Path], replays: Sequence[Replay], *, quiet: bool) -> None:
    total = sum(path.stat().st_size for path in files if path.is_file())
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, disable=quiet, console=Console(stderr=True)) as progress:
        task = progress.add_task("replaying", total=total or None)
        done = 0

        def is_encoded(topic: str) -> bool:
            return any(each.is_encoded(topic) for each in replays)

        for path in files:
            for batch, position in _batches(path, is_encoded):
                for each in replays:
                    each.feed(batch)
                progress.update(task, completed=done + position)
            done += path.stat().st_size if path.is_file() else 0
    for each in replays:
        each.end()  # only now, so that both versions have seen all files


def _batches(path: Path, is_encoded: IsEncoded) -> Iterator[tuple[list[Event | BadLine], int]]:
    """Yield records in batches, each with the number of bytes of the file that were read so far."""
    try:
        with _open(path) as raw:
            batch: list[Event | BadLine] = []
            for record in records(opened(raw), is_encoded):
                batch.append(record)
                if len(batch) == _BATCH:
                    yield batch, _position(raw)
                    batch = []
            yield batch, _position(raw)
    except (OSError, EOFError) as error:
        raise HubError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _open(path: Path) -> BinaryIO:
    return sys.stdin.buffer if str(path) == "-" else path.open("rb")


def _position(raw: IO[bytes]) -> int:
    """Return how many bytes were read, before they are unzipped; 0 in a pipe, where nobody knows the whole either."""
    return raw.tell() if raw.seekable() else 0


# telling


def _say_bad(played: Replay) -> None:
    """Name the first lines that are no records, and count the others."""
    for line in played.bad_lines:
        typer.echo(f"line {line.number}: {shown(line.why)}", err=True)
    if played.bad > len(played.bad_lines):
        typer.echo(f"and {played.bad - len(played.bad_lines)} more lines that are no records", err=True)


def _timeline(played: Replay, zone: tzinfo) -> None:
    """Print when alerts fired and ended, and who was notified; nobody is told of pending ones, so they are left out."""
    told: dict[tuple[str, float, str], ReplayNotice] = {
        (each.fingerprint, each.at, each.state): each for each in played.notices()
    }
    for happening in played.happenings():
        if happening.state in _TOLD_STATES:
            notice = told.get((happening.fingerprint, happening.at, happening.state))
            to = f" -> {', '.join(notice.receivers)}" if notice else ""
            typer.echo(f"{_when(happening.at, zone)}  {happening.state:<9} {_what(happening)}{to}")


def _what(alert: Happening | ReplayNotice) -> str:
    return f"{shown(alert.rule)} {shown_labels(alert.labels)}".rstrip()


def _changes(difference: Difference, zone: tzinfo) -> None:
    """Print the notifications that only one version of the rules makes, each with the reason."""
    for title, changes in (("fewer", difference.fewer), ("new", difference.new)):
        for change in changes:
            word = "missed" if change.missed else title
            typer.echo(f"{_when(change.notice.at, zone)}  {word:<7} {_change_line(change)}")


def _change_line(change: Change) -> str:
    notice = change.notice
    to = ", ".join(notice.receivers)
    return f"{notice.state} {_what(notice)} -> {shown(to)}: {shown(change.reason)}"


def _when(at: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S")


def _summary(played: Replay, difference: Difference | None, seconds: float) -> str:
    rate = played.events / seconds if seconds > 0 else 0.0
    events = f"{played.events:,} events in {seconds:.1f} s ({rate:,.0f}/s)"
    if difference is None:
        states = [each.state for each in played.happenings()]
        fired, ended = states.count("firing"), states.count("resolved")
        return f"{fired} fired, {ended} resolved, {len(played.notices())} notifications; {events}"
    fewer, new, missed = len(difference.fewer), len(difference.new), len(difference.missed)
    word = "notification" if fewer == 1 else "notifications"
    return f"{fewer} {word} fewer, {new} new, {missed} missed ({difference.same} the same; {events})"


def _json(played: Replay, difference: Difference | None) -> dict[str, Any]:
    report: dict[str, Any] = {"events": played.events, "bad_lines": played.bad}
    if difference is None:
        report["alerts"] = [
            {"time": rfc3339(h.at), "rule": h.rule, "labels": h.labels, "state": h.state, "reason": h.reason}
            for h in played.happenings()
        ]
        report["notifications"] = [_notice(each) for each in played.notices()]
        return report
    report |= {"same": difference.same, "fewer": _listed(difference.fewer), "new": _listed(difference.new)}
    return report | {"missed": _listed(difference.missed)}


def _listed(changes: Iterable[Change]) -> list[dict[str, Any]]:
    return [_notice(each.notice) | {"reason": each.reason} for each in changes]


def _notice(notice: ReplayNotice) -> dict[str, Any]:
    names = ("rule", "labels", "state", "id", "receivers", "summary")
    return {"time": rfc3339(notice.at)} | {name: getattr(notice, name) for name in names}
