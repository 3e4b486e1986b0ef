"""A hub inside another program: it runs rules, and the program hears of alerts as they change."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.app import App
from hub.config import load_settings
from hub.observer import Observer


class Fridges(Observer):
    """Keeps which alerts fire; an observer is called on the hub's loop and must be quick."""

    def __init__(self) -> None:
        """Begin with none."""
        self.firing: set[str] = set()
        self.changed = asyncio.Event()

    def alert(self, body: Mapping[str, Any]) -> None:
        """Hear of an alert as it is now, after it is on disk."""
        if body["state"] == "firing":
            self.firing.add(body["alertname"])
        else:
            self.firing.discard(body["alertname"])
        self.changed.set()


async def watch(broker: str, rules: Path, state: Path) -> set[str]:
    """Run a hub until the first alert fires, and return which."""
    fridges = Fridges()
    app = App(load_settings(None, broker=broker, rules=[rules], state=state), fridges)
    async with asyncio.TaskGroup() as group:
        group.create_task(app.run(), name="hub")
        while not fridges.firing:
            await fridges.changed.wait()
            fridges.changed.clear()
        app.stop()
    return fridges.firing
