"""The live view on a terminal: five screens over one model, which the hub's feed keeps up to date.

Messages of the feed enter the model as fast as they come. The screen in sight is drawn once in LIVE_REFRESH_SECONDS.
"""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Input, Static, TabbedContent, TabPane

from hub.errors import HubError
from hub.limits import LIVE_AGAIN_SECONDS, LIVE_READ_SECONDS, LIVE_REFRESH_SECONDS
from hub.operate.live.dialogs import SilenceForm, TextPage
from hub.operate.live.feed_link import FeedLink
from hub.operate.live.header import Head
from hub.operate.live.live_model import Model
from hub.operate.live.live_texts import HELP, matchers_for, whole, why_not_text, why_text
from hub.operate.live.panes import ALERTS, ATTEMPTS, DEVICES, EVENTS, RECEIVERS, RULES, PaneKind, found_by
from hub.operate.live.rows import Rows
from hub.printable import shown

__all__ = ["LiveView"]

_TABS = ("alerts", "events", "rules", "devices", "deliveries")
_KINDS: Mapping[str, tuple[PaneKind, ...]] = {
    "alerts": (ALERTS,),
    "events": (EVENTS,),
    "rules": (RULES,),
    "devices": (DEVICES,),
    "deliveries": (RECEIVERS, ATTEMPTS),
}
_READS = {"rules": "rules", "devices": "devices", "deliveries": "receivers"}
"""What each tab reads again and again while it is in sight: the feed does not tell it."""


class LiveView(App[None]):
    """The view of one hub. `by` signs the user's commands where the hub has no tokens; `notes` head the help page."""

    TITLE = "hub"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "live.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "ack", "Ack"),
        Binding("u", "unack", "Undo", show=False),
        Binding("s", "silence", "Silence"),
        Binding("w", "why", "Why"),
        Binding("r", "retry", "Retry", show=False),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("p,space", "pause", "Pause", key_display="p"),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q,ctrl+c", "quit", "Quit", key_display="q"),
        Binding("escape", "end_filter", "End filter", show=False),
        Binding("tab", "tab(1)", "Next", show=False, priority=True),
        Binding("shift+tab", "tab(-1)", "Previous", show=False, priority=True),
        *(Binding(str(number), f"go('{name}')", name, show=False) for number, name in enumerate(_TABS, 1)),
    ]

    def __init__(self, link: FeedLink, by: str, notes: str = "") -> None:
        """Show the hub at the other end of `link`. Colours follow the variable NO_COLOR."""
        plain = "NO_COLOR" in os.environ
        super().__init__(ansi_color=plain)
        self.theme = "ansi-dark" if plain else "textual-dark"
        self.animation_level = "none"
        self.link, self.by, self.notes = link, by, notes
        self.model = Model()
        self.head = Head(self.model, link.url)
        self.tabs = TabbedContent(initial=_TABS[0], id="tabs")
        self.tables = {
            name: [Rows(kind, f"rows-{name}-{place}") for place, kind in enumerate(_KINDS[name])] for name in _TABS
        }
        self.detail = Static("", id="detail", markup=False)
        self.said = Static("", id="said", markup=False)
        self.box = Input(placeholder="words that must occur; Enter keeps the filter, Esc ends it", compact=True)
        self.box.display = False
        self.paused = False
        self._drawn = -1
        self._turned = asyncio.Event()
        self._words: list[str] = []
        self._said = ""

    # the screens

    def compose(self) -> ComposeResult:
        """Lay out the head, the tabs with their tables, a row's detail, the filter, the foot. Textual calls this."""
        yield self.head
        with self.tabs:
            for number, name in enumerate(_TABS, 1):
                with TabPane(f"{number} {name}", id=name), Vertical():
                    yield from self.tables[name]
        yield self.detail
        yield self.box
        yield self.said
        yield Footer()

    def on_mount(self) -> None:
        """Start what hears the feed, what reads the API, and what draws."""
        self.run_worker(self._hear(), name="feed", exit_on_error=True)
        self.run_worker(self._read(), name="reads", exit_on_error=True)
        self.set_interval(LIVE_REFRESH_SECONDS, self._tick)
        self.set_interval(1.0, self._second)
        self._show_tab()

    @property
    def tab(self) -> str:
        """The name of the tab in sight."""
        return self.tabs.active or _TABS[0]

    @property
    def rows(self) -> Rows:
        """The table that keys act on: the focused one, else the first of the tab."""
        here = self.tables[self.tab]
        return next((each for each in here if each.has_focus), here[0])

    def draw(self) -> None:
        """Draw the tab in sight from the model as it is now."""
        self._drawn = self.model.changes
        now = self.model.now(time.time())
        for table in self.tables[self.tab]:
            kind = table.kind
            table.put([each for each in kind.items(self.model) if found_by(kind, each, self._words)], now)
        self._draw_around()

    def _draw_around(self) -> None:
        """Draw what stands around the tables. A pause does not stop this, so that a lost feed is seen at once."""
        self.head.paused = self.paused
        self.head.refresh()
        line = self.model.away or self._said or self._standing()
        self.said.update(Text(line, "bold" if self.model.away else "", no_wrap=True))

    def _standing(self) -> str:
        """Say what the tables leave out, and the newest notice."""
        parts = []
        if self._words:
            parts.append(f"filter: {' '.join(self._words)}")
        if self.tab == "events" and self.model.unseen:
            parts.append(f"a sample: {self.model.unseen:,} events were not shown")
        if self.tab == "devices" and self.model.heard > len(self.model.devices):
            parts.append(f"the {len(self.model.devices):,} heard last, of {self.model.heard:,}")
        if self.tab == "alerts" and self.model.more_alerts:
            parts.append(f"{self.model.more_alerts:,} more alerts are not shown")
        parts += [shown(each, 200) for each in list(self.model.notices)[-1:]]
        return " · ".join(parts)

    def _tick(self) -> None:
        """Draw again where the model has changed."""
        if self.paused:
            self._draw_around()
        elif self._drawn != self.model.changes:
            self.draw()

    def _second(self) -> None:
        """Draw once a second though nothing has changed: ages grow."""
        self.model.forget_old(time.time())
        if not self.paused:
            self.draw()

    def on_rows_moved(self) -> None:
        """Show the row under the cursor in full."""
        rows = self.rows
        detail = rows.kind.detail(rows.chosen) if rows.chosen else ""
        self.detail.update(Text(detail))

    def on_rows_opened(self) -> None:
        """Show all fields of the row under the cursor."""
        if chosen := self.rows.chosen:
            self.push_screen(TextPage("all of it", whole(chosen)))

    def on_tabbed_content_tab_activated(self) -> None:
        """Show a tab that the user has clicked. Textual calls this for keys, too."""
        self._show_tab()

    def _show_tab(self) -> None:
        self._turned.set()  # what the tab shows is read at once, not at the next turn
        self.rows.focus()
        self.draw()

    # what comes from the hub

    async def _hear(self) -> None:
        """Hear the feed for ever. While it is away, say why, and try again after ever longer pauses."""
        pause, longest = LIVE_AGAIN_SECONDS
        while True:
            try:
                async for message in self.link.messages(self.model.since):
                    if message.get("type") == "gap" or not self.model.status:  # what was missed does not come again
                        await self._load()
                    if self.model.away:  # it is there again, without a gap
                        self.model.connected(self.model.status)
                        pause = LIVE_AGAIN_SECONDS[0]
                    self.model.hear(message, time.time())
                self.model.lost(f"the hub at {self.link.url} has closed the feed; trying again")
            except HubError as error:
                self.model.lost(str(error))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, longest)

    async def _load(self) -> None:
        """Read the whole state. Messages that come meanwhile wait in the connection, and are heard after it."""
        status = await self.link.read("status")
        self.model.take_alerts((await self.link.read("alerts")).get("alerts", ()))
        self.model.connected(status)

    async def _read(self) -> None:
        """Read, for ever, what the tab in sight shows and the feed does not tell."""
        while True:
            name = _READS.get(self.tab)
            if name and not self.paused and not self.model.away:
                try:
                    self.model.take(name, await self.link.read(name))
                except HubError as error:
                    self.say(str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LIVE_READ_SECONDS):
                    await self._turned.wait()
            self._turned.clear()

    # keys

    def say(self, text: str) -> None:
        """Show a text at the foot for five seconds."""
        self._said = shown(text, 300)
        self._draw_around()
        self.set_timer(5.0, self._unsay)

    def _unsay(self) -> None:
        self._said = ""
        self._draw_around()

    def _alert(self) -> Mapping[str, Any] | None:
        """Return the alert under the cursor; None where there is none, which the foot then says."""
        if self.tab == "alerts" and self.rows.chosen:
            return self.rows.chosen
        self.say("go to an alert first (key 1)")
        return None

    def _desk(self, name: str, request: Mapping[str, Any], done: Callable[[Mapping[str, Any]], str]) -> None:
        """Send a command while the screens go on; the foot then says `done` of the answer, or why the hub refused."""

        async def carry_out() -> None:
            try:
                self.say(done(await self.link.command(name, self._by(request))))
            except HubError as error:
                self.say(str(error))

        self.run_worker(carry_out(), name=name)

    def _by(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add the user's name to a request, unless the hub knows it by the token."""
        return request if self.model.status.get("login") else {"by": self.by, **request}

    def action_ack(self) -> None:
        """Acknowledge the alert under the cursor."""
        if alert := self._alert():
            self._desk("ack", {"id": alert["id"]}, lambda _: f"acknowledged: {alert['alertname']}")

    def action_unack(self) -> None:
        """Take the acknowledgement back."""
        if alert := self._alert():
            self._desk("unack", {"id": alert["id"]}, lambda _: f"taken back: {alert['alertname']}")

    def action_silence(self) -> None:
        """Open the form of a silence, filled in for the alert under the cursor."""
        if alert := self._alert():
            self.push_screen(SilenceForm(matchers_for(alert), self._silence))

    async def _silence(self, matchers: str, lasting: str, comment: str) -> str:
        """Send the form of a silence; return why the hub refused, "" where it has not."""
        request = {"matchers": matchers, "for": lasting, "comment": comment}
        try:
            answer = await self.link.command("silence", self._by(request))
        except HubError as error:
            return shown(error, 300)
        done = f"silent until {answer['silence']['endsAt']}: {answer['silenced']} firing now"
        self.say("; ".join([*answer.get("warnings", ()), done]))  # the line is cut at the edge: warnings come first
        return ""

    def action_why(self) -> None:
        """Show why the alert under the cursor came, or why the rule under it tells nobody."""
        item = self.rows.chosen
        if item and self.tab == "rules":
            self._explain("why not", "why-not", {"rule": str(item["name"])}, why_not_text)
        elif alert := self._alert():
            self._explain("why", "why", {"alert": str(alert["id"])}, why_text)

    def _explain(
        self, title: str, path: str, query: Mapping[str, str], words: Callable[[Mapping[str, Any]], str]
    ) -> None:
        """Ask the API, and show `words` of its answer as a page."""

        async def explain() -> None:
            try:
                self.push_screen(TextPage(title, words(await self.link.read(path, **query))))
            except HubError as error:
                self.say(str(error))

        self.run_worker(explain(), name=path)

    def action_retry(self) -> None:
        """Queue all dead letters of the receiver under the cursor again."""
        item = self.rows.chosen
        if self.tab != "deliveries" or not item or self.rows.kind is not RECEIVERS:
            self.say("go to a receiver first (key 5)")
            return
        request = {"receiver": item["name"], "all": True}
        self._desk("outbox-retry", request, lambda answer: f"queued again: {len(answer.get('outbox', ()))}")

    def action_pause(self) -> None:
        """Let the tables stand still, or go on; the feed is heard in either case."""
        self.paused = not self.paused
        self.draw()

    def action_help(self) -> None:
        """Show what the keys do."""
        self.push_screen(TextPage("help", f"{self.notes}\n{HELP}" if self.notes else HELP))

    def action_go(self, name: str) -> None:
        """Go to the tab of this name."""
        self.tabs.active = name

    def action_tab(self, by: int) -> None:
        """Go to the next table of the tab, and after the last one to the next tab; -1 goes back."""
        if len(self.screen_stack) > 1:  # a form lies over the tables: the key goes through its fields
            self.screen.focus_next() if by > 0 else self.screen.focus_previous()
            return
        tables = self.tables[self.tab]
        place = tables.index(self.rows) + by
        if 0 <= place < len(tables):
            tables[place].focus()
        else:
            self.action_go(_TABS[(_TABS.index(self.tab) + by) % len(_TABS)])

    # the filter

    def action_filter(self) -> None:
        """Open the field for words that must occur."""
        self.box.display = True
        self.box.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the user types: each word must occur."""
        if event.input is self.box:
            self._words = event.value.lower().split()
            self.draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter, close its field, and go back to the table."""
        if event.input is self.box:
            self.box.display = False
            self.rows.focus()

    def action_end_filter(self) -> None:
        """End the filter, so that all rows are shown again."""
        self.box.value, self.box.display = "", False
        self._words = []
        self.rows.focus()
        self.draw()
