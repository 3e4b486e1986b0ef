"""Notes how many rules and fleets each file had when it was read, and finds what has vanished since by accident.

A folder that is empty, missing or half replaced looks as if all of its rules had been removed on purpose, and every
alert would end. So the hub believes that only where a file that still exists says so.
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
    """How many rules or devices each file has, by its absolute path; `blank` are files with nothing in them.

    None: the file does not speak of rules, such as one with receivers. 0: it says that there are none.
    """

    files: Mapping[str, int | None] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()
    roots: Mapping[str, str] = field(default_factory=dict)
    """What the settings name → what stands there: "rule" or "fleet"."""

    def dumps(self) -> str:
        """Write it as JSON; the store keeps it for the next start."""
        return orjson.dumps(dict(self.files)).decode()

    @classmethod
    def loads(cls, text: str) -> "Written":
        """Read what `dumps` wrote; an empty text, before the first start, gives an empty note."""
        return cls(orjson.loads(text)) if text else cls()

    def below(self, root: str) -> dict[str, int | None]:
        """Return the files that a path names: itself, or those below the folder."""
        top = _absolute(root)
        inside = top.rstrip("/") + "/"
        return {path: count for path, count in self.files.items() if path == top or path.startswith(inside)}


def written_below(
    rules: Iterable[Path], fleets: Iterable[Path], places: Mapping[str, int | None], bare: Mapping[str, bool]
) -> Written:
    """Note how much each file had; `bare` are files without any value, True where not even a comment is in them."""
    hollow = {path: 0 for path, blank in bare.items() if not blank}
    files = {_absolute(path): count for path, count in {**places, **hollow}.items()}
    blank = frozenset(_absolute(path) for path, blank in bare.items() if blank)
    roots = {**{str(root): "fleet" for root in fleets}, **{str(root): "rule" for root in rules}}
    return Written(files, blank, roots)


def vanished(before: Written, after: Written) -> list[Problem]:
    """Name what is gone though nobody can have meant it; the caller then keeps all rules as they were.

    One file of several may go, and a file may have fewer rules than before: somebody has done that on purpose.
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
    """Tell whether a file still has rules, is one that had some, or says that there are none."""
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
    """Return a path that does not depend on the working folder; links are kept, because deployments swap them."""
    return str(Path(path).absolute())


def _shown(path: str) -> str:
    """Return a path as people write it: relative, if it is below the working folder."""
    below = os.path.relpath(path)
    return path if below.startswith("..") else below
