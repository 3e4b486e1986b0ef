"""What is wrapped around a payload: gzip and base64. Bytes become bytes."""

import binascii
import zlib

from hub.ingest.payload_reading import Unreadable
from hub.limits import DECODED_BYTES

__all__ = ["from_base64", "from_gzip"]

_EITHER = 32 + zlib.MAX_WBITS  # a header of gzip or of zlib
_GZIP = b"\x1f\x8b"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BLANK = b" \t\r\n\0="


def from_gzip(data: bytes) -> bytes:
    """Decompress gzip, also in several members, or zlib.

    Raises:
        Unreadable: it is broken, or more than DECODED_BYTES.

    """
    made, room = bytearray(), DECODED_BYTES + 1
    while True:
        inflater = zlib.decompressobj(_EITHER)
        try:
            made += inflater.decompress(data, room - len(made))
        except zlib.error as error:
            raise Unreadable(f"broken gzip: {error}") from None
        if len(made) >= room:
            raise Unreadable(f"more than {DECODED_BYTES:,} bytes when it is decompressed")
        if not inflater.eof:
            raise Unreadable("broken gzip: its end is missing")
        data = inflater.unused_data
        if not data.startswith(_GZIP):
            break
    if data.strip(b"\0"):
        raise Unreadable(f"{len(data)} bytes follow the end of the gzip")
    return bytes(made)


def from_base64(data: bytes) -> bytes:
    """Read base64 of either alphabet, with or without `=` at its end, white space inside, or quotes around it.

    Raises:
        Unreadable: it is none.

    """
    text = data.removeprefix(b"\xef\xbb\xbf").strip(_BLANK)
    if text[:1] == b'"' == text[-1:] and len(text) > 1:
        text = text[1:-1]
    plain = text.translate(_URL_SAFE, _BLANK)
    try:
        return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4), strict_mode=True)
    except binascii.Error as error:
        raise Unreadable(f"no base64: {str(error)[:1].lower()}{str(error)[1:]}") from None
