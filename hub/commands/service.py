"""Carries out requests by name on a running hub. A request that changes something is answered when it is on disk.

It is the Desk of the hub that owns its state (see seams.py). Requests that change nothing are read by Mirror and Ask.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from hub.alerts.alert import Alert
from hub.clock import Clock, rfc3339
from hub.commands import alert_desk, dead_letters, device_desk, push
from hub.commands.contract import COMMANDS, AckRequest, DrillReceipts, FiringRequest, WhyRequest
from hub.commands.drills import Drills, chosen_receivers
from hub.commands.request import Request
from hub.commands.seams import Answer, Ask, Mirror
from hub.commands.tokens.token import Claim, read_token, sign_token
from hub.errors import Code, HubError, RequestError
from hub.fields import did_you_mean
from hub.ids import episode_named
from hub.limits import POSTED_SLICE, TOKEN_SECONDS
from hub.model import Event, Notification
from hub.notify.subscribers import Subscribers
from hub.rules.posted.posting import Posting
from hub.spine.core import Core
from hub.spine.pipeline import Pipeline
from hub.spine.slices import Slices
from hub.store.changes import MetaRow
from hub.store.reader import Reader
from hub.store.store import Store
from hub.store.waiting import unless_failing
from hub.why import story

__all__ = ["Answer", "Service", "refused"]

Change = Callable[[Core, Request, float], Answer]


class Command(NamedTuple):
    """One request, the way it came, and who is known to ask, where that is known."""

    request: Request
    via: str
    actor: str

    @property
    def by(self) -> str:
        """In whose name it is done: a login counts more than what the request says."""
        return self.actor or self.named

    @property
    def named(self) -> str:
        """The name that the request gives."""
        return FiringRequest(self.request).name()


Handler = Callable[[Command], Coroutine[Any, Any, Answer]]


def refused(error: HubError) -> Answer:
    """Return the answer of a request that was not carried out."""
    return {"ok": False, "error": str(error), "code": error.code.value}


class Service:
    """Answers requests. Every answer has `ok`; where that is false, `error` says why, and `code` is an errors.Code."""

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        clock: Clock,
        subscribers: Subscribers,
        drills: Drills,
        *,
        token_key: bytes,
        mirror: Mirror,
        ask: Ask,
    ) -> None:
        """Take the parts of the hub that requests need.

        `token_key` signs tokens that acknowledge; requests that change nothing use `mirror` and `ask`.
        """
        self._token_key = token_key
        self._pipeline, self._store, self._clock, self._mirror, self._ask = pipeline, store, clock, mirror, ask
        self._subscribers, self._drills, self._slices = subscribers, drills, Slices()
        self._known: Mapping[str, Handler] = {
            "ack": self._ack,
            "token": self._token,
            "unack": self._changing("unack", alert_desk.unack),
            "silence": self._changing("silence", alert_desk.silence),
            "unsilence": self._changing("unsilence", alert_desk.unsilence),
            "set": self._set,
            "settings": self._settings,
            "alerts": self._listing(lambda request, _now: alert_desk.alerts(mirror, request)),
            "silences": self._listing(lambda request, now: alert_desk.silences(mirror, request, now)),
            "outbox": self._outbox,
            "outbox-retry": self._queue("outbox-retry", dead_letters.retry),
            "outbox-drop": self._queue("outbox-drop", dead_letters.drop),
            "push": self._push_key,
            "push-subscribe": self._push("push-subscribe", push.subscribe),
            "push-unsubscribe": self._push("push-unsubscribe", push.unsubscribe),
            "drill": self._drill,
            "drill-receipts": self._receipts,
            "why": self._why,
            "why-not": self._why_not,
        }

    async def answer(self, name: str, request: Request, via: str, actor: str = "") -> Answer:
        """Carry out a request. Where something is wrong, the answer says so; nothing is raised.

        `via` is the way it came by, for the audit log: `mqtt`, `http` or `link`. `actor` is who asks, where a login or
        a token tells; else the log has the name that the request gives, `by`.
        """
        handler, command = self._known.get(name), Command(request, via, actor)
        try:
            if handler is None:
                hint = did_you_mean(name, self._known) or ", ".join(self._known)
                raise RequestError(f"no command {name!r} ({hint})", Code.MISSING)
            if COMMANDS[name].reads:  # works on a full disk, too
                return await handler(command)
            return await unless_failing(self._store, handler(command))
        except HubError as error:
            return refused(error)

    def _changing(self, name: str, change: Change) -> Handler:
        async def handle(command: Command) -> Answer:
            return await self._perform(name, command, change)

        return handle

    async def _perform(self, name: str, command: Command, change: Change) -> Answer:
        def changed(core: Core, now: float) -> Answer:
            made = change(core, command.request, now)
            self._note(name, command, made)
            return made

        return await self._pipeline.perform(changed)

    def _note(self, name: str, command: Command, made: Answer) -> None:
        """Put a command into the audit log, with the ids of the alerts, notifications or silence that it changed."""
        ids = [str(each["id"]) for each in made.get("alerts") or made.get("outbox") or ()]
        if "changed" in made:  # from what to what an attribute was set
            ids += made["changed"]
        if isinstance(made.get("silence"), Mapping):
            ids.append(str(made["silence"]["id"]))
        left_out = {"by"} if command.named == command.by else set()
        detail = {key: value for key, value in command.request.items() if key not in left_out} | {"changed": ids}
        self._pipeline.audit(command.by, command.via, name, detail)

    async def _set(self, command: Command) -> Answer:
        """Set attributes in the name of who is known to ask: the setting keeps it."""
        asked = {**command.request, "by": command.by}
        return await self._perform("set", command._replace(request=asked), device_desk.set_attributes)

    async def _settings(self, command: Command) -> Answer:
        return device_desk.settings(self._pipeline.core, command.request)

    def _listing(self, steps: Callable[[Request, float], alert_desk.Steps]) -> Handler:
        """Make a handler for a list that may be long: it works in slices, and events are evaluated between them."""

        async def handle(command: Command) -> Answer:
            return await self._slices.run(steps(command.request, self._clock.now()))

        return handle

    def _queue(
        self, name: str, handle: Callable[[Pipeline, Store, Request, dead_letters.Note], Coroutine[Any, Any, Answer]]
    ) -> Handler:
        return lambda command: handle(
            self._pipeline, self._store, command.request, lambda made: self._note(name, command, made)
        )

    async def _outbox(self, command: Command) -> Answer:
        return await dead_letters.listed(self._mirror, command.request)

    async def _push_key(self, _: Command) -> Answer:
        return push.key(self._subscribers)

    def _push(self, name: str, change: Callable[[Subscribers, Request, float], Answer]) -> Handler:
        """Make a handler that changes who is told by push. A subscription is secret, so the audit log says only who."""

        async def handle(command: Command) -> Answer:
            request, actor = command.request, command.actor

            def changed(_: Core, now: float) -> Answer:
                asked = {**request, "by": actor} if actor else request  # a login cannot subscribe in another's name
                made = change(self._subscribers, asked, now)
                self._pipeline.audit(command.by, command.via, name, {})
                return made

            return await self._pipeline.perform(changed)

        return handle

    async def _ack(self, command: Command) -> Answer:
        """Acknowledge. A request with a token needs nothing else, and is done in the name that the token holds."""
        request = command.request
        if "token" in request:
            asked = AckRequest(request)
            claim = read_token(asked.token, self._token_key, self._clock.now())
            identity = episode_named(claim.fingerprint, claim.episode)
            request = {"id": identity, "by": claim.by, "comment": asked.comment}
        return await self._perform("ack", command._replace(request=request), alert_desk.ack)

    async def _token(self, command: Command) -> Answer:
        """Sign a token that acknowledges a firing alert in the name `by`; it is valid for `for`, else TOKEN_SECONDS."""
        asked, now = FiringRequest(command.request), self._clock.now()
        ((fingerprint, alert),) = asked.chosen(self._mirror)[:1]
        until = int(asked.end(now, default=TOKEN_SECONDS) or now)
        claim = Claim(fingerprint, alert.episode, until, asked.name("a token"))
        return {"ok": True, "token": sign_token(claim, self._token_key), "expires": rfc3339(until)}

    async def claimed(self, token: str) -> tuple[Claim, Alert | None]:
        """Return what a token allows, and its alert as it is now: None where that episode is over and forgotten.

        Raises:
            RequestError: the token is not ours, was changed, or has expired.

        """
        claim = read_token(token, self._token_key, self._clock.now())
        alert = self._mirror.alerts.get(claim.fingerprint)
        return claim, alert if alert is not None and alert.episode == claim.episode else None

    async def _drill(self, command: Command) -> Answer:
        """Queue a test for each of `receivers`; the answer does not wait for what comes of it."""
        names = chosen_receivers(command.request, list(self._pipeline.dispatcher.standing(())))
        by = command.named
        begun: list[int] = []

        def begin(serial: int) -> Sequence[Notification]:
            begun.append(serial)
            return self._drills.begin(serial, names, by)

        def change(*_: object) -> None:
            made = self._pipeline.tell(begin)
            self._note("drill", command, {"outbox": [{"id": each.id} for each in made]})

        await self._pipeline.perform(change)
        return {"ok": True, "drill": begun[0], "receipts": self._drills.receipts(begun[0])}

    async def _receipts(self, command: Command) -> Answer:
        number = DrillReceipts(command.request).drill
        if number is None:
            raise RequestError("which drill? give its number, 'drill'")
        return {"ok": True, "drill": number, "receipts": self._drills.receipts(number)}

    async def _why(self, command: Command) -> Answer:
        name, labels = WhyRequest(command.request).named()

        def told(reader: Reader) -> list[Answer]:
            return [story.as_body(each) for each in story.read(reader, name, labels, self._mirror.rules)]

        return {"ok": True, "alerts": await self._mirror.look(told)}

    async def _why_not(self, command: Command) -> Answer:
        name, labels = WhyRequest(command.request).named()
        steps = self._ask.why_not(name, labels, self._clock.now())
        return {"ok": True, **await self._slices.run(steps)}

    # what comes past the commands

    async def take_events(self, events: Sequence[Event], key: str) -> bool:
        """Take events that came by no source; return False where this idempotency key was taken before.

        Raises:
            StoreError: they cannot be made durable now.

        """
        return await unless_failing(self._store, self._pipeline.submit(events, key))

    async def take_postings(self, postings: Sequence[Posting]) -> list[str]:
        """Take alerts that another program evaluates; return what is wrong with those that are not taken.

        Raises:
            StoreError: they cannot be made durable now.

        """
        wrong = await unless_failing(self._store, self._all_posted(postings))
        return [each for found in wrong for each in found]

    async def _all_posted(self, postings: Sequence[Posting]) -> list[list[str]]:
        """Take a slice of POSTED_SLICE in each turn of the loop; return when all of them are on disk."""
        tasks = list[asyncio.Task[list[str]]]()
        for first in range(0, len(postings), POSTED_SLICE):
            taken = partial(_posted, postings=postings[first : first + POSTED_SLICE])
            tasks.append(asyncio.create_task(self._pipeline.perform(taken)))
            await asyncio.sleep(0)
        return await asyncio.gather(*tasks)

    async def keep(self, rows: Sequence[MetaRow]) -> None:
        """Store single values of the front, such as that a login was ended; return when they are on disk.

        They are noted even where the disk cannot be written: then the next commit has them.

        Raises:
            StoreError: they cannot be made durable now.

        """
        self._pipeline.notes.update(rows)
        await unless_failing(self._store, self._pipeline.perform(lambda *_: None))

    def note(self, actor: str, via: str, action: str, detail: Mapping[str, Any]) -> None:
        """Put into the audit log what was done past the core."""
        self._pipeline.audit(actor, via, action, detail)


def _posted(core: Core, now: float, postings: Sequence[Posting]) -> list[str]:
    wrong = list[str]()
    for posting in postings:
        try:
            core.post(posting, now)
        except RequestError as error:
            wrong.append(str(error))
    return wrong
