"""Tells when rule or fleet files change on disk."""

from collections.abc import Callable, Sequence
from pathlib import Path

from watchfiles import Change, awatch

from hub.limits import RELOAD_QUIET_MILLISECONDS

__all__ = ["watch"]


async def watch(paths: Sequence[Path], changed: Callable[[], None]) -> None:
    """Call `changed` after each burst of changes to a YAML file below these paths; run until cancelled."""
    existing = [path for path in paths if path.exists()]
    if not existing:
        return

    def yaml_only(_change: Change, path: str) -> bool:
        return path.endswith(".yaml")

    async for _ in awatch(*existing, watch_filter=yaml_only, debounce=RELOAD_QUIET_MILLISECONDS, step=50):
        changed()
