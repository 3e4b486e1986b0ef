"""Tells when rule or fleet files change on disk, whatever changes them: an editor, a link that is swapped, a mount.

It looks at all files every second or so and compares. A kernel's notices (inotify) would come a moment sooner. But they
follow a folder that was moved away, miss a link that is swapped in a parent and everything on a network mount, and the
kernel allows only so many.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hub.config import Settings
from hub.documents.listing import list_yaml
from hub.limits import RELOAD_LOOK_SECONDS, RELOAD_LOOK_SHARE, RELOAD_QUIET_LOOKS, RELOAD_QUIET_SECONDS
from hub.project.files import Files, read_files

__all__ = ["Seen", "look", "read_now", "watch"]

Seen = frozenset[tuple[object, ...]]


async def watch(paths: Sequence[Path], changed: Callable[[], None], seen: Seen) -> None:
    """Call `changed` after each burst of changes to a YAML file that paths name or hold; run until cancelled.

    `seen` is how they looked just before they were last read. What is not there yet is seen when it appears.
    """
    took = 0.0
    while True:
        await asyncio.sleep(max(RELOAD_LOOK_SECONDS, took / RELOAD_LOOK_SHARE))
        now, took = await _look(paths)
        if now != seen:
            seen = await _quiet(paths, now)
            changed()


async def _quiet(paths: Sequence[Path], now: Seen) -> Seen:
    """Wait until nothing changes any more, at most RELOAD_QUIET_LOOKS times: somebody may write all the time."""
    for _ in range(RELOAD_QUIET_LOOKS):
        await asyncio.sleep(RELOAD_QUIET_SECONDS)
        before, (now, _) = now, await _look(paths)
        if now == before:
            break
    return now


async def _look(paths: Sequence[Path]) -> tuple[Seen, float]:
    """Look at all files in a thread, for a network mount may be slow; return how many seconds it took, too."""
    begun = time.perf_counter()
    return await asyncio.to_thread(look, paths), time.perf_counter() - begun


def read_now(settings: Settings) -> tuple[Files, Seen]:
    """Read rules and fleets for a run; return also how they looked before, so that what changes meanwhile is seen.

    Raises:
        ConfigError: with every problem of every file.

    """
    seen = look((*settings.rules, *settings.devices))
    return read_files(settings), seen


def look(paths: Sequence[Path]) -> Seen:
    """Return all by which two states of the files differ; links are followed."""
    listing = list_yaml(paths, paths)
    wrong = {(str(path), error.errno) for path, error in listing.wrong}
    return frozenset(map(_file, listing.files)) | wrong


def _file(path: Path) -> tuple[object, ...]:
    try:
        at = path.stat()
        readable = os.access(path, os.R_OK)
    except OSError as error:
        return str(path), error.errno
    return str(path), at.st_dev, at.st_ino, at.st_mode, at.st_size, at.st_mtime_ns, at.st_ctime_ns, readable
