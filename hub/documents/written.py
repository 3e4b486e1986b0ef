"""What stood in which file when rules and fleets were read, and what has vanished since without anybody saying so.

A folder that is emptied, not there or half swapped looks as if all of its rules had been removed on purpose: every
alert would end. So the hub believes it only where a file that still stands says it.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from hub.errors import Problem

__all__ = ["Written", "vanished", "written_below"]

_REMEDIES = {
    "rule": "put them back; to remove them all, let a file there say so: rules: []",
    "fleet": "put them back; to remove them all, leave a comment in one of the files",
}


@dataclass(frozen=True, slots=True)
class Written:
    """How much stands in each file, by its absolute path; `blank` are files with nothing in them.

    None: the file says nothing of rules, such as one with receivers. 0: it says that there are none.
    """

    files: Mapping[str, int | None] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()
    roots: Mapping[str, str] = field(default_factory=dict)
    """What the settings name → what stands there: "rule" or "fleet"."""

    def dumps(self) -> str:
        """Write what the next start is to know."""
        return orjson.dumps(dict(self.files)).decode()

    @classmethod
    def loads(cls, text: str) -> "Written":
        """Read it again; nothing is known where it was never written."""
        return cls(orjson.loads(text)) if text else cls()

    def below(self, root: str) -> dict[str, int | None]:
        """Return the files that a path names or holds."""
        top = _absolute(root)
        inside = top.rstrip("/") + "/"
        return {path: count for path, count in self.files.items() if path == top or path.startswith(inside)}


def written_below(
    rules: Iterable[Path], fleets: Iterable[Path], places: Mapping[str, int | None], bare: Mapping[str, bool]
) -> Written:
    """Note what was read: how much in each file; `bare` are those without any value, True where they are blank."""
    hollow = {path: 0 for path, blank in bare.items() if not blank}
    files = {_absolute(path): count for path, count in {**places, **hollow}.items()}
    blank = frozenset(_absolute(path) for path, blank in bare.items() if blank)
    roots = {**{str(root): "fleet" for root in fleets}, **{str(root): "rule" for root in rules}}
    return Written(files, blank, roots)


def vanished(before: Written, after: Written) -> list[Problem]:
    """Say what is no longer there, and nobody can have meant that: then all stays as it was before.

    One file of several may go, and a file may say less than before: somebody did that.
    """
    emptied = [_emptied(path) for path in sorted(after.blank & before.files.keys())]
    if emptied or _total(after.files) >= _total(before.files):  # such as where a file has moved to another folder
        return emptied
    return [
        Problem(root, 0, 0, _lost(had, noun), _REMEDIES[noun])
        for root, noun in after.roots.items()
        if (had := {file: count for file, count in before.below(root).items() if count})
        and not _says_so(after.below(root), had)
    ]


def _says_so(now: Mapping[str, int | None], had: Mapping[str, int | None]) -> bool:
    """Tell whether a file still has something, or is one that has had something, or says that there is nothing."""
    return any(count is not None or path in had for path, count in now.items())


def _emptied(path: str) -> Problem:
    hint = "write it anew; to remove what stood in it, remove the file, or leave a comment in it"
    return Problem(_shown(path), 0, 0, "is empty, and was not before", hint)


def _lost(had: Mapping[str, int | None], noun: str) -> str:
    return f"had {_counted(_total(had), noun)} in {_counted(len(had), 'file')}, and has none now"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"


def _total(files: Mapping[str, int | None]) -> int:
    return sum(filter(None, files.values()))


def _absolute(path: str) -> str:
    """Return a path that does not depend on the working folder; links stay as they are, they may be swapped."""
    return str(Path(path).absolute())


def _shown(path: str) -> str:
    """Return a path below the working folder as people write it."""
    below = os.path.relpath(path)
    return path if below.startswith("..") else below
