"""The steps that bring a state file up to date, one a version; a step is never edited once released.

Step N is the section `-- version N` of schema.sql, then, in the same transaction, the function in MOVES with this
number. It moves what SQL cannot move, the JSON of rows. Such a function knows how rows looked at that time, so it uses
nothing of today's hub.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import orjson

__all__ = ["STEPS", "TABLES", "StateStep", "migrate"]

Move = Callable[[sqlite3.Cursor], None]
_SCHEMA = files("hub.store").joinpath("schema.sql").read_text("utf-8")
_GROUP_WAIT_SECONDS = 10.0  # before version 7 a group kept when it spoke next, and not since when it had waited


class StateStep(NamedTuple):
    """Leads from the version before to this one: first the SQL, then the function that moves rows, if there is one."""

    sql: str
    move: Move | None = None


def migrate(connection: sqlite3.Connection, steps: Sequence[StateStep]) -> None:
    """Bring an open file up to date, each step a transaction of its own.

    Raises:
        sqlite3.Error: a step failed. Once the file is closed, it is as the step before has left it.
        ValueError: a row that is to be moved is damaged. The same holds.

    """
    run = connection.execute
    for number in range(run("PRAGMA user_version").fetchone()[0], len(steps)):
        step = steps[number]
        connection.executescript(f"BEGIN IMMEDIATE;\n{step.sql}")
        if step.move is not None:
            step.move(connection.cursor())
        run(f"PRAGMA user_version = {number + 1}")
        run("COMMIT")


# version 10: alerts, groups and silences of all hubs before it look alike


def _unify(cursor: sqlite3.Cursor) -> None:
    _rewrite(cursor, "instances", "rule, instance", "1", _instance)
    _rewrite(cursor, "alerts", "fingerprint", "1", _alert)
    _rewrite(cursor, "desk", "key", "kind = 'conversation' AND key <> 'floor'", _conversation)
    _rewrite(cursor, "desk", "key", "kind = 'silence' AND key <> 'serial'", _silence)


def _rewrite(cursor: sqlite3.Cursor, table: str, keys: str, which: str, changed: Callable[[Any], Any]) -> None:
    """Replace the JSON of these rows by what `changed` makes of it; a row that it returns unchanged is not written."""
    rows = cursor.execute(f"SELECT state, {keys} FROM {table} WHERE {which}").fetchall()  # noqa: S608 - our own words
    these = f"({keys}) = ({', '.join('?' * (keys.count(',') + 1))}) AND {which}"
    cursor.executemany(f"UPDATE {table} SET state = ? WHERE {these}", _all_changed(rows, changed))  # noqa: S608


def _all_changed(rows: Sequence[tuple[str, ...]], changed: Callable[[Any], Any]) -> Iterator[tuple[str, ...]]:
    for text, *key in rows:
        try:
            found = orjson.loads(text)
            new = changed(found)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue  # a damaged row: the start that reads it afterwards names it, and says what to do
        if new is not found:
            yield orjson.dumps(new).decode(), *key


def _instance(found: Any) -> Any:
    """Give the extra state of an instance a third column: the message that waits for the end of a pause."""
    if len(found) < 10 or len(found[9]) != 6:
        return found
    extra = found[9]
    return [*found[:9], [*extra[:2], None, *extra[2:]]]


def _alert(found: Any) -> Any:
    """Move what was told of an alert to a field of its own, `said`; before, it stood among the alert's fields."""
    flat = {name: found[name] for name in ("tellings", "notified", "last", "steps") if name in found}
    if "said" in found or not (flat or "told" in found):
        return found
    flat = {"tellings": 0, "notified": 0, "last": 0, "steps": 0} | flat
    made = {name: value for name, value in found.items() if name not in (*flat, "told")}
    told = found.get("told", [])
    if told and not flat["tellings"]:  # the first hub of all did not count: it was told once
        flat |= {"tellings": 1, "notified": found.get("since", 0.0), "last": found.get("since", 0.0)}
    if flat["tellings"]:
        # the old row does not say since when its steps stand still, only why: an ack, or it is hidden
        paused = ack["at"] if (ack := found.get("ack")) else found.get("hidden", 0.0)
        made["said"] = {"told": told, "paused": paused, **flat}
    return made


def _conversation(found: Any) -> Any:
    """Make a conversation of a group. What was told of its alerts, and when, stands in the alerts themselves.

    An old group repeated by the time of its last message, always after the first of the rule's intervals.
    """
    if not isinstance(found, list):
        return found
    rule, labels, serial, spoke, due, waiting, told, news, count, receivers = found
    said: dict[str, Any] = {}
    if told or (news and receivers):
        # its steps stand still until one of its alerts turns out to be acknowledged by nobody
        said = {"told": receivers, "tellings": 1, "notified": spoke, "last": spoke, "paused": spoke}
    kept = []
    if news:
        ended = all(each["state"] == "resolved" for each in news)
        kept = [{"told": receivers if ended and receivers else None, "count": count, "shown": news}]
    changed = due - _GROUP_WAIT_SECONDS if (news or waiting) and due is not None else 0.0
    made = {"rule": rule, "labels": labels, "episode": serial, "serial": serial, "spoke": spoke, "changed": changed}
    return made | {"said": said, "news": kept}


def _silence(found: Any) -> Any:
    """Give a silence its last column, the annotations; before version 9 there were none."""
    return [*found, []] if len(found) == 6 else found


MOVES: Mapping[int, Move] = {10: _unify}
STEPS: Sequence[StateStep] = tuple(
    StateStep(sql, MOVES.get(number))
    for number, sql in enumerate(re.split(r"^-- version \d+\n", _SCHEMA, flags=re.MULTILINE)[1:], 1)
)
TABLES = frozenset(re.findall(r"^CREATE TABLE (\w+)", _SCHEMA, re.MULTILINE))
"""All tables of a file that is up to date."""
