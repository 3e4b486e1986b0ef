"""The rules of a node, kept ready while it stands by: a take-over must not wait for files, nor fail because of them."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

from hub.config import Settings
from hub.documents.listing import list_yaml
from hub.errors import ConfigError
from hub.node.file_watch import Seen, read_now, watch
from hub.project.files import Files

__all__ = ["RuleFiles"]

_HASH_BYTES = 8


class RuleFiles:
    """The last files that could be used, and their hash, by which nodes compare. `say` hears of those that cannot."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        """Read them.

        Raises:
            ConfigError: with every problem of every file.

        """
        self._settings, self._say = settings, say
        self._paths = (*settings.rules, *settings.devices)
        self.files: tuple[Files, Seen] = read_now(settings)
        self.hash = _hashed(settings)
        self.refused = ""
        """What is wrong with the files as they are now; "" where they are at work."""

    async def run(self) -> None:
        """Read them anew whenever they change; run until cancelled."""
        changed = asyncio.Event()
        watching = asyncio.create_task(watch(self._paths, changed.set, self.files[1]), name="watch rules")
        try:
            while True:
                await changed.wait()
                changed.clear()
                try:
                    self.files, self.hash = await asyncio.to_thread(_read, self._settings)
                except (ConfigError, OSError) as error:
                    self.refused = str(error)
                    self._say(f"the old rules go on:\n{error}")
                else:
                    self.refused = ""
        finally:
            watching.cancel()


def _read(settings: Settings) -> tuple[tuple[Files, Seen], str]:
    return read_now(settings), _hashed(settings)


def _hashed(settings: Settings) -> str:
    """Hash all that the files say, by what they are called below their folder: nodes may keep them in other places."""
    found = hashlib.blake2b(digest_size=_HASH_BYTES)
    for root in (*settings.rules, *settings.devices):
        for path in sorted(list_yaml([root], settings.devices).files):
            name = path.relative_to(root) if path != root else Path(path.name)
            found.update(str(name).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()
