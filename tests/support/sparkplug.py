"""Sparkplug B payloads by hand: bytes of protobuf written here, so the hub cannot be wrong in the same way."""

import struct


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def field(number, content):
    """Write a field: an int as varint, text and bytes with their length, ("f", x) and ("d", x) as float and double."""
    if isinstance(content, tuple):
        kind, value = content
        return varint(number << 3 | (5 if kind == "f" else 1)) + struct.pack(f"<{kind}", value)
    if isinstance(content, int):
        return varint(number << 3) + varint(int(content))
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


PLACES = {
    "int": 10,
    "long": 11,
    "float": 12,
    "double": 13,
    "bool": 14,
    "string": 15,
    "bytes": 16,
    "data": 17,
    "template": 18,
}
TYPES = {
    "Int8": 1, "Int16": 2, "Int32": 3, "Int64": 4, "UInt8": 5, "UInt16": 6, "UInt32": 7, "UInt64": 8, "Float": 9,
    "Double": 10, "Boolean": 11, "String": 12, "DateTime": 13, "Text": 14, "UUID": 15, "DataSet": 16, "Bytes": 17,
    "File": 18, "Template": 19, "Int8Array": 22, "Int32Array": 24, "FloatArray": 30,
    "BooleanArray": 32, "StringArray": 33,
}  # fmt: skip
OF = {
    **dict.fromkeys(("Int8", "Int16", "Int32", "UInt8", "UInt16", "UInt32"), "int"),
    **dict.fromkeys(("Int64", "UInt64", "DateTime"), "long"),
    **dict.fromkeys(("String", "Text", "UUID"), "string"),
    "Float": "float", "Double": "double", "Boolean": "bool", "DataSet": "data", "Template": "template",
}  # fmt: skip


def metric(name=None, value=None, kind=None, *, alias=None, typed=True, time=None, historical=False, more=b""):
    """Write a metric; without `typed` its datatype is left out, as in most DATA messages. A value of None is null."""
    out = b"" if name is None else field(1, name)
    out += b"" if alias is None else field(2, alias)
    out += b"" if time is None else field(3, time)
    out += field(4, TYPES[kind]) if kind and typed else b""
    out += field(5, 1) if historical else b""
    if value is None:
        return out + field(7, 1) + more
    place = OF.get(kind, "bytes")
    if place in ("int", "long") and value < 0:
        value += 1 << (32 if place == "int" else 64)
    if place in ("float", "double"):
        value = place[0], value
    return out + more + field(PLACES[place], value)


def payload(*metrics, seq=None, time=None):
    """Write a payload."""
    out = b"" if time is None else field(1, time)
    return out + b"".join(field(2, each) for each in metrics) + (b"" if seq is None else field(3, seq))
