"""A host name that an event chose: whether it can be one at all, before anybody is asked for its address."""

import re

__all__ = ["unusable"]

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")  # RFC 1123, 2.1, and `_`, which containers use
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)")
_CANONICAL = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_NAME_CHARS = 253  # RFC 1035, 2.3.4, without the root


def unusable(host: str) -> str:
    """Return why this is neither a host name nor an IPv4 address in its usual form; "" where it is one.

    The old spellings of addresses (127.1, 0x7f000001, 2130706433) are refused, because programs read them differently.
    """
    name = host.removesuffix(".").lower()
    labels = name.split(".")
    if len(name) > _NAME_CHARS or any(len(label) > 63 for label in labels):  # RFC 1035, 2.3.4
        return "it is too long for a host name"
    if not all(_LABEL.fullmatch(label) for label in labels):
        return "it is no host name"
    if _NUMERIC.fullmatch(name) and not (_CANONICAL.fullmatch(name) and name == host):
        return "it is no host name"
    if not all(_is_word(label) for label in labels):
        return "a part of it that begins with xn-- stands for no name"
    if labels[-1] == "invalid":  # RFC 6761, 6.4: there is none, and nobody has to be asked
        return "there is no such host"
    return ""


def _is_word(label: str) -> bool:
    """Tell whether a label stands for what it says it does (RFC 3492); each that has no `xn--` does."""
    if not label.startswith("xn--"):
        return True
    try:
        word = label[4:].encode().decode("punycode")
        return not word.isascii() and word.isprintable() and word.encode("punycode").decode() == label[4:]
    except (UnicodeError, OverflowError):
        return False
