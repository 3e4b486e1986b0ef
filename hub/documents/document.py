"""Reads a YAML file into values that know their place; `config`, `rules` and `devices` read their files with it.

YAML 1.2 core scalars (`on`, `no`, `02:00` and `012a` stay text), no aliases, no tags but `!env NAME` and `!file PATH`,
which fetch secrets. Every mistake becomes a Problem with file:line:column; nothing that a user writes raises an error.
"""

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hub.documents.listing import list_yaml
from hub.documents.scalar import place
from hub.documents.secret import Secret, Unset
from hub.documents.yaml_hints import quoted, yaml_hint, yaml_oddity
from hub.errors import Problem
from hub.limits import DOCUMENT_BYTES, DOCUMENT_DEPTH

__all__ = ["Node", "Problems", "parse_document", "read_document", "yaml_files"]

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_NO_WORD = "a key must be a word"
_ALIAS = "write the value out; text that begins with * must be quoted"
_REMEDIES = {
    errno.EACCES: "let the user that the hub runs as read it",
    errno.EPERM: "let the user that the hub runs as read it",
    errno.EISDIR: "a folder has the name of a file: give it another, or remove it",
    errno.ESPIPE: "put a file in its place",
    errno.ELOOP: "links lead in a circle: mend them",
}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Node:
    """A value and its place. `value` is a scalar, a Secret, a list of Nodes or a dict of Nodes by key text.

    `text` is a scalar's text, `style` YAML's sign for how it was written, `source` and `start` where (see scalar.py);
    `keys` holds the place of each key of a mapping.
    """

    value: Any
    path: str
    line: int
    column: int
    text: str = ""
    style: str = ""
    source: str = field(default="", repr=False)
    start: int = 0
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)

    def problem(self, message: str, hint: str = "", excerpt: str = "", offset: int | None = None) -> Problem:
        """Make a Problem at this place, or where the character `text[offset]` of a scalar was written."""
        line, column = self.line, self.column
        if offset is not None and self.source:
            below, column = place(self.source, self.start, self.style, self.text, offset)
            line, column = line + below, column + (1 if below else self.column - (self.style in ("'", '"')))
        return Problem(self.path, line, column, message, hint, excerpt)

    def key_problem(self, key: str, message: str, hint: str = "") -> Problem:
        """Make a Problem at one of this mapping's keys."""
        line, column = self.keys.get(key, (self.line, self.column))
        return Problem(self.path, line, column, message, hint)

    @property
    def comment(self) -> bool:
        """Tell whether the value is missing because YAML takes it for a comment: `topic: #`."""
        rest = self.source[self.start :].split("\n", 1)[0]
        return self.value is None and rest.lstrip().startswith("#")

    def plain(self) -> Any:
        """Return the value without places, all the way down."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


class Problems(list[Problem]):
    """The problems that were found so far, in all files."""

    def __init__(self, found: Iterable[Problem] = (), *, secrets: bool = True) -> None:
        """Begin with these problems; without `secrets`, the secrets of `!env` and `!file` need not exist."""
        super().__init__(found)
        self.secrets = secrets
        self.harmless: set[Problem] = set()
        """Problems that hide nothing: the whole file could be read, except a secret or a key that stands twice."""
        self.bare: dict[str, bool] = {}
        """Files without any value, which is no problem by itself; True: there is not even a comment in the file."""

    def hide(self, before: int) -> bool:
        """Tell whether any problem after the first `before` ones kept a part of a file from being read."""
        return any(problem not in self.harmless for problem in self[before:])

    def add_harmless(self, problem: Problem) -> None:
        """Add a problem that hides nothing."""
        self.append(problem)
        self.harmless.add(problem)


class _Refused(Exception):  # a way out of the builder, not an error that leaves this module
    def __init__(self, mark: Any, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.mark, self.message, self.hint = mark, message, hint


def yaml_files(paths: Iterable[Path], problems: Problems, tables: Iterable[Path] = ()) -> list[Path]:
    """Return the files that paths name or hold, as `list_yaml` finds them; what cannot be looked at is a problem."""
    listing = list_yaml(paths, tables)
    for path, error in listing.wrong:
        if isinstance(error, FileNotFoundError):
            problems.append(Problem(_name(path), 0, 0, "no such file or folder"))
        else:
            problems.append(_unreadable(path, error))
    return listing.files


def _name(path: Path) -> str:
    """Return a path as text that can be written down: Linux takes any bytes for a name."""
    return str(path).encode(errors="surrogateescape").decode(errors="replace")


def _unreadable(path: Path, error: OSError) -> Problem:
    hint = _REMEDIES.get(error.errno or 0, "")
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        hint = "it is a link to what is not there: mend it, or remove it"
    return Problem(_name(path), 0, 0, f"cannot be read: {error.strerror or error}", hint)


def _read(path: Path) -> bytes:
    """Read a file, up to one byte more than allowed; never wait at a pipe, except at one that a shell has made.

    Raises:
        OSError: it cannot be read.

    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # to open a pipe would wait for somebody to write to it
    try:
        mode = os.fstat(number).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if stat.S_ISFIFO(mode) and not str(path).startswith(("/dev/", "/proc/")):  # <(…) and /dev/stdin have an end
            raise OSError(errno.ESPIPE, "it is a pipe, no file")
        os.set_blocking(number, True)
        with os.fdopen(number, "rb", closefd=False) as file:
            return file.read(DOCUMENT_BYTES + 1)  # not all of it: /dev/zero has no size and no end
    finally:
        os.close(number)


def read_document(path: Path, problems: Problems) -> Node | None:
    """Read one file; None with at least one more problem where it cannot be read, None alone where it is empty.

    A secret that is not set and a key that stands twice are problems too, but the rest is read: so look into `problems`
    before using the result.
    """
    name = _name(path)
    try:
        data = _read(path)
    except OSError as error:
        problems.append(_unreadable(path, error))
        return None
    if len(data) > DOCUMENT_BYTES:
        problems.append(Problem(name, 0, 0, f"larger than {DOCUMENT_BYTES >> 20} MB", "split it into several files"))
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problems.append(Problem(name, line, 1, "not UTF-8 text", "save the file as UTF-8"))
        return None
    before = len(problems)
    node = parse_document(text, name, problems)
    if node is None and len(problems) == before:
        problems.bare[name] = not text.strip()
    return node


def parse_document(text: str, path: str, problems: Problems) -> Node | None:
    """Read a text as `read_document` reads a file; `path` is the name of the file in problems."""
    before = len(problems)
    try:
        node = _Builder(path, problems).build(text)
    except _Refused as error:
        line, column = error.mark.line + 1, error.mark.column + 1
        jinja = yaml_hint(text, line) if error.message == _NO_WORD else ""
        problems.append(Problem(path, line, column, error.message, jinja if "Jinja" in jinja else error.hint))
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if "nesting depth" in str(error.problem):  # PyYAML has a bound of its own since 6.0.4
            problems.append(Problem(path, line, column, f"nested deeper than {DOCUMENT_DEPTH}"))
            return None
        if strange := yaml_oddity(text, line):
            line, column, called, remedy = strange
            problems.append(Problem(path, line, column, f"not YAML: {called}", remedy))
            return None
        begun = error.context_mark
        since = f"{error.context} that begins in line {begun.line + 1}" if begun and begun.line + 1 != line else ""
        hint = yaml_hint(text, line) or since
        problems.append(Problem(path, line, column, f"not YAML: {error.problem or error.context}", hint))
        return None
    except yaml.reader.ReaderError as error:
        before_it = text[: max(0, text.find(chr(error.character)))]  # the position counts bytes, or characters
        line, column = before_it.count("\n") + 1, len(before_it) - before_it.rfind("\n")
        problems.append(Problem(path, line, column, f"not YAML: it holds the character U+{error.character:04X}"))
        return None
    return None if problems.hide(before) else node


class _Builder:
    """Builds Nodes from parser events; aliases and depth are refused before anything could explode."""

    def __init__(self, path: str, problems: Problems) -> None:
        self.path, self.problems, self.source = path, problems, ""
        self.events: Iterator[Any] = iter(())

    def build(self, text: str) -> Node | None:
        self.source, self.events = text, yaml.parse(text, Loader=_LOADER)
        root = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _Refused(event.start_mark, "a second document in one file", "remove the line ---")
                root = self.node(next(self.events), 0)
                root.source = root.source or text
        return root if root is None or root.value is not None else None

    def node(self, event: Any, depth: int) -> Node:
        if depth > DOCUMENT_DEPTH:
            raise _Refused(event.start_mark, f"nested deeper than {DOCUMENT_DEPTH}")
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(event.start_mark, f"aliases are not read: *{event.anchor}", _ALIAS)
        mark = event.start_mark
        node = Node(None, self.path, mark.line + 1, mark.column + 1)
        if isinstance(event, yaml.ScalarEvent):
            self.scalar(event, node)
        elif event.tag is not None:
            raise _Refused(mark, f"unknown tag {event.tag}")
        elif isinstance(event, yaml.SequenceStartEvent):
            node.value = []
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                node.value.append(self.node(item, depth + 1))
        else:
            self.mapping(node, depth)
        return node

    def mapping(self, node: Node, depth: int) -> None:
        node.value = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or event.tag not in (None, "!"):
                raise _Refused(event.start_mark, _NO_WORD, "quote it if it begins with { or [ or !")
            key: str = event.value
            mark: Any = event.start_mark
            value = self.node(next(self.events), depth + 1)
            if key in node.value:
                first = node.keys[key][0]
                message = f"key {key!r} stands twice, first in line {first}"
                self.problems.add_harmless(Problem(self.path, mark.line + 1, mark.column + 1, message, "remove one"))
                continue
            node.value[key] = value
            node.keys[key] = (mark.line + 1, mark.column + 1)

    def scalar(self, event: Any, node: Node) -> None:
        node.text = text = event.value
        plain = event.style in (None, "") and event.tag is None
        if event.tag in ("!env", "!file"):
            node.value = self.fetch(event, text)
        elif event.tag is not None and event.tag != "!":
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            hint = f"text that begins with ! must be quoted: {quoted(f'{tag} {text}'.strip())}"
            raise _Refused(event.start_mark, f"unknown tag {tag}", hint)
        else:
            node.value = _core(text) if plain else text
        node.style, node.source, node.start = event.style or "", self.source, event.start_mark.index
        if node.style in ("'", '"'):
            node.column += 1

    def fetch(self, event: Any, text: str) -> Secret:
        """Return the secret that a tag names; where it does not exist, an Unset, so that the rest can be read."""
        if event.tag == "!env":
            if text in os.environ:
                return Secret(os.environ[text])
            return self.unset(event, f"environment variable {text} is not set", f"export {text}=… first")
        path = Path(self.path).parent / text
        try:
            return Secret(_read(path).decode().replace("\r\n", "\n").replace("\r", "\n").rstrip("\n"))
        except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a name that no file can have
            why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            return self.unset(event, f"file {path} cannot be read: {why}")

    def unset(self, event: Any, message: str, hint: str = "") -> Secret:
        mark = event.start_mark
        if self.problems.secrets:
            self.problems.add_harmless(Problem(self.path, mark.line + 1, mark.column + 1, message, hint))
        return Unset(f"{event.tag} {event.value}")  # each its own: two tokens that are not set are not one and the same


def _core(text: str) -> Any:
    """Resolve a plain scalar by the YAML 1.2 core schema (yaml.org/spec/1.2.2, 10.3.2)."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        if len(text) > 20:
            return text
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return text if number in (float("inf"), float("-inf")) else number
    return text
