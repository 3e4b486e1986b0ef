"""Makes a state file by living through one hour with a hub, and tells what the rows in it look like.

    python -m tests.store.make_state                     # formats.json anew, out of what today's hub writes
    python -m tests.store.make_state v10                 # … and today's hub's file, states/v10.sql.xz
    git worktree add /tmp/then COMMIT
    PYTHONPATH=/tmp/then python tests/store/make_state.py v05-COMMIT      # an earlier hub's file

It knows the hubs of all commits since the first that had a state file and could run its rules: what one of them has
not yet (a key of a rule, silences, posted alerts) is left out.
"""

import contextlib
import inspect
import lzma
import sqlite3
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

import orjson

HERE = Path(__file__).parent
LOOKS = HERE / "formats.json"
SAVED = 1_767_229_200.0  # 2026-01-01 01:00
MINUTE = 60.0
LEFT = {("Plain", "2", "mail"), ("Rang", "9", "chat")}
"""alertname, device and receiver of what is still to be sent when the file is saved; all else is delivered."""
HEAD = """
receivers:
  chat: {webhook: {url: "http://127.0.0.1:9/chat"}}
  mail: {webhook: {url: "http://127.0.0.1:9/mail"}}
  boss: {webhook: {url: "http://127.0.0.1:9/boss"}}
defaults: {notify: [chat]}
rules:
"""
RULES = """\
- {alert: Plain, topic: "plain/{d}", when: value > 0, notify: [chat, mail]}
- {alert: Held, topic: "held/{d}", when: value > 0, for: 10m}
- {alert: Cleared, topic: "cleared/{d}", when: value > 0, clear_for: 10m}
- {alert: Gone, topic: "gone/{d}", absent: 10m}
- {alert: Warm, topic: "warm/{d}", when: "avg(value, 10m) > 30"}
- {alert: Jumped, topic: "jumped/{d}", when: "value - previous(value) > 5"}
- {alert: Repeats, topic: "repeats/{d}", when: value > 0, repeat: 10m}
- {alert: Steps, topic: "steps/{d}", when: value > 0, escalate: [{after: 10m, to: [boss]}]}
- {alert: Acked, topic: "acked/{d}", when: value > 0, repeat: 10m}
- {alert: Quiet, topic: "quiet/{d}", when: value > 0, severity: critical}
- {alert: Gateway, topic: "gateway/{site}", when: value > 0}
- {alert: Behind, topic: "behind/{site}/{d}", when: value > 0, unless: Gateway}
- {alert: Limited, topic: "limited/{d}", when: value > 0, limit: 1/h}
- {event: Rang, topic: "rang/{d}", limit: 2/h}
- {event: Opened, topic: "opened/{d}"}
- {alert: Grouped, topic: "grouped/{site}/{d}", when: value > 0, group_by: [site], repeat: 30m}
- {alert: Learned, topic: "learned/{d}", absent: auto}
- {alert: Paused, topic: "paused/{d}", when: payload.level > 0, pause: payload.mode == "cleaning"}
- {alert: Muted, topic: "muted/{d}", when: payload.level > 0, mute: payload.mode == "cleaning"}
- {alert: Delayed, topic: "delayed/{d}", when: level > 0, clear: level < 0, timestamp: {at: payload.ts, late: 1h}}
- {alert: Speed, topic: "spBv1.0/{group}/DDATA/{node}/{d}", when: rpm > 10, absent: 1h}
- {alert: Node, topic: "spBv1.0/{group}/NDATA/{node}", when: rpm > 10, absent: 1h}
- {alert: Named, topic: {t: "named/{d}/t", o: named/out}, when: t > o}
- {alert: Site, topic: "members/{site}/{d}", across: d, stale: 10m, when: "count(value > 0) > 1 || count(absent) > 1"}
"""
_NODE = "120b0a05626453657120045807120b0a0372706d10042003500912140a0573706565641005200a690000000000000440"
TIMELINE = [  # (minutes before SAVED, what)
    (55, "plain/5 1"), (54, "plain/5 0"), (50, "plain/1 1"), (50, "plain/2 1"), (45, "plain/3 1"), (44, "plain/3 0"),
    (50, "limited/1 1"), (45, "limited/1 0"), (30, "limited/1 1"),
    (40, "held/1 1"), (7, "held/2 1"), (40, "cleared/1 1"), (6, "cleared/1 0"),
    (40, "gone/1 1"), (5, "gone/2 1"),
    *((minutes, f"warm/1 {40 - minutes % 3}") for minutes in range(20, 0, -1)),
    (8, "jumped/1 1"), (7, "jumped/1 10"),
    *((minutes, "learned/1 1") for minutes in range(20, 0, -2)),
    (30, 'paused/1 {"level": 1, "mode": ""}'), (20, 'paused/1 {"level": 1, "mode": "cleaning"}'),
    (30, 'muted/1 {"level": 0, "mode": "cleaning"}'), (20, 'muted/1 {"level": 1, "mode": "cleaning"}'),
    (30, 'delayed/1 {"level": 1, "ts": 1767227100}'), (30, 'delayed/1 {"level": -1, "ts": 1767227300}'),
    (29, 'delayed/1 {"level": 0, "ts": 1767226000}'), (0, 'delayed/1 {"level": 0, "ts": 1767226100}'),
    (25, "named/1/t 1"), (24, "named/out 0"),
    (25, "members/a/1 1"), (8, "members/a/2 1"), (7, "members/a/3 1"),
    (30, "silence"), (20, "quiet/1 1"), (30, "gateway/a 1"), (20, "behind/a/1 1"),
    (30, "rang/1 1"), (29, "rang/1 1"), (28, "rang/1 1"), (10, "rang/9 1"), (9, "opened/1 1"),
    (25, "repeats/1 1"), (15, "steps/1 1"), (50, "post b 1"), (20, "post a 80"), (8, "acked/1 1"), (6, "ack 1"),
    *((20, f"grouped/bonn/{number} 1") for number in (1, 2, 3)),
    (3, "set"), (2, "grouped/bonn/1 0"), (1, "grouped/bonn/2 0"), (5 / 60, "grouped/genf/1 1"),
    (10, f"spBv1.0/g/NBIRTH/n x{_NODE}"), (9, f"spBv1.0/g/DBIRTH/n/d x{_NODE}"),
    (8, "spBv1.0/g/DDATA/n/d x12041004500b"),
    (4, "spBv1.0/g/NDEATH/n x120b0a05626453657120045807"),
]  # fmt: skip


class Packet:
    """A message as a session delivers it."""

    qos, packet_id, retain, duplicate, subscription_ids, time, content_type = 1, 1, False, False, (), None, None

    def __init__(self, topic, payload):
        self.topic, self.payload = topic, payload


class Apart:
    """Engine and book of a hub that had no core yet."""

    def __init__(self, rules):
        from hub.alerts.book import Book
        from hub.rules.running.engine import Engine

        self.engine = Engine(rules.rules.values(), None, lambda *_: None)
        self.book = Book("hub", {"client_id": "hub", "version": "old"}, lambda *_: None)

    def restore(self, snapshot, now):
        self.engine.restore(snapshot.instances, snapshot.rules, now)
        self.rules = self.engine.signatures()

    def process(self, events, now):
        self.engine.process(events, now)
        self.book.apply(self.engine.take_transitions())

    def tick(self, now):
        self.engine.tick(now)
        self.book.apply(self.engine.take_transitions())
        self.book.tick(now)

    def next_due(self):
        due = (self.engine.next_due(), self.book.next_due())
        return min((at for at in due if at is not None), default=float("inf"))

    def take_notifications(self):
        return self.book.take_notifications()

    def take_changes(self):
        from hub.store.changes import Changes

        rules, self.rules = self.rules, None
        changes = Changes(instances=self.engine.take_changes(), alerts=self.book.take_rows(), rules=rules)
        if hasattr(self.engine, "take_samples"):
            changes.samples = self.engine.take_samples()
        return changes


def rules_of(folder):
    """Load all rules that this hub knows: each is tried alone."""
    known = [line for line in RULES.splitlines() if "Behind" in line or loaded(folder, line + "\n") is not None]
    whole = loaded(folder, "\n".join(known))
    if whole is None:  # no `unless` yet
        whole = loaded(folder, "\n".join(line for line in known if "Behind" not in line))
    return whole


def loaded(folder, rules):
    from hub.documents.document import Problems
    from hub.notify.receiver_settings import read_receivers
    from hub.rules.reading.loader import load_rules

    path = folder / "rules.yaml"
    path.write_text(HEAD + "".join(f"  {line}\n" for line in rules.splitlines()), "utf-8")
    problems = Problems()
    found = load_rules([path], problems, read_receivers, "hub")
    serious = [each for each in problems if not getattr(each, "note", False)]
    return None if serious else found


def core_of(rules):
    """Return the heart of this hub."""
    try:
        from hub.spine.core import Core
    except ImportError:
        return Apart(rules)
    more = {"discovery": "homeassistant"} if "discovery" in inspect.signature(Core).parameters else {}
    return Core(rules, registry(), "hub", {"client_id": "hub", "version": "old"}, lambda *_: None, **more)


def registry():
    """Return a registry with a device of which something may be set; None for a hub that sets nothing."""
    try:
        from hub.devices.known.settings import KnownDevices  # noqa: F401 - tells which hub it is
    except ImportError:
        return None
    from hub.devices.registry import Registry, load_fleets
    from hub.documents.document import Problems

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set.csv"
        path.write_text("topic,limit,limit.min,limit.max\nset/1,3,0,9\n", "utf-8")
        return Registry(load_fleets([path], Problems()))


def drive(core, commit):
    """Let a core live through the hour before SAVED; `commit` takes what came of each step, and its time."""
    now = SAVED - 60 * MINUTE

    def pass_time(until):
        nonlocal now
        while (due := core.next_due()) <= until:
            now = max(due, now)
            core.tick(now)
            commit(now)
        now = until

    for minutes, what in sorted(TIMELINE, key=lambda each: -each[0]):
        pass_time(SAVED - minutes * MINUTE)
        do(core, what, now)
        commit(now)
    pass_time(SAVED)
    commit(now)


def do(core, what, now):
    """Let one line of the timeline happen."""
    from hub.ingest.decode import decode

    word, *rest = what.split(" ", 1)
    if "/" in word:
        payload = bytes.fromhex(rest[0][1:]) if rest[0].startswith("x") else rest[0].encode()
        event = decode(Packet(word, payload), now)
        if hasattr(event, "fields"):
            core.process([event], now)
    elif word == "silence" and hasattr(core.book, "silence"):
        silence(core.book, now)
    elif word == "post" and hasattr(core, "post"):
        from hub.rules.posted.posting import Posting

        instance, minutes = rest[0].split()
        labels = {"alertname": "Disk", "instance": instance}
        core.post(Posting(labels, {"summary": "full"}, now, now + float(minutes) * MINUTE), now)
    elif word == "set" and hasattr(core, "set"):
        core.set("set/1", {"limit": 5}, "olga", now)
    elif word == "ack" and hasattr(core.book, "acknowledge"):
        for fingerprint, _ in core.book.find(matchers(f'alertname="Acked", d="{rest[0]}"')):
            core.book.acknowledge(fingerprint, "olga", "on my way", None, now)


def silence(book, now):
    """Silence one alert until half past: as a value by today's hub, by earlier ones with all its parts."""
    end, about = SAVED + 30 * MINUTE, tuple(matchers('alertname="Quiet"'))
    parts = inspect.signature(book.silence).parameters
    if "asked" in parts:
        from hub.alerts.suppression.silences import Silence

        book.silence(Silence("", about, now, end, "olga", "works", now, (("ticket", "7"),)))
    else:
        more = ((("ticket", "7"),),) if "annotations" in parts else ()
        book.silence(about, now, end, "olga", "works", now, *more)


def matchers(text):
    from hub.alerts.matchers import parse_matchers

    return parse_matchers(text)


def is_left(notification):
    """Tell whether a notification is still to be sent when the file is saved."""
    body = notification.body
    return (body.get("alertname"), body.get("labels", {}).get("d"), notification.receiver) in LEFT


def beside():
    """Return what stands beside the core's rows in the last commit, made by who owns it, as far as this hub has it."""
    from hub.store.changes import Changes

    known, found = {each.name for each in fields(Changes)}, {}
    with contextlib.suppress(ImportError):
        from hub.ingest.idempotency import Keys

        keys = Keys()
        keys.take("a key", SAVED - MINUTE)
        found["keys"] = keys.take_rows()
    with contextlib.suppress(ImportError):
        from hub.notify.subscribers import Subscribers, Subscription

        subscribers = Subscribers(b"key")
        subscribers.offers[0] = "public", False
        subscribers.add(Subscription("https://push.example.org/7", "p256dh", "auth", "olga", SAVED - MINUTE))
        found["subscribers"] = subscribers.take_rows()
    with contextlib.suppress(ImportError):
        from hub.ingest.redelivery.receipts import Receipts

        receipts, packet = Receipts(()), Packet("plain/1", b"1")
        try:
            receipts.take([packet])
        except AttributeError:  # one by one
            receipts.take(packet)
        sealed = receipts.seal(1, SAVED) if len(inspect.signature(receipts.seal).parameters) > 1 else receipts.seal(1)
        try:
            from hub.model import BROKER, Position

            found["positions"] = {BROKER: Position(entry=sealed[0])}
        except ImportError:  # a commit had them by their name
            found["receipts"] = sealed[0] if isinstance(sealed[0], tuple) else sealed
    found["audit"] = [(SAVED - MINUTE, "olga", "http", "ack", '{"alertname": "Acked"}')]
    found["dead_letters"] = [(SAVED - MINUTE, "plain/x", b"\xff{", "no JSON")]
    found["meta"] = [("alive", repr(SAVED)), ("own_serial", "3"), ("filters", '["plain/+"]')]
    return {name: rows for name, rows in found.items() if name in known}


def make(file):
    """Write the file with the hub that is there."""
    from hub.model import OWN
    from hub.notify.outbox_port import Queued
    from hub.spine.store_outbox import outbox_row
    from hub.store.changes import Changes
    from hub.store.sqlite.database import Database

    with tempfile.TemporaryDirectory() as folder:
        core = core_of(rules_of(Path(folder)))
    database, row = Database(file), 0
    core.restore(database.load(), SAVED - 60 * MINUTE)

    def commit(_now, **more):
        nonlocal row
        told = core.take_notifications()
        queued = [Queued(row + place, each) for place, each in enumerate(told, 1)]
        row += len(told)
        changes = core.take_changes()
        for name, rows in (more | {"queued": [outbox_row(each) for each in queued]}).items():
            setattr(changes, name, rows)
        database.apply([changes])
        done = [each.row for each in queued if not is_left(each.notification) or each.notification.receiver == OWN]
        database.apply([Changes(settled=[(number, "delivered", 1, 0.0, "") for number in done])])

    commit(SAVED - 60 * MINUTE)
    drive(core, commit)
    commit(SAVED, **beside())
    database.close()


def written(file):
    """Return the file as SQL; of the trace only what is about one alert, or it would be long."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'trace'").fetchone():
        connection.execute("DELETE FROM trace WHERE rule <> 'Acked'")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    lines = [*connection.iterdump(), f"PRAGMA user_version = {version};"]
    connection.close()
    return "\n".join(lines) + "\n"


WHOLE = {"metrics", "metrics since", "keys"}
"""Kinds whose JSON is what devices say, or none."""
FREE = {
    *("alerts labels", "alerts event", "conversation labels", "conversation news.each.shown", "posted annotations"),
    *("group 1", "group 7", "instances 8.1", "limit 3", "setting"),
}
"""Kinds and paths to JSON whose keys, or whose length, are data, or of which others know what is in it."""
PLACED = {"", "8", "9"}
"""Paths to lists in which each place has its meaning."""


def shapes(file):
    """Return, by kind, what the JSON of all its rows looks like: a line for each path, with the types found there."""
    connection = sqlite3.connect(file)
    found = {}
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in ("instances", "samples", "alerts", "desk", "subscribers"):
        if table in tables:
            kind = "kind" if table == "desk" else f"'{table}'"
            for name, text in connection.execute(f"SELECT {kind}, state FROM {table}"):
                _walk(orjson.loads(text), name, "", found.setdefault(name, {}))
    connection.close()
    return {
        name: [f"{path or '.'} {' '.join(sorted(types))}" for path, types in sorted(paths.items())]
        for name, paths in sorted(found.items())
    }


def _walk(value, kind, path, found):
    """Note the type of a value, and of all within it."""
    name = type(value).__name__.replace("NoneType", "null")
    if kind in WHOLE or f"{kind} {path}" in FREE:
        name = "data"
    elif isinstance(value, dict):
        for key, each in value.items():
            _walk(each, kind, f"{path}.{key}".lstrip("."), found)
    elif isinstance(value, list) and path in PLACED:
        name = f"list[{len(value)}]"
        for place, each in enumerate(value):
            _walk(each, kind, f"{path}.{place}".lstrip("."), found)
    elif isinstance(value, list):
        for each in value:
            _walk(each, kind, f"{path}.each".lstrip("."), found)
    found.setdefault(path, set()).add(name)


def looks(file):
    """Return what today's hub writes: by kind its format, and the shapes of its JSON, or the columns of its table."""
    from hub.store.formats import FORMATS

    connection = sqlite3.connect(file)
    columns = {kind: [row[1] for row in connection.execute(f"PRAGMA table_info('{kind}')")] for kind in FORMATS}
    connection.close()
    found = shapes(file)
    return {kind: {"format": FORMATS[kind], "looks": found.get(kind) or columns[kind]} for kind in FORMATS}


def main(name=""):
    """Make a file; keep it under its name, or what it looks like."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hub.db"
        make(file)
        text = written(file).encode("utf-8", "surrogateescape")
        if name:
            (HERE / "states" / f"{name}.sql.xz").write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
        if "-" not in name:  # made by the hub of today
            LOOKS.write_bytes(orjson.dumps(looks(file), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    main(*sys.argv[1:])
