"""Lists page by page, and answers that fit into a packet: ten thousand alerts are more than a broker lets through.

A page begins behind a cursor: the key of the last thing that the page before has looked at. Things are in the order of
their keys, which never change. So what is there all the time is shown once, whatever changes between two pages.
"""

import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from heapq import nsmallest
from typing import Any, NamedTuple

import orjson

from hub.commands.contract import Paged
from hub.limits import ANSWER_BYTES, ANSWER_FRAME_BYTES, PAGE_ITEMS, PAGE_LOOK
from hub.printable import shorten

__all__ = ["LISTS", "Page", "Wanted", "cut", "fitting", "page", "room_of", "wanted"]

LISTS = frozenset({"alerts", "silences", "outbox"})
"""The commands whose answer is a list that may be long."""

_ESCAPED = 6  # bytes at most that JSON needs for one of a text
_TRIES = 8  # parts of one object that are cut before it is given up


class Wanted(NamedTuple):
    """What a request wants of a list: the things behind `cursor`, `limit` at most, in `room` bytes at most.

    `paged` tells whether the request knows pages; one that does not gets what fits.
    """

    paged: bool
    cursor: str
    limit: int
    room: int


class Page(NamedTuple):
    """A part of a list, each thing as JSON, and the cursor for the next page, "" where this is the last."""

    items: list[orjson.Fragment]
    next: str

    def body(self, name: str) -> dict[str, Any]:
        """Return the page as an answer, with its things under `name`."""
        return {"ok": True, name: self.items, "next": self.next or None}


def wanted(asked: Paged) -> Wanted:
    """Read `cursor`, `limit` and `bytes`, the longest answer; a request with none of them gets the whole list.

    Raises:
        RequestError: they cannot be read.

    """
    limit = PAGE_ITEMS if asked.limit is None else min(asked.limit, PAGE_ITEMS)
    whole = not asked.paged and asked.bytes is None
    room = sys.maxsize if whole else room_of(asked) - ANSWER_FRAME_BYTES
    return Wanted(asked.paged, asked.cursor, limit, room)


def room_of(asked: Paged) -> int:
    """Read `bytes`: how many bytes of an answer the asker can take.

    Raises:
        RequestError: it cannot be read.

    """
    return ANSWER_BYTES if asked.bytes is None else min(asked.bytes, ANSWER_BYTES)


def page(
    keys: Callable[[], Iterable[str]], show: Callable[[str], Mapping[str, Any] | None], asked: Wanted
) -> Generator[None, None, Page]:
    """Make a page, one step for each thing looked at; `show` returns None for what is not wanted or gone by now."""
    items, left, cursor = list[orjson.Fragment](), asked.room, asked.cursor
    while True:
        ahead = nsmallest(PAGE_LOOK, (key for key in keys() if key > cursor))
        for key in ahead:
            yield
            body = show(key)
            if body is not None:
                text = orjson.dumps(body)
                if items and (len(items) == asked.limit or len(text) >= left):
                    return Page(items, cursor)
                items.append(orjson.Fragment(text if len(text) < left else orjson.dumps(cut(body, left))))
                left -= len(text) + 1
            cursor = key
        if len(ahead) < PAGE_LOOK:
            return Page(items, "")
        yield


def fitting(
    bodies: Iterable[Mapping[str, Any]], room: int
) -> Generator[None, None, tuple[list[orjson.Fragment], bool]]:
    """Return as many as there is room for, and whether these are all: for requests that do not know pages."""
    items, left = list[orjson.Fragment](), room
    for body in bodies:
        yield
        text = orjson.dumps(body)
        if len(text) >= left:
            return items, False
        items.append(orjson.Fragment(text))
        left -= len(text) + 1
    return items, True


def cut(value: Any, room: int) -> Any:
    """Return a value that has at most `room` bytes as JSON; its longest parts lose their ends first.

    An object that has lost something says so: it has `truncated`.
    """
    size = _size(value)
    if size <= room:
        return value
    if isinstance(value, str):
        return shorten(value, max(3, (room - 2) // _ESCAPED if size > len(value.encode()) + 2 else room - 2))
    if isinstance(value, list | tuple):
        return _cut_list(value, room)
    if not isinstance(value, dict):
        return None
    return _cut_object(value, room)


def _cut_object(value: dict[str, Any], room: int) -> dict[str, Any]:
    made, tries = {**value, "truncated": True}, 0
    while (over := _size(made) - room) > 0:
        longest = max(made, key=lambda key: (key != "truncated", _size(made[key])))
        before = _size(made[longest])
        if tries < _TRIES and before > over:
            made[longest], tries = cut(made[longest], before - over), tries + 1
        elif len(made) > 1:  # many small parts: the first ones stay
            made.pop(next(key for key in reversed(made) if key != "truncated"))
        else:
            break
    return made


def _cut_list(values: list[Any] | tuple[Any, ...], room: int) -> list[Any]:
    made, left = list[Any](), room - 2
    for each in values:
        left -= _size(each) + 1
        if left < 0:
            break
        made.append(each)
    return made or [cut(each, max(0, room - 2)) for each in values[:1]]


def _size(value: Any) -> int:
    return len(orjson.dumps(value))
