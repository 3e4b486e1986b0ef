"""Reads a .proto file as far as a message on the wire needs it: no compiler, no generated code.

Messages, enumerations, fields, `oneof` and maps become descriptors. Options, services, extensions, reserved names and
comments are skipped; protobuf keeps what it does not know apart. A `group` is refused. The result goes to Google's
runtime, which resolves the names of types and checks the rest.
"""

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["BadProto", "parse_proto"]

_TOKEN = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*.*?\*/)|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<word>\.?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<number>[-+]?[0-9][\w.]*)|(?P<sign>[-+{}\[\]()<>=;,:/.])""",
    re.DOTALL | re.ASCII,
)
_KINDS = (
    "double float int64 uint64 int32 fixed64 fixed32 bool string group message"
    " bytes uint32 enum sfixed32 sfixed64 sint32 sint64"
)
_SCALARS = {n: k for k, n in enumerate(_KINDS.split(), 1) if n not in ("group", "message", "enum")}
_SKIPPED = frozenset({"option", "reserved", "extensions"})
_LABELS = {"optional": 1, "required": 2, "repeated": 3}
_CLOSING = {"{": "}", "[": "]", "(": ")", "<": ">"}
_DEPTH = 32


class BadProto(Exception):
    """What is wrong with a .proto file; `line` counts from 1, 0 where no line is meant."""

    def __init__(self, message: str, line: int = 0) -> None:
        """Say what, and where."""
        super().__init__(message)
        self.line = line


def parse_proto(text: str, name: str, descriptor: Any) -> Any:
    """Return the FileDescriptorProto of a file; `descriptor` is Google's module descriptor_pb2.

    Raises:
        BadProto: it is broken.

    """
    return _Parser(text, descriptor).file(name)


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    at, line = 0, 1
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadProto(f"{text[at]!r} does not belong here", line)
        if found.lastgroup != "blank":
            yield found[0], line
        line += found[0].count("\n")
        at = found.end()
    yield "", line


class _Parser:
    def __init__(self, text: str, descriptor: Any) -> None:
        self._tokens, self._d = _tokens(text.removeprefix("\ufeff")), descriptor
        self._edition = self._proto3 = False
        self._depth = _DEPTH
        self.symbol, self.line = next(self._tokens)

    # tokens

    def next(self) -> str:
        symbol = self.symbol
        if not symbol:
            raise BadProto("the file ends where more is needed", self.line)
        self.symbol, self.line = next(self._tokens)
        return symbol

    def accept(self, symbol: str) -> bool:
        if self.symbol != symbol:
            return False
        self.next()
        return True

    def expect(self, symbol: str) -> None:
        if not self.accept(symbol):
            raise BadProto(f"{symbol!r} is needed before {self.symbol or 'the end'!r}", self.line)

    def word(self) -> str:
        symbol = self.next()
        if not re.match(r"\.?[A-Za-z_]", symbol):
            raise BadProto(f"a name is needed, not {symbol!r}", self.line)
        return symbol

    def quoted(self) -> str:
        symbol = self.next()
        if symbol[0] not in "\"'":
            raise BadProto(f"a text in quotes is needed, not {symbol!r}", self.line)
        return symbol[1:-1]

    def number(self) -> int:
        line, symbol = self.line, self.next()
        if symbol in ("-", "+"):
            symbol += self.next()
        try:
            return int(symbol, 8) if re.fullmatch(r"[-+]?0[0-7]+", symbol) else int(symbol, 0)
        except ValueError:
            raise BadProto(f"a number is needed, not {symbol!r}", line) from None

    def skip(self) -> None:
        """Leave out a statement: up to its `;`, or to the end of its block."""
        while True:
            symbol = self.next()
            if symbol == ";":
                return
            if symbol in _CLOSING:
                self._block(symbol)
                if symbol == "{":
                    self.accept(";")
                    return

    def _block(self, opening: str) -> None:
        waiting = [_CLOSING[opening]]
        while waiting:
            symbol = self.next()
            if symbol == waiting[-1]:
                waiting.pop()
            elif symbol in _CLOSING and symbol != "<":
                waiting.append(_CLOSING[symbol])

    # statements

    def file(self, name: str) -> Any:
        made = self._d.FileDescriptorProto(name=name)
        while self.symbol:
            self._statement(made)
        made.syntax = "proto3" if self._proto3 else "proto2"
        return made

    def _statement(self, made: Any) -> None:
        word = self.next()
        if word in ("syntax", "edition"):
            self.expect("=")
            version = self.quoted()
            self._edition = word == "edition"
            self._proto3 = self._edition or version == "proto3"
            self.expect(";")
        elif word == "package":
            made.package = self.word()
            self.expect(";")
        elif word == "import":
            if self.symbol in ("public", "weak"):
                self.next()
            made.dependency.append(self.quoted())
            self.expect(";")
        elif word == "message":
            self._message(made.message_type.add())
        elif word == "enum":
            self._enum(made.enum_type.add())
        elif word in ("option", "service", "extend"):
            self.skip()
        elif word != ";":
            raise BadProto(f"{word!r} begins no statement of a .proto file", self.line)

    def _message(self, made: Any) -> None:
        made.name = self.word()
        self._depth -= 1
        if self._depth < 0:
            raise BadProto(f"messages nested deeper than {_DEPTH}", self.line)
        self.expect("{")
        optional: list[Any] = []
        while not self.accept("}"):
            self._member(made, optional)
        for field in optional:  # a field that may be absent is, on the wire's other side, a oneof of its own
            field.oneof_index, field.proto3_optional = len(made.oneof_decl), True
            made.oneof_decl.add(name=f"_{field.name}")
        self._depth += 1

    def _member(self, made: Any, optional: list[Any]) -> None:
        if self.symbol in (";", *_SKIPPED, "extend"):
            if not self.accept(";"):
                self.skip()
            return
        word = self.word()
        if word == "message" and self.symbol != "=":
            self._message(made.nested_type.add())
        elif word == "enum":
            self._enum(made.enum_type.add())
        elif word == "oneof":
            self._oneof(made)
        elif word == "map" and self.symbol == "<":
            self._map(made)
        else:
            label = _LABELS.get(word)
            field = self._field(made, self.word() if label else word)
            field.label = label or 1
            if self._proto3 and (label == 1 or (self._edition and label is None)) and not field.HasField("oneof_index"):
                optional.append(field)

    def _field(self, made: Any, kind: str) -> Any:
        if kind == "group":
            raise BadProto("a group cannot be read; a message can", self.line)
        field = made.field.add(name=self.word(), label=1)
        self._typed(field, kind)
        self.expect("=")
        field.number = self.number()
        if self.accept("["):
            self._block("[")
        self.expect(";")
        return field

    @staticmethod
    def _typed(field: Any, kind: str) -> None:
        if kind in _SCALARS:
            field.type = _SCALARS[kind]
        else:
            field.type_name = kind

    def _oneof(self, made: Any) -> None:
        index = len(made.oneof_decl)
        made.oneof_decl.add(name=self.word())
        self.expect("{")
        while not self.accept("}"):
            if self.symbol == "option":
                self.skip()
            else:
                self._field(made, self.word()).oneof_index = index

    def _map(self, made: Any) -> None:
        self.expect("<")
        key = self.word()
        self.expect(",")
        value = self.word()
        self.expect(">")
        name = self.word()
        entry = made.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        for number, (part, kind) in enumerate((("key", key), ("value", value)), 1):
            self._typed(entry.field.add(name=part, number=number, label=1), kind)
        self.expect("=")
        made.field.add(name=name, number=self.number(), label=3, type_name=entry.name)
        if self.accept("["):
            self._block("[")
        self.expect(";")

    def _enum(self, made: Any) -> None:
        made.name = self.word()
        self.expect("{")
        while not self.accept("}"):
            if self.symbol == "option":
                made.options.allow_alias = True
            if self.symbol in _SKIPPED:
                self.skip()
            elif not self.accept(";"):
                name = self.word()
                self.expect("=")
                made.value.add(name=name, number=self.number())
                if self.accept("["):
                    self._block("[")
                self.expect(";")
