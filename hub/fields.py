"""Reads a mapping of a document key by key: types, defaults, "did you mean", all problems at once.

section = Section(node, problems, "receiver", TABLE)
url = section.take(URL)            # a Key of the table (declared.py)
section.finish()                   # what was not taken is an unknown key

A plug-in may also take keys that it has not declared: `section.take("url", text, "")`. They are read and checked in
the same way; only the schema lacks them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast, overload

from hub.documents.declared import Convert, Key, KeyTable, late
from hub.documents.document import Node, Problems
from hub.documents.duration import parse_duration
from hub.documents.nearest import nearest
from hub.documents.secret import Secret, Unset
from hub.documents.value_schema import SPAN, TEXT, list_schema, schema_of, with_schema
from hub.errors import Problem
from hub.printable import first_odd, odd, plain

__all__ = [
    "Bad",
    "Convert",
    "Key",
    "KeyTable",
    "Section",
    "ToldElsewhere",
    "boolean",
    "did_you_mean",
    "duration",
    "integer",
    "late",
    "list_of",
    "number",
    "one_of",
    "secret",
    "text",
]

T = TypeVar("T")
_ABSENT: Any = object()


class Bad(Exception):  # reads as "raise Bad(node, …)"; it never leaves a Section
    """A value is not what its key asks for; a Section turns it into a Problem."""

    def __init__(self, node: Node, message: str, hint: str = "") -> None:
        """Keep the problem, at the node's place."""
        super().__init__(message)
        self.told = isinstance(node.value, Unset)
        """Whether the problem is told already: for a secret that is not set, the document has told it."""
        self.problem = node.problem(message, hint)
        self.more: list[Problem] = []
        """The problems of the other items of a list."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?`, or nothing where no known word is near."""
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else ""


class ToldElsewhere(Bad):  # as Bad
    """A value cannot be read, and a problem elsewhere says why: a name of a file that cannot be read, say."""

    def __init__(self, node: Node) -> None:
        """Be told already, so that the Section adds no problem."""
        super().__init__(node, "")
        self.told = True


class Unfit(Bad):  # of another kind than asked for: that is wrong whatever the secret is
    """A value is of the wrong kind."""

    def __init__(self, node: Node, message: str, hint: str = "") -> None:
        """Keep the problem; a wrong kind is told even where the value is a secret that is not set."""
        super().__init__(node, message, hint)
        self.told = False


class Section:
    """A mapping being read. Every key that is taken is known; `finish` reports the others."""

    def __init__(self, node: Node, problems: Problems, what: str, table: KeyTable | None = None) -> None:
        """Begin with a mapping; `what` names it in messages. Anything but a mapping is a problem and reads as empty.

        With a `table` only keys that it declares can be taken, so that what is read is what the schema has.
        """
        self.node, self.problems, self.what, self.table = node, problems, what, table
        self.known: set[str] = set()
        self.foreign: Mapping[str, str] = {}
        """Keys of other tools, each with a hint what to write here."""
        self.values: dict[str, Node] = {}
        self.is_mapping = node.value is None or isinstance(node.value, dict)
        """Else that alone is told, and no key is missed."""
        if isinstance(node.value, dict):
            self.values = node.value
        elif node.value is not None:
            hint = "write a space behind the colon" if ":" in node.text else ""
            self.report(node.problem(f"{what} must be a mapping (key: value), not {kind(node)}", hint))

    def report(self, problem: Problem) -> None:
        """Add a problem."""
        self.problems.append(problem)

    def __contains__(self, key: str | Key[Any]) -> bool:
        return (key.name if isinstance(key, Key) else key) in self.values

    def get(self, key: str | Key[Any]) -> Node | None:
        """Take a key's node as it is; None where it is absent or null.

        Raises:
            KeyError: the section's table does not declare the key: a mistake in the hub, not of who wrote the file.

        """
        if isinstance(key, str):
            name = key
        else:
            name = key.name
            if self.table is not None and self.table.keys.get(name) is not key:
                raise KeyError(f"{name!r} is not declared in the table {self.table.title!r}")
        self.known.add(name)
        node = self.values.get(name)
        return None if node is None or node.value is None else node

    @overload
    def take(self, key: Key[T], convert: Convert[T] | None = None, default: T = _ABSENT) -> T: ...
    @overload
    def take(self, key: str, convert: Convert[T], default: T) -> T: ...
    def take(self, key: str | Key[T], convert: Convert[T] | None = None, default: T = _ABSENT) -> T:
        """Take a key's converted value, or the default where it is absent or has a problem (then reported).

        A declared key brings its reader and default; another one of either is for what is known only here (the names
        that an expression may use, what `defaults` say). A required key that is absent is a problem.
        """
        node = self.get(key)
        if isinstance(key, Key):
            convert = convert or key.convert
            default = key.default if default is _ABSENT else default
            if node is None and key.required:
                self._miss(key.name)
        if node is None:
            return default
        try:
            return cast("Convert[T]", convert)(node)
        except Bad as error:
            for problem in () if error.told else (error.problem, *error.more):
                self.report(problem)
            return default

    def need(self, key: Key[Any]) -> None:
        """Report a key that is absent though another key needs it; `take` reads it as always."""
        self._miss(key.name)

    def require(self, key: str, convert: Convert[T], default: T) -> T:
        """Take an undeclared key, as `take` does, with a problem where it is absent."""
        self._miss(key)
        return self.take(key, convert, default)

    def _miss(self, key: str) -> None:
        if self.is_mapping and (key not in self.values or self.values[key].value is None):
            self.report(self._missing(key))

    def _missing(self, key: str) -> Problem:
        node = self.values.get(key)
        hint = "what begins with # is a comment: quote it" if node is not None and node.comment else ""
        return self.node.problem(f"{self.what} needs the key '{key}'", hint)

    def finish(self) -> None:
        """Report every key that nobody took."""
        for key in self.values:
            if key not in self.known:
                hint = self._meant(key)
                self.report(self.node.key_problem(key, f"unknown key {key!r} in {self.what}", hint))

    def _meant(self, key: str) -> str:
        at = first_odd(key)
        if at >= 0:
            return f"it holds {odd(key[at])[0]}: write {plain(key).strip()!r}"
        near = did_you_mean(key, self.known)
        return self.foreign.get(key) or near or f"known keys: {', '.join(sorted(self.known))}"


def kind(node: Node) -> str:
    """Name what a node is, for messages."""
    value = node.value
    names = {dict: "a mapping", list: "a list", bool: "true/false", int: "a number", float: "a number", str: "text"}
    return "nothing" if value is None else names.get(type(value), "a secret")


@with_schema(TEXT)
def text(node: Node) -> str:
    """Text; a number counts as the text it was written as."""
    if isinstance(node.value, (str, int, float)):
        return node.text
    names = list(node.value) if isinstance(node.value, dict) else []
    begun = names and all(item.value is None for item in node.value.values())
    hint = f'quote text that begins with a brace: "{{{", ".join(names)}}}"' if begun else ""
    raise Unfit(node, f"must be text, not {kind(node)}", hint)


@with_schema(TEXT)
def secret(node: Node) -> Secret:
    """Read a text that must never be shown, from `!env`, `!file` or written out."""
    return node.value if isinstance(node.value, Secret) else Secret(text(node))


@with_schema({"type": "boolean"})
def boolean(node: Node) -> bool:
    """Read true or false."""
    if isinstance(node.value, bool):
        return node.value
    raise Unfit(node, f"must be true or false, not {node.text or kind(node)!r}")


@with_schema({"type": "number"})
def number(node: Node) -> float:
    """Read any number; true and false are none."""
    if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return float(node.value)
    raise Unfit(node, f"must be a number, not {kind(node)}")


def integer(low: int, high: int) -> Convert[int]:
    """Make a reader of a whole number from low to high."""

    @with_schema({"type": "integer", "minimum": low, "maximum": high})
    def convert(node: Node) -> int:
        if not isinstance(node.value, int) or isinstance(node.value, bool):
            raise Unfit(node, f"must be a whole number, not {kind(node)}")
        if not low <= node.value <= high:
            raise Bad(node, f"must be from {low} to {high}, not {node.value}")
        return node.value

    return convert


@with_schema(SPAN)
def duration(node: Node) -> float:
    """Read a duration in seconds."""
    if isinstance(node.value, (int, float)) and not isinstance(node.value, bool) and node.value != 0:
        raise Bad(node, f"{node.text} of what?", "write a duration with its unit: 90s, 5m, 1h30m, 7d")
    try:
        return 0.0 if node.value == 0 and node.value is not False else parse_duration(text(node))
    except ValueError as error:
        raise Bad(node, str(error)) from None


def one_of(*words: str) -> Convert[str]:
    """Make a reader of one of these words."""

    @with_schema({"enum": list(words)})
    def convert(node: Node) -> str:
        word = text(node)
        if word not in words:
            raise Bad(node, f"must be one of {', '.join(words)}, not {word!r}", did_you_mean(word, words))
        return word

    return convert


def list_of(convert: Convert[T]) -> Convert[tuple[T, ...]]:
    """Make a reader of a list; a single value counts as a list of one. Every wrong item is a problem."""

    @with_schema(lambda: list_schema(schema_of(convert)))
    def convert_all(node: Node) -> tuple[T, ...]:
        items: list[Node] = node.value if isinstance(node.value, list) else [node]
        made: list[T] = []
        wrong: list[Bad] = []
        for item in items:
            try:
                made.append(convert(item))
            except Bad as error:
                wrong += [] if error.told else [error]
        if wrong:
            wrong[0].more += [error.problem for error in wrong[1:]]
            raise wrong[0]
        return tuple(made)

    return convert_all
