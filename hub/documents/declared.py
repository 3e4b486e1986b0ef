"""A key of a file that users write, declared once: how it is read, its default, its words, its examples.

This one declaration gives the value (`Section.take`), the JSON Schema of the file (`hub schema`), the row in the docs'
table (a test compares them), and the sign by which `hub check` knows what kind of file it looks at.

    AGE = Key("age", duration, 3600.0, "How old a notification may get.", "1h")
    RETRY = KeyTable("retry", ATTEMPTS, AGE)

    section = Section(node, problems, "'retry'", RETRY)
    age = section.take(AGE)
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from hub.documents.document import Node
from hub.documents.value_schema import Schema, mapping_schema, schema_of

__all__ = ["Convert", "Key", "KeyTable", "late"]

T = TypeVar("T")
Convert = Callable[[Node], T]
LateSchema = Schema | Callable[[], Schema]
"""A schema, or a function that makes it when it is needed: the kinds of receivers depend on what is installed."""


def late(node: Node) -> Any:
    """Stand for a reader that is known only when the key is read: `section.take(KEY, convert)`."""
    raise TypeError(f"the reader of the key at {node.path}:{node.line} was not given")


class Key(Generic[T]):
    """One key of a mapping.

    `convert` reads its value and carries its schema. `schema` replaces that, for a key whose reader is known only when
    it is read (`late`), or that takes less than its reader. `words` is one sentence for people. `default` is the value
    where the key is absent; `usual` is how a user would write that, for the schema.
    """

    __slots__ = ("_schema", "convert", "default", "examples", "name", "required", "sign", "usual", "words")

    def __init__(
        self,
        name: str,
        convert: Convert[T],
        default: T,
        words: str,
        *examples: object,
        required: bool = False,
        schema: LateSchema | None = None,
        usual: object = None,
        sign: bool = True,
    ) -> None:
        """Declare the key; `sign`: a file with this key at its top can only be of this kind."""
        self.name, self.convert, self.default, self.words, self.examples = name, convert, default, words, examples
        self.required, self.usual, self.sign = required, usual, sign
        self._schema = schema

    def __repr__(self) -> str:
        return f"<Key {self.name}>"

    @property
    def schema(self) -> Schema:
        """Its part of the JSON Schema: title, description, what it takes, examples, default."""
        schema = self._schema
        value = schema_of(self.convert) if schema is None else schema() if callable(schema) else schema
        return {
            "title": self.name,
            "description": self.words,
            **value,
            **({"examples": list(self.examples)} if self.examples else {}),
            **({} if self.usual is None else {"default": self.usual}),
        }


class KeyTable:
    """The keys that one kind of mapping may have, and no others; `more` is what its schema adds to them."""

    __slots__ = ("keys", "more", "title", "words")

    def __init__(self, title: str, *keys: Key[Any], words: str = "", **more: Any) -> None:
        """Declare the keys; `title` names the mapping for editors, `words` says what a file of this kind is for."""
        self.title, self.words, self.more = title, words, more
        self.keys: Mapping[str, Key[Any]] = {key.name: key for key in keys}
        if len(self.keys) < len(keys):
            raise ValueError(f"a key of {title!r} is declared twice")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, Key) and self.keys.get(key.name) is key

    @property
    def schema(self) -> Schema:
        """The JSON Schema of the mapping."""
        properties = {name: key.schema for name, key in self.keys.items()}
        required = [name for name, key in self.keys.items() if key.required]
        described = {"description": self.words} if self.words else {}
        return {**described, **mapping_schema(self.title, properties, required), **self.more}

    @property
    def signs(self) -> frozenset[str]:
        """The keys by which a file of this kind is known."""
        return frozenset(name for name, key in self.keys.items() if key.sign)
