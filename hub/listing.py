"""Which YAML files lie below the files and folders that settings name; `document` reads them, `watch` looks at them.

Nothing raises for what is on a disk: a folder that cannot be listed is told like everything else. (pathlib's glob
leaves it out without a word, and then its rules seem to have been removed.)
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hub.limits import FOLDER_ENTRIES

__all__ = ["Listing", "is_folder", "list_yaml"]

_LEFT_ALONE = "lost+found"  # root's, at the top of each ext4 file system, and nobody else can list it


@dataclass(slots=True)
class Listing:
    """The files, in order, each once; what could not be looked at, and why; files with the other ending."""

    files: list[Path] = field(default_factory=list)
    wrong: list[tuple[Path, OSError]] = field(default_factory=list)
    strays: list[Path] = field(default_factory=list)
    """`*.yml` in folders: they are not read."""


def list_yaml(paths: Iterable[Path]) -> Listing:
    """Return the files: those named, and every `*.yaml` below a folder that is named, in order of name, each once.

    Hidden ones are left out: editors' locks, and the folders behind the links of a mounted Kubernetes ConfigMap. A link
    to a folder is followed, each folder once.
    """
    listing, found = Listing(), dict[Path, None]()
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except OSError as error:
            listing.wrong.append((path, error))
            continue
        found.update(dict.fromkeys(_below(path, listing) if is_folder else [path]))
    listing.files = list(found)
    return listing


def is_folder(path: Path) -> bool:
    """Tell whether this is a folder, or a link to one; what cannot be looked at is none."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False


def _below(top: Path, listing: Listing) -> list[Path]:
    folders, seen, files, left = [top], set[tuple[int, int]](), list[Path](), FOLDER_ENTRIES
    while folders and left > 0:
        folder = folders.pop()
        try:
            entries, at = list(os.scandir(folder)), folder.stat()
        except OSError as error:
            listing.wrong.append((folder, error))
            continue
        if (at.st_dev, at.st_ino) in seen:
            continue
        seen.add((at.st_dev, at.st_ino))
        left -= len(entries)
        for entry in sorted(entries, key=lambda each: each.name, reverse=True):
            if entry.name.startswith(".") or entry.name == _LEFT_ALONE:
                continue
            path = folder / entry.name
            if entry.name.endswith(".yaml"):
                files.append(path)  # also what is none, such as a folder: reading it says so
            elif _is_folder(entry, listing):
                folders.append(path)
            elif entry.name.endswith(".yml"):
                listing.strays.append(path)
    if left <= 0:
        why = f"more than {FOLDER_ENTRIES:,} files and folders below it; name the one that is meant"
        listing.wrong.append((top, OSError(0, why)))
    return sorted(files)


def _is_folder(entry: "os.DirEntry[str]", listing: Listing) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        listing.wrong.append((Path(entry.path), error))
        return False
