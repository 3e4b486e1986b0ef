"""What a request does to the outbox of a running hub: list it, queue dead letters again, drop notifications."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from hub.clock import PEOPLE, rfc3339
from hub.commands.contract import OutboxListed, OutboxRequest
from hub.commands.pages import Page, Wanted, fitting, page, wanted
from hub.commands.request import Request
from hub.commands.seams import Mirror
from hub.contracts.answered import DroppedAnswer, OutboxBody, OutboxChanged
from hub.errors import Code, RequestError
from hub.fields import did_you_mean
from hub.limits import OUTBOX_SHOWN
from hub.spine.core import Core
from hub.spine.pipeline import Pipeline
from hub.spine.slices import at_once
from hub.spine.store_outbox import revived
from hub.store.reader import OutboxEntry, Reader
from hub.store.store import Store

__all__ = ["Note", "drop", "entry_body", "find", "listed", "retry"]

Answer = dict[str, Any]
Note = Callable[[Mapping[str, Any]], None]
"""Puts what was done into the audit log; called in the same turn of the loop, so that one commit holds both."""


def find(reader: Reader, request: Request, *, among: str = "", after: int = 0) -> list[OutboxEntry]:
    """Return the rows that `ids`, `receiver` and `state` name; OUTBOX_SHOWN at most, from behind the row `after`.

    `among`: only rows of this state.

    Raises:
        RequestError: the request cannot be read.

    """
    asked = OutboxListed(request)
    ids, state = asked.ids, asked.state
    if among and state not in ("", among):
        raise RequestError("only dead letters are queued anew: what is queued is tried anyway")
    found = reader.outbox(ids, asked.receiver, among or state, OUTBOX_SHOWN, after)
    missing = sorted(set(ids) - {entry.id for entry in found})
    if missing and not after:
        known = {entry.id for entry in reader.outbox((), "", "", OUTBOX_SHOWN)}
        what = "dead letter" if among == "dead" else "notification in the outbox"
        hint = did_you_mean(missing[0], known - {entry.id for entry in found})
        raise RequestError(f"no {what} has the id {missing[0]!r}" + (f" ({hint})" if hint else ""), Code.MISSING)
    return found


def named(request: Request) -> None:
    """Make sure that the request names the rows to change: an empty one must not mean all.

    Raises:
        RequestError: it names none.

    """
    every = OutboxRequest(request).all
    if not every and not any(request.get(key) for key in ("ids", "receiver", "state")):
        raise RequestError("which notifications? give ids, a receiver, a state, or all")


def entry_body(entry: OutboxEntry) -> OutboxBody:
    """Return a row as answers show it."""
    body = orjson.loads(entry.body)
    return {
        "id": entry.id,
        "receiver": entry.receiver,
        "state": entry.state,
        "attempts": entry.attempts,
        "created": rfc3339(entry.created),
        "next_attempt": rfc3339(entry.next_at) if entry.next_at and entry.state == "queued" else None,
        "reason": entry.reason,
        "alertname": body.get("alertname"),
        "summary": body.get("summary"),
        "says": body.get("state"),
    }


async def _found(store: Store, request: Request, among: str = "") -> list[OutboxEntry]:
    """Find the rows to change. The writer answers, so that rows which an earlier request has changed are not found."""
    return await store.read(lambda reader: find(reader, request, among=among))


async def listed(mirror: Mirror, request: Request) -> Answer:
    """List what is queued or dead, page by page where `cursor` or `limit` is given.

    The answer is read and made in a thread, because it may be 1,000 bodies of 10 KB.
    """
    asked = wanted(OutboxListed(request))
    read = _page if asked.paged else _some
    return await mirror.look(lambda reader: read(reader, request, asked))


def _some(reader: Reader, request: Request, asked: Wanted) -> Answer:
    """Answer a request that does not know pages: with as many of the first rows as there is room for."""
    items, complete = at_once(fitting(map(entry_body, find(reader, request)), asked.room))
    return {"ok": True, "outbox": items} | ({} if complete else {"truncated": True})


def _page(reader: Reader, request: Request, asked: Wanted) -> Answer:
    """Answer with the rows behind the cursor, which is a row number: a row keeps its number as long as it waits."""
    if not asked.cursor.isdecimal() and asked.cursor:
        raise RequestError(f"{asked.cursor!r} is no cursor of the outbox")
    found = {f"{each.row:019}": each for each in find(reader, request, after=int(asked.cursor[:18] or 0))}
    made = at_once(page(lambda: found, lambda key: entry_body(found[key]), asked._replace(cursor="")))
    last = made.next or (max(found) if len(found) == OUTBOX_SHOWN else "")
    return Page(made.items, str(int(last)) if last else "").body("outbox") | {"tz": PEOPLE.tz}


async def retry(pipeline: Pipeline, store: Store, request: Request, note: Note) -> OutboxChanged:
    """Queue dead letters again; return when that is on disk."""
    named(request)
    found = await _found(store, request, "dead")
    answer = _answer(found)

    def revive(_: Core, now: float) -> None:
        pipeline.outbox.revive(found, now)
        note(answer)

    await pipeline.perform(revive)
    return answer


async def drop(pipeline: Pipeline, store: Store, request: Request, note: Note) -> DroppedAnswer:
    """Drop notifications. One that is being sent at this moment stays, and only the count `busy` tells of it."""
    named(request)
    by = OutboxRequest(request).name()
    found = await _found(store, request)
    gone = [
        entry
        for entry, each in zip(found, revived(found, 0.0), strict=True)
        if pipeline.dispatcher.drop(entry.row, each, by)
    ]
    answer: DroppedAnswer = {**_answer(gone), "busy": len(found) - len(gone)}

    def forget(*_: Any) -> None:
        pipeline.outbox.drop(entry.row for entry in gone)
        note(answer)

    await pipeline.perform(forget)
    return answer


def _answer(entries: Sequence[OutboxEntry]) -> OutboxChanged:
    return {"ok": True, "outbox": [entry_body(entry) for entry in entries]}
