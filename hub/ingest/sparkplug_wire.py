"""The wire format of Sparkplug B payloads: numbers and types of the specification (3.0, 6.4), as protobuf wants them.

The descriptor is our own, because code made by protoc is tied to one version of the runtime. It leaves out what no rule
can see (metadata, extensions): protobuf skips that.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

__all__ = ["payload_class"]

_PACKAGE = "hub.sparkplug"
_SIMPLE = {"uint32": 13, "uint64": 4, "float": 2, "double": 1, "bool": 8, "string": 9, "bytes": 12}
_MESSAGE = 11
_OPTIONAL, _REPEATED = 1, 3
_VALUES = ("uint32 int_value", "uint64 long_value", "float float_value", "double double_value", "bool boolean_value")


def _values(first: int, *more: str) -> dict[int, str]:
    """Number the alternatives of a value, one of which a message has."""
    return {number: f"value {each}" for number, each in enumerate((*_VALUES, "string string_value", *more), first)}


_MESSAGES: Mapping[str, Mapping[int, str]] = {
    "Payload": {
        1: "optional uint64 timestamp",
        2: "repeated Metric metrics",
        3: "optional uint64 seq",
        4: "optional string uuid",
        5: "optional bytes body",
    },
    "Metric": {
        1: "optional string name",
        2: "optional uint64 alias",
        3: "optional uint64 timestamp",
        4: "optional uint32 datatype",
        5: "optional bool is_historical",
        7: "optional bool is_null",
        9: "optional PropertySet properties",
        **_values(10, "bytes bytes_value", "DataSet dataset_value", "Template template_value"),
    },
    "Template": {2: "repeated Metric metrics", 3: "repeated Parameter parameters"},
    "Parameter": {1: "optional string name", 2: "optional uint32 type", **_values(3)},
    "DataSet": {2: "repeated string columns", 3: "repeated uint32 types", 4: "repeated Row rows"},
    "Row": {1: "repeated DataSetValue elements"},
    "DataSetValue": _values(1),
    "PropertySet": {1: "repeated string keys", 2: "repeated PropertyValue values"},
    "PropertyValue": {
        1: "optional uint32 type",
        2: "optional bool is_null",
        **_values(3, "PropertySet propertyset_value", "PropertySetList propertysets_value"),
    },
    "PropertySetList": {1: "repeated PropertySet propertyset"},
}


@cache
def payload_class() -> Any:
    """Return the class of messages that reads and writes payloads.

    Raises:
        ImportError: protobuf is not installed.

    """
    # an optional extra: only hubs that read Sparkplug pay for it
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: PLC0415 # see above

    file = descriptor_pb2.FileDescriptorProto(name="sparkplug.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, text in fields.items():
            _add(message, number, *text.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


def _add(message: Any, number: int, label: str, kind: str, name: str) -> None:
    field = message.field.add(name=name, number=number, label=_REPEATED if label == "repeated" else _OPTIONAL)
    field.type = _SIMPLE.get(kind, _MESSAGE)
    if kind not in _SIMPLE:
        field.type_name = f".{_PACKAGE}.{kind}"
    if label == "value":
        if not message.oneof_decl:
            message.oneof_decl.add(name="value")
        field.oneof_index = 0
