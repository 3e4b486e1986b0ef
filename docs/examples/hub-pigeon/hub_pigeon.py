"""Receiver `pigeon`: lays each message into a loft, a folder that somebody else empties."""

from dataclasses import dataclass
from pathlib import Path

from hub.plugin import Delivered, Key, KeyTable, Notification, Outcome, Retry, Section, Toolbox, text

LOFT = Key("loft", text, "", "The folder where the pigeons land.", "/srv/loft", required=True)


@dataclass(frozen=True)
class PigeonOptions:
    """Where the pigeons land."""

    loft: str


class Pigeon:
    """One file for each message; its name is the notification's id, so a repetition is the same file."""

    keys = KeyTable("pigeon", LOFT, words="Lays each message into a loft.")
    concurrency = 1  # attempts under way at once

    def __init__(self, options: PigeonOptions, toolbox: Toolbox) -> None:  # noqa: ARG002
        """Open nothing yet."""
        self.loft = Path(options.loft)

    @classmethod
    def read(cls, section: Section) -> PigeonOptions:
        """Take `loft`; the hub reports what else stands there, with its place."""
        return PigeonOptions(section.take(LOFT))

    async def send(self, notification: Notification) -> Outcome:
        """Try once; the hub tries again after a Retry, and never raise what can be said as one."""
        if not self.loft.is_dir():
            return Retry(f"there is no loft {self.loft}", after=600.0)
        message = self.loft / f"{notification.id}.txt"
        message.write_text(notification.body["summary"], "utf-8")
        return Delivered()

    async def close(self) -> None:
        """Own nothing."""
