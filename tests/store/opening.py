"""A hub of today on a state file of another day: core and store, under a clock of its own."""

from hub.documents.document import Problems
from hub.model import OWN
from hub.notify.outbox_port import Queued
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import load_rules
from hub.spine.core import Core
from hub.spine.store_outbox import outbox_row
from hub.store.sqlite.database import Database
from hub.store.sqlite.sqlite_reader import SqliteReader
from tests.rules.making import event

SAVED = 1_767_229_200.0  # 2026-01-01 01:00, when each was saved


class Hub:
    """A core on a state file, under a clock of its own; `told` is (seconds after SAVED, receiver, body)."""

    def __init__(self, rules, file, now=SAVED, discovery=""):
        self.discovery = discovery
        problems = Problems()
        self.rules = load_rules([rules], problems, read_receivers, "hub")
        assert not list(problems), [str(each) for each in problems]
        self.file, self.now, self.told = file, now, []
        self.start()

    def start(self):
        self.database = Database(self.file)
        self.reader = SqliteReader(self.database.connection)
        snapshot = self.database.load()
        self.row = snapshot.last_row
        self.core = Core(
            self.rules, None, "hub", {"client_id": "hub", "version": "new"}, print, discovery=self.discovery
        )
        self.core.restore(snapshot, self.now)
        self.commit()

    def restart(self):
        self.database.close()
        self.start()

    def commit(self):
        told = self.core.take_notifications()
        queued = [Queued(self.row + place, each) for place, each in enumerate(told, 1)]
        self.row += len(told)
        changes = self.core.take_changes()
        changes.queued = [outbox_row(each) for each in queued]
        self.database.apply([changes])
        self.told += [(round(self.now - SAVED), each.receiver, each.body) for each in told if each.receiver != OWN]

    def pass_time(self, until):
        """Let time pass until so many seconds after SAVED."""
        while (due := self.core.next_due()) <= SAVED + until:
            self.now = max(due, self.now)
            self.core.tick(self.now)
            self.commit()
        self.now = SAVED + until

    def send(self, topic, value):
        self.core.process([event(topic, value, self.now)], self.now)
        self.commit()


def shown(body):
    """Return the labels that tell instances apart, `/` between them; of a group those of each, with its state."""
    if "alerts" in body:
        return ", ".join(f"{shown(each)} {each['state']}" for each in body["alerts"])
    return "/".join(value for name, value in body["labels"].items() if name not in ("alertname", "severity"))


def parts(told):
    """Yield all that was told: receiver, alertname, instance, state; of groups each of their alerts."""
    for _, receiver, body in told:
        for each in body.get("alerts", [body]):
            yield receiver, body["alertname"], shown(each), each["state"]
