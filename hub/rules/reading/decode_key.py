"""The value of a rule's key `decode`: a word, a mapping with options, or a list of both, applied in order."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hub.documents.document import Node, Problems
from hub.documents.value_schema import NAMES, Schema
from hub.fields import Bad, Convert, Key, KeyTable, Section, ToldElsewhere, did_you_mean, list_of, text
from hub.ingest.decoding.decoder import READERS, WRAPPERS, Decoder
from hub.ingest.decoding.packed import packed_reader, packed_struct, values_in
from hub.ingest.decoding.proto_text import BadProto
from hub.ingest.decoding.protobuf import EXTRA, MessageTypes, open_types
from hub.ingest.payload_reading import read_payload

__all__ = ["DECODE_SCHEMA", "decode_of"]

_WORDS = (*READERS, *WRAPPERS)
_PACKED: Key[str] = Key(
    "packed", text, "", "The payload's bytes as Python's struct writes them, with the order first.", "<hHB"
)


def _field(node: Node) -> str:
    name = text(node)
    if not name or not name.isprintable():
        raise Bad(node, "a field's name is printable characters")
    return name


_FIELDS: Key[tuple[str, ...]] = Key(
    "fields", list_of(_field), (), "A name for each of its values.", ["t", "co2", "cell"], schema=NAMES
)
_PROTOBUF: Key[str] = Key(
    "protobuf", text, "", "A .proto file beside the rules, or a set of descriptors.", "telemetry.proto"
)
_MESSAGE: Key[str] = Key("message", text, "", "The name of the message in it.", "acme.Telemetry")
_STEP = KeyTable(
    "a step of 'decode'",
    *(_PACKED, _FIELDS, _PROTOBUF, _MESSAGE),
    oneOf=[{"required": ["packed", "fields"]}, {"required": ["protobuf", "message"]}],
)
_KINDS: tuple[tuple[Key[Any], ...], ...] = ((_PACKED, _FIELDS), (_PROTOBUF, _MESSAGE))
_EACH: Schema = {"anyOf": [{"enum": list(_WORDS)}, _STEP.schema]}
DECODE_SCHEMA: Schema = {"anyOf": [*_EACH["anyOf"], {"type": "array", "minItems": 1, "items": _EACH}]}

_Step = tuple[str, Callable[[bytes], Any], bool]
"""What the user wrote, the function, and whether it gives a value (else bytes)."""


def decode_of(problems: Problems) -> Convert[Decoder]:
    """Make a reader of `decode`."""

    def convert(node: Node) -> _Step:
        if isinstance(node.value, dict):
            return _with_options(node, problems)
        word = text(node)
        if word in WRAPPERS:
            return word, WRAPPERS[word], False
        if word in READERS:
            return word, READERS[word], True
        raise Bad(node, f"no decoder {word!r}", _meant(word))

    def convert_all(node: Node) -> Decoder:
        steps = list_of(convert)(node)
        if node.value == []:
            raise Bad(node, "'decode' names no decoder", "leave it out: JSON, numbers and text are read without")
        parts = node.value if isinstance(node.value, list) else [node]
        if len(steps) < len(parts):
            raise ToldElsewhere(node)
        for (written, _, gives_value), part in zip(steps[:-1], parts[1:], strict=True):
            if gives_value:
                raise Bad(part, f"nothing can follow {written}: it gives a value, not bytes", "put it last")
        written, last, gives_value = steps[-1]
        wrappers = tuple(step for _, step, _ in (steps[:-1] if gives_value else steps))
        folder = str(Path(node.path).parent) if "protobuf" in written else ""
        return Decoder(", ".join(each for each, _, _ in steps), wrappers, last if gives_value else read_payload, folder)

    return convert_all


def _meant(word: str) -> str:
    if word.lower() in ("json", "text", "plain", "utf8", "utf-8", "string"):
        return "JSON, numbers and text are read without 'decode'"
    if word in ("protobuf", "proto"):
        return "write {protobuf: FILE.proto, message: NAME}"
    if word in ("packed", "struct"):
        return 'write {packed: "<hHB", fields: [t, co2, cell]}'
    return did_you_mean(word, _WORDS) or f"known: {', '.join(_WORDS)}, {{packed, fields}}, {{protobuf, message}}"


def _with_options(node: Node, problems: Problems) -> _Step:
    section, before = Section(node, problems, "a step of 'decode'", _STEP), len(problems)
    made: _Step | None = None
    packed, protobuf = ([key for key in keys if section.get(key) is not None] for keys in _KINDS)
    if packed and protobuf:
        hint = "a payload is one or the other"
        raise Bad(node, f"{packed[0].name!r} does not belong beside {protobuf[0].name!r}", hint)
    if packed:
        made = _packed(section)
    elif protobuf:
        made = _protobuf(section)
    else:
        words = [word for word in node.value if word in _WORDS]
        hint = f"write {words[0]}, without braces" if words else ""
        raise Bad(node, "a step of 'decode' needs 'packed' or 'protobuf'", hint)
    section.finish()
    if made is None or len(problems) > before:
        raise ToldElsewhere(node)
    return made


def _packed(section: Section) -> _Step | None:
    written, names = section.take(_PACKED), section.take(_FIELDS)
    place, named = section.get(_PACKED), section.get(_FIELDS)
    if place is None:
        section.report(section.node.problem("'packed' has no format", 'write packed: "<hHB"'))
        return None
    try:
        made = packed_struct(written)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        section.report(place.problem(f"{written!r} is no packed format: {message}", hint))
        return None
    if named is None:
        section.need(_FIELDS)
        return None
    number = values_in(made)
    if len(names) != number:
        hint = "x in the format skips a byte without a value"
        section.report(named.problem(f"{written!r} has {number} values, and 'fields' {len(names)} names", hint))
    elif len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        section.report(named.problem(f"the field {twice!r} stands twice"))
    return f"packed {written} {' '.join(names)}", packed_reader(made, names), True


def _protobuf(section: Section) -> _Step | None:
    file, name = section.take(_PROTOBUF), section.take(_MESSAGE)
    place, named = section.get(_PROTOBUF), section.get(_MESSAGE)
    if place is None or named is None:
        section.need(_PROTOBUF if place is None else _MESSAGE)
        return None
    try:
        types = open_types(Path(place.path).parent / file)
    except ImportError:
        section.report(place.problem("the package protobuf is not installed", EXTRA))
    except OSError as error:
        hint = "a path is relative to the folder of the rule file"
        section.report(place.problem(f"cannot read {file}: {(error.strerror or str(error)).lower()}", hint))
    except BadProto as error:
        section.report(place.problem(f"{file} cannot be used: {error}"))
    else:
        full = types.found(name)
        if full:
            return f"protobuf {file} {full}", types.reader(full), True
        section.report(named.problem(f"no message {name!r} in {file}", _known(name, types)))
    return None


def _known(name: str, types: MessageTypes) -> str:
    short = {re.sub(r".*\.", "", each): each for each in types.names}
    if name in short:
        return f"several have this name; write all of it, as {short[name]}"
    return did_you_mean(name, [*types.names, *short]) or f"it has: {', '.join(types.names[:20]) or 'none'}"
