"""`protobuf`: bytes become the fields of a message that a .proto file, or a set of descriptors, describes.

The values are those of protobuf's JSON, but integers of 64 bits stay integers, bytes stay bytes, and names are as the
file has them. A number, text or truth that was not sent has its default, because proto3 does not send these; a field
that can be absent (a message, `optional`, of a `oneof`) is left out.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from hub.ingest.decoding.plain_values import ItemBudget, finite
from hub.ingest.decoding.proto_text import BadProto, parse_proto
from hub.ingest.payload_reading import Unreadable
from hub.limits import PROTO_BYTES

__all__ = ["EXTRA", "MessageTypes", "open_types"]

EXTRA = "pip install 'mqtt-notification-hub[protobuf]'"
_KNOWN = ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")
_PREFIX = "google/protobuf/"
_FLOATS = frozenset({1, 2})
_MESSAGE, _ENUM = 11, 14
_AS_JSON = frozenset({"google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask"})


class MessageTypes:
    """The messages of one file and of what it imports."""

    def __init__(self, files: Iterable[Any]) -> None:
        """Take FileDescriptorProtos, each behind those that it imports.

        Raises:
            BadProto: they do not fit together.

        """
        from google.protobuf.descriptor_pool import DescriptorPool  # noqa: PLC0415 - of an extra

        self._pool = DescriptorPool()
        self.names: list[str] = []
        """The full names of all messages."""
        for each in files:
            try:
                self._pool.AddSerializedFile(each.SerializeToString())
                self._pool.FindFileByName(each.name)
            except (TypeError, KeyError, ValueError) as error:
                raise BadProto(f"{each.name}: {_reason(error)}") from None
            if not each.name.startswith(_PREFIX):
                self.names += _names(each.message_type, each.package)

    def found(self, name: str) -> str:
        """Return the full name of a message: it may be written without its package; empty where there is none."""
        name = name.removeprefix(".")
        ends = [each for each in self.names if each == name or each.endswith(f".{name}")]
        return name if name in ends else ends[0] if len(ends) == 1 else ""

    def reader(self, name: str) -> Callable[[bytes], Any]:
        """Return what reads a payload of the message with this full name."""
        from google.protobuf.message import DecodeError  # noqa: PLC0415 - of an extra
        from google.protobuf.message_factory import GetMessageClass  # noqa: PLC0415 - of an extra

        made = GetMessageClass(self._pool.FindMessageTypeByName(name))

        def read(data: bytes) -> Any:
            message = made()
            try:
                message.ParseFromString(data)
            except (DecodeError, UnicodeDecodeError):
                raise Unreadable(f"no protobuf message {name}") from None
            if not message.IsInitialized():
                raise Unreadable(f"a protobuf message {name} without a field that is required")
            return _plain(message, ItemBudget())

        return read


def _reason(error: Exception) -> str:
    text = str(error.args[0] if error.args else error).strip().replace("\n", " ")
    return text.removeprefix("Couldn't build proto file into descriptor pool: ")


def _names(messages: Iterable[Any], package: str) -> list[str]:
    found = []
    for each in messages:
        if not each.options.map_entry:
            name = f"{package}.{each.name}" if package else each.name
            found += [name, *_names(each.nested_type, name)]
    return found


def open_types(path: Path) -> MessageTypes:
    """Read a .proto file, or a set of descriptors as `protoc --include_imports --descriptor_set_out` writes it.

    Raises:
        ImportError: the protobuf runtime is not installed.
        OSError: a file cannot be read.
        BadProto: it is broken, or what it imports is not there.

    """
    from google.protobuf import descriptor_pb2  # noqa: PLC0415 - of an extra

    if path.suffix == ".proto":
        return MessageTypes(_Files(path, descriptor_pb2).all())
    data = _bytes(path)
    found = descriptor_pb2.FileDescriptorSet()
    try:
        found.ParseFromString(data)
    except Exception:  # noqa: BLE001 - DecodeError of the runtime, whose class differs by its kind
        found.Clear()
    if not found.file:
        raise BadProto(
            "neither a .proto file by its name nor a set of descriptors"
            " (protoc --include_imports --descriptor_set_out FILE)"
        )
    return MessageTypes(found.file)


def _bytes(path: Path, limit: int = PROTO_BYTES) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise BadProto(f"more than {PROTO_BYTES >> 20} MB with all that it imports")
    return data


class _Files:
    """A .proto file and what it imports, looked for in its folder and those above it, as `protoc -I` would."""

    def __init__(self, path: Path, descriptor: Any) -> None:
        self._path, self._descriptor = path, descriptor
        self._room = PROTO_BYTES
        self._found: dict[str, Any] = {}

    def all(self) -> list[Any]:
        self._add(self._path.name, self._path)
        return list(self._found.values())

    def _add(self, name: str, path: Path, outer: tuple[str, ...] = ()) -> None:
        data = _bytes(path, self._room)
        self._room -= len(data)
        where = "" if path == self._path else f"{name}: "
        try:
            made = parse_proto(data.decode(), name, self._descriptor)
        except UnicodeDecodeError:
            raise BadProto(f"{where}not UTF-8 text") from None
        except BadProto as error:
            raise BadProto(f"{where}line {error.line}: {error}") from None
        for each in made.dependency:
            self._import(each, where, (*outer, name))
        self._found[name] = made

    def _import(self, name: str, where: str, outer: tuple[str, ...]) -> None:
        if name in self._found:
            return
        if name in outer:
            raise BadProto(f"{where}imports {name}, which imports it again")
        for folder in self._path.absolute().parents:
            if (folder / name).is_file():
                self._add(name, folder / name, outer)
                return
        known = name.removeprefix(_PREFIX).removesuffix(".proto")
        if known not in _KNOWN:
            raise BadProto(f"{where}imports {name}, which is not in the file's folder, and in none above it")
        self._found[name] = _own(known, self._descriptor)


def _own(name: str, descriptor: Any) -> Any:
    """Return a file that the runtime brings along."""
    from importlib import import_module  # noqa: PLC0415 - of an extra

    made = descriptor.FileDescriptorProto()
    made.ParseFromString(import_module(f"google.protobuf.{name}_pb2").DESCRIPTOR.serialized_pb)
    return made


def _plain(message: Any, budget: ItemBudget) -> Any:
    """Return a message as a value."""
    about = message.DESCRIPTOR
    if about.full_name in _AS_JSON:
        try:
            return message.ToJsonString()
        except ValueError:
            return None  # a time or duration beyond what it may be
    if about.file.name.startswith(_PREFIX):
        special = _SPECIAL.get(about.full_name.removeprefix("google.protobuf."))
        if special is not None:
            return special(message, budget)
    budget.enter(len(about.fields))
    made: dict[str, Any] = {}
    for field in about.fields:
        if not field.has_presence or message.HasField(field.name):
            made[field.name] = _field(field, getattr(message, field.name), budget)
    budget.depth += 1
    return made


def _field(field: Any, value: Any, budget: ItemBudget) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        budget.enter(len(value))
        kind = field.message_type.fields_by_name["value"]
        made: Any = {_key(key): _single(kind, value[key], budget) for key in value}
        budget.depth += 1
        return made
    if isinstance(value, str | bytes | int | float) or hasattr(value, "DESCRIPTOR"):
        return _single(field, value, budget)
    budget.enter(len(value))
    listed = [_single(field, each, budget) for each in value]
    budget.depth += 1
    return listed


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _single(field: Any, value: Any, budget: ItemBudget) -> Any:
    if field.type == _MESSAGE:
        return _plain(value, budget)
    if field.type == _ENUM:
        known = field.enum_type.values_by_number.get(value)
        return value if known is None else known.name
    return finite(value) if field.type in _FLOATS else value


def _struct(message: Any, budget: ItemBudget) -> dict[str, Any]:
    budget.enter(len(message.fields))
    made = {name: _any(message.fields[name], budget) for name in message.fields}
    budget.depth += 1
    return made


def _listed(message: Any, budget: ItemBudget) -> list[Any]:
    budget.enter(len(message.values))
    made = [_any(each, budget) for each in message.values]
    budget.depth += 1
    return made


def _any(message: Any, budget: ItemBudget) -> Any:
    kind = message.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    value = getattr(message, kind)
    if kind == "number_value":
        return finite(value)
    return _plain(value, budget) if kind in ("struct_value", "list_value") else value


def _wrapped(message: Any, _budget: ItemBudget) -> Any:
    value = message.value
    return finite(value) if isinstance(value, float) else value


_WRAPPERS = ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
_SPECIAL: Mapping[str, Callable[[Any, ItemBudget], Any]] = {
    "Struct": _struct,
    "ListValue": _listed,
    "Value": _any,
    **{f"{each}Value": _wrapped for each in _WRAPPERS},
}
