"""The hub, wired top to bottom: the only place that constructs collaborators. It starts, reloads, drains and stops.

session → pipeline (decode → engine → book → commit) → dispatcher → receivers
"""

import asyncio
import contextlib
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import aiohttp

from hub import __version__
from hub.clock import PEOPLE, Clock, SystemClock, rfc3339
from hub.commands.drills import ALERTNAME, Drills
from hub.commands.over_mqtt.desk_channel import DeskChannel, Heard, desk_settings
from hub.commands.owner import OwnerAsk, OwnerMirror
from hub.commands.service import Service
from hub.commands.tokens.ack_links import Links
from hub.config import Settings
from hub.discovery.again import OWED, AnnounceAgain
from hub.discovery.homeassistant import status_topic
from hub.errors import StoreError
from hub.ingest.mqtt.open_session import open_session
from hub.ingest.mqtt.session import Session
from hub.ingest.redelivery.mqtt_source import MqttSource
from hub.ingest.source import EventSource, Notice
from hub.limits import GC_ALLOCATIONS
from hub.model import BROKER, Notification
from hub.node.custody import Custody, earlier_filters, naming, try_restore
from hub.node.file_watch import Seen, read_now, watch
from hub.node.opening import Opened, Opening, open_state
from hub.node.own_status import OwnStatus
from hub.node.rebirth import Rebirths
from hub.node.receiver_pool import ReceiverPool
from hub.node.reload import Reload
from hub.node.unit import Unit
from hub.notify.dispatcher import Dispatcher
from hub.notify.outward.http import http_client
from hub.notify.receiver import Toolbox
from hub.notify.subscribers import Subscribers
from hub.notify.wording.own_names import named
from hub.observer import Observer, Observers
from hub.project.files import Files, check, people_of
from hub.schedules import local_zone
from hub.selfwatch.event_tally import EventTally
from hub.selfwatch.heartbeat import Heartbeat
from hub.selfwatch.peers import ALONE, Peers
from hub.selfwatch.recall import about_itself, spoken
from hub.selfwatch.watcher import DROPPED, SelfWatcher
from hub.sources.open_sources import open_sources
from hub.spine.core import Core
from hub.spine.crew import crew, insist
from hub.spine.delivery_trace import Attempts
from hub.spine.downtime import Downtime
from hub.spine.pipeline import Pipeline
from hub.spine.store_outbox import StoreOutbox
from hub.store.changes import Snapshot
from hub.tracing.spans import Tracing

__all__ = ["App", "Companion", "check"]


class Companion(Protocol):
    """A part that looks at a hub or speaks for it in the same process, such as the HTTP server.

    Whoever makes the App makes it, too; the App only runs it.
    """

    name: str

    async def run(self, app: "App") -> None:
        """Run until cancelled; an error ends the hub."""
        ...


class App:
    """A hub with its settings; `run` it once."""

    def __init__(
        self,
        settings: Settings,
        observer: Observer,
        clock: Clock | None = None,
        beside: Sequence[Companion] = (),
        tracing: Tracing | None = None,
        *,
        opening: Opening | None = None,
        files: tuple[Files, Seen] | None = None,
        peers: Peers = ALONE,
    ) -> None:
        """Read rules and fleets; nothing is opened yet. `beside` runs with the hub, from its start until it drains.

        `tracing` makes spans of what happens, where the settings want them. `opening` opens the state; without it that
        is the state file. `files` are what somebody has read already. `peers` are the other nodes of a cluster.

        Raises:
            ConfigError: with every problem of every file.

        """
        self.settings, self.clock = settings, clock or SystemClock()
        self.tally = EventTally(self.clock)
        others = observer.all if isinstance(observer, Observers) else [observer]  # one list is told in half the time
        self.tracing = tracing
        self.observer = Observers(*others, self.tally, *([tracing] if tracing else []))
        self.files, self._seen = files or read_now(settings)
        self.peers = peers
        self._opening = opening or partial(open_state, settings.state, clock=self.clock)
        PEOPLE.zone = people_of(self.files.rules)
        self._beside = beside
        self._stop = asyncio.Event()
        self._changed = asyncio.Event()
        self.since = rfc3339(self.clock.now())
        """When it was started."""
        self.own_status = OwnStatus(settings.publish_prefix, self.since, self.clock)

    def stop(self) -> None:
        """Drain and let `run` return. Call it on the loop."""
        self._stop.set()

    def reload(self) -> None:
        """Read rules and fleets again. Where they have problems, the old ones stay, and the observer hears why."""
        self._changed.set()

    async def run(self) -> None:
        """Run until `stop`.

        Raises:
            StoreError: the state file cannot be used, or another hub has it.
            SessionError: the broker will not have us: credentials, an ACL, a second hub with our client id.

        """
        gc.set_threshold(GC_ALLOCATIONS, 20, 100)
        gc.collect()  # of what reading the rules has left: later there is all of the state to look through
        say = partial(self.observer.trouble, "store")
        opened = await self._opening(self._store_trouble, say, self._stop)
        if opened is None:
            return
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(opened.store.close)
            http = await stack.enter_async_context(http_client())
            earlier = self._restore(opened, http)
            del opened  # the rows that were read take as much memory as the state that was made of them
            await self._live(earlier)

    def _restore(self, opened: Opened, http: aiohttp.ClientSession) -> Sequence[str]:
        """Make the parts, and bring in what the store held; return the filters of the process before."""
        snapshot, self.identity = opened.snapshot, opened.identity
        attempt = partial(try_restore, self.files, self.settings.publish_prefix, self.clock.now())
        with naming(self.settings.state, snapshot, attempt), _nothing_is_garbage():
            self._wire(opened, http)
            self.reloading.compare(snapshot.meta.get("written", ""))
            self.unit.pipeline.restore(snapshot, self.files.rules.filters())
            self._watch_itself(snapshot, http)
            return earlier_filters(snapshot)

    def _wire(self, opened: Opened, http: aiohttp.ClientSession) -> None:
        """Make the parts in the order in which an event passes them, then the desk, then who looks after all of it."""
        settings, clock, observer, identity = self.settings, self.clock, self.observer, self.identity
        store, snapshot = opened.store, opened.snapshot
        # what arrives, and what is made of it
        session = open_session(settings.broker, self.own_status.will, self._notice, opened.may_begin)
        core = self._core(session)
        downtime = opened.downtime(snapshot)
        source = self._source(session, core, snapshot, downtime)
        # who is told
        outbox = StoreOutbox(store, snapshot.last_row)
        subscribers = Subscribers(identity.vapid, settings.http.acknowledges)
        tools = Toolbox(http, session, settings.broker.client_id, __version__, clock, subscribers)
        receivers = ReceiverPool(tools, self.files.rules.receivers)
        attempts, drills = Attempts(clock), Drills(clock, self._sender)
        heard = Observers(*observer.all, attempts, drills)
        dress = self._dress(core, identity.token)
        heirs, may_begin = core.heirs_of, opened.may_begin
        dispatcher = Dispatcher(receivers.lent, outbox, clock, heard, dress=dress, heirs=heirs, may_begin=may_begin)
        # one commit of all that
        pipeline = Pipeline(
            source=source,
            core=core,
            dispatcher=dispatcher,
            store=store,
            outbox=outbox,
            clock=clock,
            observer=observer,
            settings=settings,
            downtime=downtime,
            attempts=attempts,
            subscribers=subscribers,
            tracing=self.tracing,
        )
        # the desk
        self.mirror, self.ask = OwnerMirror(core, store), OwnerAsk(core)
        key, mirror, ask = identity.token, self.mirror, self.ask
        service = Service(pipeline, store, clock, subscribers, drills, token_key=key, mirror=mirror, ask=ask)
        # who looks after it
        custody = Custody(settings.state, store, snapshot, observer.trouble, partial(self.own_status.lost, session))
        self.unit = Unit(
            store=store,
            custody=custody,
            source=source,
            publisher=session,
            pipeline=pipeline,
            dispatcher=dispatcher,
            receivers=receivers,
            service=service,
            channel=self._desk(service),
        )
        files, take = self.files, self._take
        self.reloading = Reload(
            settings=settings, files=files, source=source, pipeline=pipeline, observer=observer, take=take
        )
        later = partial(self._announce_again, later=True)
        self._again = AnnounceAgain(self._announce_again, later, snapshot.meta.get(OWED, ""))

    @property
    def _sender(self) -> Mapping[str, str]:
        """What a notification says of the hub that sends it."""
        return {"client_id": self.settings.broker.client_id, "version": __version__}

    def _core(self, session: Session) -> Core:
        """Make the core of the rules in force. It asks for Sparkplug births only where the settings allow that."""
        settings, rules, registry = self.settings, self.files.rules, self.files.registry
        ask_birth = Rebirths(session, self.clock).ask if settings.rebirth else None
        on_error, zone, prefix = self.observer.rule_error, local_zone(), settings.publish_prefix
        return Core(rules, registry, prefix, self._sender, on_error, zone, settings.discovery, ask_birth)

    def _source(self, session: Session, core: Core, snapshot: Snapshot, downtime: Downtime) -> EventSource:
        """Read the session, and the queues of `sources:` beside it, from the position of the last commit."""
        kept, queues = snapshot.position(BROKER), self.settings.sources
        source = MqttSource(session, core.engine, self.clock, kept, downtime.last_heard)
        if not queues:
            return source
        return open_sources(source, queues, snapshot.position, self.settings.broker.client_id, self.observer.trouble)

    def _dress(self, core: Core, key: bytes) -> Callable[[Notification], Notification]:
        """Return a function that adds what a notification has only on its way out: names, links, the trace."""
        url = self.settings.http.url
        links = Links(url, key, self._takes_links).dress if url else None
        return partial(
            _dressed, [each for each in (named(core.own_names), links, self.tracing and self.tracing.dress) if each]
        )

    def _desk(self, service: Service) -> DeskChannel:
        """Make the channel by which requests come over MQTT, with a session of its own."""
        settings = self.settings

        def connect() -> Session:
            return open_session(desk_settings(settings.broker), None, lambda _: None)

        return DeskChannel(connect, settings.publish_prefix, service, self.observer.trouble, self._heard(), (DROPPED,))

    def _watch_itself(self, snapshot: Snapshot, http: aiohttp.ClientSession) -> None:
        """Make the part that watches the hub itself, and the heartbeat where `heartbeat:` names somebody to tell."""
        self._count_for(self.files)
        unit, state = self.unit, self.settings.state
        standing, engine = unit.dispatcher.standing, unit.pipeline.core.engine
        topics, misses, look = sorted(set(spoken(engine.states.values()))), engine.work.misses, self.unit.custody.look
        self.watcher = SelfWatcher(
            self.tally,
            self.unit.pipeline,
            standing,
            self.clock,
            state,
            snapshot.meta,
            topics,
            misses,
            look,
            self.peers,
        )
        self.heartbeat: Heartbeat | None = None
        if self.settings.heartbeat is not None:

            def trouble(message: str) -> None:
                self.observer.trouble("heartbeat", message)

            connected: Callable[[], bool] = lambda: self.tally.connected  # noqa: E731
            self.heartbeat = Heartbeat(self.settings.heartbeat, http, self.unit.pipeline, connected, trouble)

    def _count_for(self, files: Files) -> None:
        """Do not count what alerts about the hub itself cause: else such an alert would keep itself firing."""
        self.tally.ignored = about_itself(files.rules.rules.values()) | {ALERTNAME}

    async def _live(self, earlier: Sequence[str]) -> None:
        """Run every long-lived task in one group; the first that dies ends all, loudly."""
        gc.freeze()  # rules, modules and state live as long as the process
        async with crew() as group:
            group.spawn("unit", self._work(earlier))
            background = [
                group.spawn("watch", watch(self._paths(), self.reload, self._seen)),
                group.spawn("reload", self.reloading.run(self._changed)),
                group.spawn("self-watch", self.watcher.run()),
                group.spawn("discovery", self._again.run()),
                *([group.spawn("heartbeat", self.heartbeat.run())] if self.heartbeat else []),
                *(group.spawn(each.name, each.run(self)) for each in self._beside),
            ]
            await self._stop.wait()
            for task in background:
                task.cancel()
            self.observer.session("stopping", "")
            await self.unit.drain(partial(self.own_status.offline, self.unit.publisher))
            insist(background)

    async def _work(self, earlier: Sequence[str]) -> None:
        """Run the unit. A single hub ends with its unit: it has no other state that it could stand by for.

        Raises:
            SessionTakenOver: another hub has our client id. If we went on, the two would take the session from each
                other for ever.

        """
        lost = await self.unit.run(self.files.rules.filters(), earlier)
        if lost is not None:
            raise lost

    # what the broker tells

    def _notice(self, notice: Notice) -> None:
        if notice.kind == "refused":  # only a reload asks for new filters, and it goes back to the old ones
            self.reloading.refused(notice.detail)
            return
        self.unit.pipeline.notice(notice)
        if notice.kind == "connected":
            self.reloading.granted()
            self.unit.custody.met(resumed=notice.detail == "resumed")
            self.own_status.online(self.unit.publisher)

    def _heard(self) -> Mapping[str, Heard]:
        """Return the topics that the hub listens to beside events and requests, and who hears them."""
        heard: dict[str, Heard] = {DROPPED: self._broker_drops}
        if self.settings.discovery:
            heard[status_topic(self.settings.discovery)] = self._home_assistant
        return heard

    async def _broker_drops(self, total: bytes, _kept: bool) -> None:
        """Hear the broker's own count of messages that it has dropped (`$SYS`)."""
        self.watcher.broker_says(total)

    async def _home_assistant(self, status: bytes, kept: bool) -> None:
        """Hear that Home Assistant starts or ends. It has forgotten what we announced only where it starts now."""
        if status == b"online" and not kept:  # a retained "online" is from an earlier start
            await self._again.ask()

    async def _announce_again(self, *, later: bool = False) -> None:
        """Announce all alerts again, or note in the store that this is to be done `later`.

        On a disk that cannot be written nothing is done: AnnounceAgain asks for it again.
        """

        def change(core: Core, now: float) -> None:
            self.unit.pipeline.notes[OWED] = "1" if later else ""
            if not later:
                core.announce_again(now)

        with contextlib.suppress(StoreError):
            await self.unit.pipeline.perform(change)

    def _store_trouble(self, message: str) -> None:
        self.observer.trouble("store", message or f"{self.settings.state}: written again, nothing was lost")

    # receivers and reload

    def _takes_links(self, name: str) -> bool:
        receiver = self.files.rules.receivers.get(name)
        return receiver is not None and receiver.takes_links()

    def _paths(self) -> Sequence[Path]:
        return (*self.settings.rules, *self.settings.devices)

    def _take(self, files: Files) -> None:
        """Replace the old files by new ones, in one turn of the loop: no event is evaluated with a half of each."""
        self.files = files
        PEOPLE.zone = people_of(files.rules)
        self._count_for(files)
        unit = self.unit
        unit.receivers.renew(files.rules.receivers)
        unit.pipeline.reload(files.rules, files.registry)
        unit.dispatcher.reload(unit.receivers.lent, unit.pipeline.core.heirs_of)  # which the core has just learned
        unit.receivers.close_replaced(unit.dispatcher.done_with)


@contextlib.contextmanager
def _nothing_is_garbage() -> Iterator[None]:
    """Look for no garbage while a state is brought in: all of what is made stays, and to look takes a tenth of it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _dressed(dresses: Sequence[Callable[[Notification], Notification]], notification: Notification) -> Notification:
    """Return a notification with all that goes out beside what the outbox holds."""
    for dress in dresses:
        notification = dress(notification)
    return notification
