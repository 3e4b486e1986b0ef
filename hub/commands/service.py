"""Requests by name, carried out on a running hub: what changes something is answered when it is on disk."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple

from hub.alerts.alert import Alert
from hub.clock import Clock, rfc3339
from hub.commands import desk, outbox, push
from hub.commands.desk import ANONYMOUS
from hub.commands.drill import Drills, chosen_receivers
from hub.commands.request import Request, chosen, span, words
from hub.commands.slices import Slices
from hub.commands.token import Claim, read_token, sign_token
from hub.core import Core
from hub.errors import Code, HubError, RequestError
from hub.fields import did_you_mean
from hub.ids import episode_named
from hub.limits import TOKEN_SECONDS
from hub.model import Notification
from hub.notify.subscribers import Subscribers
from hub.pipeline import Pipeline
from hub.store.patience import unless_failing
from hub.store.reader import Reader
from hub.store.store import Store
from hub.why import absence, story

__all__ = ["Answer", "Service", "refused"]

Answer = Mapping[str, Any]
Change = Callable[[Core, Request, float], Answer]


class Way(NamedTuple):
    """How a request came, and from whom, where that is known."""

    via: str
    actor: str


Handler = Callable[[Request, Way], Coroutine[Any, Any, Answer]]
_READING = frozenset({"alerts", "silences", "outbox", "push", "drill-receipts", "why", "why-not", "token"})
"""What changes nothing is answered on a full disk, too."""


def refused(error: HubError) -> Answer:
    """Return the answer where something is not done."""
    return {"ok": False, "error": str(error), "code": error.code.value}


class Service:
    """Answers requests. Every answer has `ok`; where that is false, `error` says why, `code` what kind of no it is."""

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        clock: Clock,
        subscribers: Subscribers,
        drills: Drills,
        token_key: bytes,
    ) -> None:
        """Take the hub, the browsers that are told by push, the drills, and what signs tokens that acknowledge."""
        self._token_key = token_key
        self._pipeline, self._store, self._clock = pipeline, store, clock
        self._subscribers, self._drills, self._slices = subscribers, drills, Slices()
        self._known: Mapping[str, Handler] = {
            "ack": self._ack,
            "token": self._token,
            "unack": self._changing("unack", desk.unack),
            "silence": self._changing("silence", desk.silence),
            "unsilence": self._changing("unsilence", desk.unsilence),
            "alerts": self._listing(lambda core, request, _now: desk.alerts(core, request)),
            "silences": self._listing(desk.silences),
            "outbox": self._outbox,
            "outbox-retry": self._queue("outbox-retry", outbox.retry),
            "outbox-drop": self._queue("outbox-drop", outbox.drop),
            "push": self._reading(lambda _core, _request, _now: push.key(subscribers)),
            "push-subscribe": self._push("push-subscribe", push.subscribe),
            "push-unsubscribe": self._push("push-unsubscribe", push.unsubscribe),
            "drill": self._drill,
            "drill-receipts": self._receipts,
            "why": self._why,
            "why-not": self._why_not,
        }

    async def answer(self, name: str, request: Request, via: str, actor: str = "") -> Answer:
        """Carry out a request; what is wrong with it is the answer, not an exception.

        `via` is the way it came by, for the audit log: `mqtt`, `http` or `link`; `actor` is who is known to ask, where
        that is known: else the log has the name that the request gives, `by`.
        """
        handler = self._known.get(name)
        try:
            if handler is None:
                hint = did_you_mean(name, self._known) or ", ".join(self._known)
                raise RequestError(f"no command {name!r} ({hint})", Code.MISSING)
            if name in _READING:
                return await handler(request, Way(via, actor))
            return await unless_failing(self._store, handler(request, Way(via, actor)))
        except HubError as error:
            return refused(error)

    def _changing(self, name: str, change: Change) -> Handler:
        async def handle(request: Request, way: Way) -> Answer:
            return await self._perform(name, request, way, change)

        return handle

    async def _perform(self, name: str, request: Request, way: Way, change: Change) -> Answer:
        def changed(core: Core, now: float) -> Answer:
            made = change(core, request, now)
            self._note(name, request, way, made)
            return made

        return await self._pipeline.perform(changed)

    def _note(self, name: str, request: Request, way: Way, made: Answer) -> None:
        """Put it into the audit log, with the ids of the alerts or the silence that it changed."""
        ids = [str(each["id"]) for each in made.get("alerts") or made.get("outbox") or ()]
        if isinstance(made.get("silence"), Mapping):
            ids.append(str(made["silence"]["id"]))
        told = words(request, "by", ANONYMOUS)
        left_out = {"by"} if told == (way.actor or told) else set()
        detail = {key: value for key, value in request.items() if key not in left_out} | {"changed": ids}
        self._pipeline.audit(way.actor or words(request, "by", ANONYMOUS), way.via, name, detail)

    def _reading(self, read: Change) -> Handler:
        async def handle(request: Request, way: Way) -> Answer:
            del way
            return read(self._pipeline.core, request, self._clock.now())

        return handle

    def _listing(self, steps: Callable[[Core, Request, float], desk.Steps]) -> Handler:
        """Read what may be long, a slice in each turn of the loop: events are evaluated between."""

        async def handle(request: Request, way: Way) -> Answer:
            del way
            return await self._slices.run(steps(self._pipeline.core, request, self._clock.now()))

        return handle

    def _queue(
        self, name: str, handle: Callable[[Pipeline, Store, Request, outbox.Note], Coroutine[Any, Any, Answer]]
    ) -> Handler:
        return lambda request, way: handle(
            self._pipeline, self._store, request, lambda made: self._note(name, request, way, made)
        )

    async def _outbox(self, request: Request, way: Way) -> Answer:
        del way
        return await outbox.listed(self._store, request)

    def _push(self, name: str, change: Callable[[Subscribers, Request, float], Answer]) -> Handler:
        """Change who is told by push; what a subscription consists of is secret, so the audit log tells only who."""

        async def handle(request: Request, way: Way) -> Answer:
            def changed(_: Core, now: float) -> Answer:
                asked = {**request, "by": way.actor} if way.actor else request  # his role is of his own name alone
                made = change(self._subscribers, asked, now)
                self._pipeline.audit(way.actor or words(request, "by", ANONYMOUS), way.via, name, {})
                return made

            return await self._pipeline.perform(changed)

        return handle

    async def _ack(self, request: Request, way: Way) -> Answer:
        """Acknowledge; who holds a token needs to say nothing else."""
        if "token" in request:
            claim = read_token(words(request, "token"), self._token_key, self._clock.now())
            request = {
                "id": episode_named(claim.mark, claim.episode),
                "by": claim.by,
                "comment": words(request, "comment"),
            }
        return await self._perform("ack", request, way, desk.ack)

    async def _token(self, request: Request, way: Way) -> Answer:
        """Sign a token that acknowledges a firing alert, for `for` (a day), in the name `by`."""
        del way
        now = self._clock.now()
        ((mark, alert),) = chosen(request, self._pipeline.core.book)[:1]
        until = int(span(request, now, default=TOKEN_SECONDS) or now)
        claim = Claim(mark, alert.episode, until, words(request, "by", "a token"))
        return {"ok": True, "token": sign_token(claim, self._token_key), "expires": rfc3339(until)}

    async def claimed(self, token: str) -> tuple[Claim, Alert | None]:
        """Return what a token allows, and its alert as it is now: None where that episode is forgotten.

        Raises:
            RequestError: it is not ours, was changed, or has expired.

        """
        claim = read_token(token, self._token_key, self._clock.now())
        alert = self._pipeline.core.book.alerts.get(claim.mark)
        return claim, alert if alert is not None and alert.episode == claim.episode else None

    async def _drill(self, request: Request, way: Way) -> Answer:
        """Queue a test for each of `receivers`; the answer does not wait for what comes of it."""
        names = chosen_receivers(request, list(self._pipeline.dispatcher.standing(())))
        by = words(request, "by", ANONYMOUS)
        begun: list[int] = []

        def begin(serial: int) -> Sequence[Notification]:
            begun.append(serial)
            return self._drills.begin(serial, names, by)

        def change(*_: object) -> None:
            made = self._pipeline.tell(begin)
            self._note("drill", request, way, {"outbox": [{"id": each.id} for each in made]})

        await self._pipeline.perform(change)
        return {"ok": True, "drill": begun[0], "receipts": self._drills.receipts(begun[0])}

    async def _receipts(self, request: Request, way: Way) -> Answer:
        del way
        number = request.get("drill")
        if not isinstance(number, int):
            raise RequestError("which drill? give its number, 'drill'")
        return {"ok": True, "drill": number, "receipts": self._drills.receipts(number)}

    async def _why(self, request: Request, way: Way) -> Answer:
        del way
        name, labels = _named(request)

        def told(reader: Reader) -> list[Answer]:
            return [story.as_body(each) for each in story.read(reader, name, labels)]

        return {"ok": True, "alerts": await self._store.look(told)}

    async def _why_not(self, request: Request, way: Way) -> Answer:
        del way
        name, labels = _named(request)
        steps = absence.looking(self._pipeline.core, name, labels, self._clock.now())
        return {"ok": True} | await self._slices.run(steps)


def _named(request: Request) -> tuple[str, Mapping[str, str]]:
    """Read which rule, or alert, and which labels."""
    labels = request.get("labels", {})
    if not isinstance(labels, dict):
        raise RequestError("'labels' must be an object")
    return words(request, "alert") or words(request, "rule"), {str(key): str(value) for key, value in labels.items()}
