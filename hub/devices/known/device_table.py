"""A table of devices, a `*.csv`: a row for each device, a column for each attribute.

The column `topic` says where the device publishes. Levels in braces in it are columns of the same row. `limit.min`,
`limit.max`, `limit.step` and `limit.of` are no attributes: they are the bounds within which people may set `limit`.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.devices.fleet import Fleet, FleetPace
from hub.devices.fleet_devices import Device, FleetDevices
from hub.devices.known.settable import Allowed, bound_of
from hub.devices.payload_template import IDENTIFIER, DeviceTopic, topic_level, topic_template
from hub.documents.document import Node, Problems
from hub.errors import Problem
from hub.fields import Bad
from hub.limits import FLEET_DEVICES, TABLE_BYTES, TABLE_PROBLEMS

__all__ = ["TABLE_ENDING", "read_table"]

TABLE_ENDING = ".csv"
_TOPIC = "topic"
_BOUNDS = ("min", "max", "step", "of")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_NO_NUMBER = re.compile(r"[-+]?0\d")  # an article number, a telephone number: its zeros count
_EXACT_DIGITS = 15
_CHOICES = "|"


@dataclass(slots=True)
class _Table:
    """A table as it is read. `columns` are the header's names; a row's place is its line and cell."""

    path: str
    name: str
    problems: Problems
    text: str
    columns: Sequence[str] = ()
    topics: dict[str, DeviceTopic] = field(default_factory=dict)
    devices: dict[str, tuple[DeviceTopic, list[Device]]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    bounds: dict[tuple[tuple[str, str], ...], Mapping[str, Allowed]] = field(default_factory=dict)

    def report(self, line: int, column: int, message: str, hint: str = "") -> None:
        self.problems.append(Problem(self.path, line, column, message, hint))


class _Wrong(Exception):
    """A cell that cannot be: its number, what is wrong, what to do."""

    def __init__(self, cell: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.cell, self.message, self.hint = cell, message, hint


def read_table(path: Path, problems: Problems) -> tuple[Fleet, ...]:
    """Read a table as fleets that are not played: one for each form of topic in it; none where it has problems."""
    before = len(problems)
    text = _text(path, problems)
    if text is None:
        return ()
    table = _Table(str(path), path.stem, problems, text)
    try:
        _read(table)
    except csv.Error as error:
        table.report(1, 1, f"cannot be read as CSV: {error}")
    if len(problems) > before:
        return ()
    return tuple(_fleet(table, form, devices) for form, devices in table.devices.values())


def _text(path: Path, problems: Problems) -> str | None:
    try:
        with path.open("rb") as file:
            raw = file.read(TABLE_BYTES + 1)
        if len(raw) > TABLE_BYTES:
            problems.append(Problem(str(path), 0, 0, f"is larger than {TABLE_BYTES >> 20} MB", "split the table"))
            return None
        return raw.decode("utf-8-sig")
    except OSError as error:
        problems.append(Problem(str(path), 0, 0, f"cannot be read: {error.strerror or error}"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        problems.append(Problem(str(path), line, column, "is not UTF-8", "save it as CSV UTF-8"))
    return None


def _read(table: _Table) -> None:
    first = table.text.split("\n", 1)[0]
    sign = max(",;\t", key=first.count)  # programs write ; where a comma stands in numbers
    rows = csv.reader(io.StringIO(table.text, newline=""), delimiter=sign, strict=True)
    table.columns = tuple(name.strip() for name in next(rows, ()))
    if not _header(table, first, sign):
        return
    line, wrong, count = rows.line_num + 1, 0, 0
    for row in rows:
        if any(row):
            count += 1
            try:
                _take(table, row)
            except _Wrong as error:
                wrong += 1
                table.report(line, _column(table.text, line, error.cell, sign), error.message, error.hint)
        if count > FLEET_DEVICES:
            table.report(line, 1, f"more than {FLEET_DEVICES:,} devices in one table", "split the table")
        if wrong >= TABLE_PROBLEMS or count > FLEET_DEVICES:
            return
        line = rows.line_num + 1


def _header(table: _Table, text: str, sign: str) -> bool:
    """Check the names of the columns; tell whether the rows can be read."""
    before, known = len(table.problems), set[str]()
    for cell, name in enumerate(table.columns):
        stem, dot, bound = name.partition(".")
        at = 1, _column(text, 1, cell, sign)
        if not IDENTIFIER.fullmatch(stem) or (dot and bound not in _BOUNDS):
            hint = "letters, digits and _, as rules say device.name; limit.min, limit.max are the bounds of limit"
            table.report(*at, f"{name!r} cannot be a column's name", hint)
        elif name in known:
            table.report(*at, f"the column {name!r} is there twice", "give one of them another name")
        elif dot and stem not in table.columns:
            table.report(*at, f"{name!r} bounds an attribute without a column", f"add the column {stem}")
        known.add(name)
    if _TOPIC not in known:
        hint = "site/a/freezer/7, or site/{site}/freezer/{number} with columns of these names"
        table.report(1, 1, f"the table needs a column {_TOPIC!r}", hint)
    return len(table.problems) == before


def _take(table: _Table, row: Sequence[str]) -> None:
    """Take one row as a device.

    Raises:
        _Wrong: it is none.

    """
    columns = table.columns
    if len(row) > len(columns) and any(row[len(columns) :]):
        raise _Wrong(len(columns), f"the row has {len(row)} cells, and the header {len(columns)}", "quote a comma")
    cells = {name: value for name, text in zip(columns, row, strict=False) if (value := text.strip())}
    written = cells.pop(_TOPIC, "")
    form = _form(table, written)
    captures = {}
    for name in form.names:
        captures[name] = topic_level(cells.get(name, ""))
        if not captures[name]:
            cell = columns.index(name)
            raise _Wrong(cell, f"{name!r} must be one level of a topic", "text without / + # and control characters")
    topic = form.render(captures) if form.names else written
    if topic in table.seen:
        raise _Wrong(columns.index(_TOPIC), f"the device {topic} is there twice", "leave one of the rows out")
    table.seen.add(topic)
    attributes: dict[str, Any] = {"fleet": table.name}
    attributes |= {name: text if name in captures else _value(text) for name, text in cells.items() if "." not in name}
    bounds = _bounds(table, cells)
    for name, bound in (bounds or {}).items():
        if name in attributes and not bound.allows(attributes[name]):
            raise _Wrong(columns.index(name), f"{name!r} is not within its bounds: {bound}")
    device = Device(table.name, topic, captures, attributes, bounds)
    group = form if form.names else _whole(len(form.levels))
    table.devices.setdefault(group.text, (group, []))[1].append(device)


def _whole(depth: int) -> DeviceTopic:
    """Return the form of all topics of so many levels: all of these together say which device it is."""
    levels = tuple(f"{{{level}}}" for level in range(depth))
    return DeviceTopic("/".join(levels), levels, {level: str(level) for level in range(depth)})


def _form(table: _Table, text: str) -> DeviceTopic:
    """Return a topic with its captures."""
    cell = table.columns.index(_TOPIC)
    if not text:
        raise _Wrong(cell, "the device has no topic", "write where it publishes")
    form = table.topics.get(text)
    if form is None:
        try:
            form = topic_template(Node(text, table.path, 0, 0, text))
        except Bad as error:
            raise _Wrong(cell, error.problem.message, error.problem.hint) from None
        missing = next((name for name in form.names if name not in table.columns), None)
        if missing is not None:
            raise _Wrong(cell, f"{{{missing}}} is no column of the table", f"add the column {missing}")
        if form.names:
            table.topics[text] = form
    return form


def _value(text: str) -> Any:
    """Read a cell: a number, a truth value, else text."""
    if text in ("true", "false", "TRUE", "FALSE", "True", "False"):
        return text.lower() == "true"
    if not _NUMBER.fullmatch(text) or _NO_NUMBER.match(text):
        return text
    if text.lstrip("+-").isdigit():
        return int(text) if len(text) <= _EXACT_DIGITS else text
    value = float(text)
    return value if value - value == 0 else text


def _bounds(table: _Table, cells: Mapping[str, str]) -> Mapping[str, Allowed] | None:
    given = tuple((name, text) for name, text in cells.items() if "." in name)
    if not given:
        return None
    if given not in table.bounds:  # most devices have those of many others
        table.bounds[given] = dict(_bounded(table, given))
    return table.bounds[given]


def _bounded(table: _Table, given: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, Allowed]]:
    found: dict[str, dict[str, Any]] = {}
    for name, text in given:
        attribute, _, key = name.partition(".")
        values = [_value(each.strip()) for each in text.split(_CHOICES)]
        found.setdefault(attribute, {})[key] = values if key == "of" else values[0]
    for attribute, bounds in found.items():
        try:
            yield attribute, bound_of(bounds)
        except ValueError as error:
            cell = table.columns.index(f"{attribute}.{next(iter(bounds))}")
            raise _Wrong(cell, f"the bounds of {attribute!r}: {error}") from None


def _fleet(table: _Table, topic: DeviceTopic, devices: list[Device]) -> Fleet:
    name = table.name
    return Fleet(
        *(name, table.path, 1, topic, FleetDevices(name, topic, ()), tuple(devices), FleetPace(1.0, 0.0), None),
        *((), 1, False, None, b"", None),
    )


def _column(text: str, line: int, cell: int, sign: str) -> int:
    """Return the column of a cell: how many characters stand before it in its line, and one."""
    lines = text.split("\n", line)
    found = lines[line - 1] if len(lines) >= line else ""
    quoted = False
    for at, letter in enumerate(found):
        if cell == 0:
            return at + 1
        if letter == '"':
            quoted = not quoted
        elif letter == sign and not quoted:
            cell -= 1
    return len(found) + 1 if cell == 0 else 1
