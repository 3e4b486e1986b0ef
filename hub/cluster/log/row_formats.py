"""Which formats of rows a claim or a snapshot names, and whether this hub reads them: its own, and those before.

A node that is upgraded follows an owner that is not yet, and takes over from it. So what holds for a state file holds
for the log: a hub reads the rows of the hubs before it, and says so of rows that only a later one can have written.
"""

from hub.store.formats import FORMATS, unknown_kind

__all__ = ["our_formats", "unread"]


def our_formats() -> str:
    """Return one text for all formats of rows that this hub writes: kind=number, in the order of FORMATS."""
    return ",".join(f"{kind}={number}" for kind, number in FORMATS.items())


def unread(theirs: str) -> str:
    """Say which rows of a hub that writes these formats this one does not read; "" where it reads all of them."""
    for each in theirs.split(",") if theirs else ():
        kind, _, number = each.rpartition("=")
        if kind not in FORMATS or not number.isdecimal():
            return unknown_kind(kind or each)
        if int(number) > FORMATS[kind]:
            return f"format {number} of {kind!r}, it knows {FORMATS[kind]}"
    return ""
