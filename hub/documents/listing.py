"""Which YAML files lie below the files and folders that settings name; `document` reads them, `watch` looks at them.

Nothing on a disk raises an error here: a folder that cannot be listed becomes a problem like any other. (pathlib's glob
would leave it out without a word, and its rules would seem to have been removed.)
"""

import enum
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hub.limits import FOLDER_ENTRIES

__all__ = ["Listing", "is_folder", "list_yaml"]

_ENDINGS = (".yaml", ".yml")
_TABLES = ".csv"
# editors' copies and locks, and what certainly is no text of ours
_NO_DOCUMENTS = ("~", ".swp", ".swo", ".tmp", ".md", ".py", ".db", ".gz", ".zip", ".png", ".svg", ".sh", ".pem", ".crt")
_NO_DOCUMENTS_BEFORE = (".#", "#", ".~", ".git")
_LEFT_ALONE = "lost+found"  # root's, at the top of each ext4 file system, and nobody else can list it


class _Kind(enum.Enum):
    FILE = enum.auto()
    FOLDER = enum.auto()
    STRAY = enum.auto()


@dataclass(slots=True)
class Listing:
    """The files, in order, each once; what could not be looked at, and why; files that are not read."""

    files: list[Path] = field(default_factory=list)
    wrong: list[tuple[Path, OSError]] = field(default_factory=list)
    strays: list[Path] = field(default_factory=list)
    """Other files in the folders, whose names might be those of documents: they are not read."""


def list_yaml(paths: Iterable[Path], tables: Iterable[Path] = ()) -> Listing:
    """Return the files: those named, and every `*.yaml` and `*.yml` below a folder that is named, each once.

    Below the folders that are also among `tables`, every `*.csv` too.

    Each folder's are in order of name.

    Hidden ones are left out: editors' locks, and the folders behind the links of a mounted Kubernetes ConfigMap. A link
    to a folder is followed, each folder once.
    """
    listing, found, with_tables = Listing(), dict[Path, None](), set(tables)
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except OSError as error:
            listing.wrong.append((path, error))
            continue
        found.update(dict.fromkeys(_below(path, listing, path in with_tables) if is_folder else [path]))
    listing.files = list(found)
    return listing


def is_folder(path: Path) -> bool:
    """Tell whether this is a folder, or a link to one; False where that cannot be found out."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False


def _below(top: Path, listing: Listing, tables: bool) -> list[Path]:
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
            kind = _kind(entry, listing)
            if tables and kind is _Kind.STRAY and entry.name.endswith(_TABLES) and not entry.name.startswith("."):
                kind = _Kind.FILE
            if kind is not None:
                {_Kind.FILE: files, _Kind.FOLDER: folders, _Kind.STRAY: listing.strays}[kind].append(
                    folder / entry.name
                )
    if left <= 0:
        why = f"more than {FOLDER_ENTRIES:,} files and folders below it; name the one that is meant"
        listing.wrong.append((top, OSError(0, why)))
    return sorted(files)


def _kind(entry: "os.DirEntry[str]", listing: Listing) -> _Kind | None:
    name = entry.name
    if name.startswith(".") or name == _LEFT_ALONE:
        return _Kind.STRAY if name.endswith(_ENDINGS) and _may_be_document(name) else None
    if name.endswith(".yaml"):
        return _Kind.FILE  # also what is none, such as a folder: reading it says so
    if _is_folder(entry, listing):
        return _Kind.FOLDER
    if name.endswith(_ENDINGS):
        return _Kind.FILE
    return _Kind.STRAY if _may_be_document(name) else None


def _may_be_document(name: str) -> bool:
    return not name.endswith(_NO_DOCUMENTS) and not name.startswith(_NO_DOCUMENTS_BEFORE)


def _is_folder(entry: "os.DirEntry[str]", listing: Listing) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        listing.wrong.append((Path(entry.path), error))
        return False
