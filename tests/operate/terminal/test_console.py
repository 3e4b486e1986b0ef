import io

import pytest
from rich.console import Console

from hub.clock import ManualClock
from hub.model import Delivered, Rejected, Retry
from hub.operate.terminal.console import ConsoleObserver
from tests.operate.support import NOW, body, event, notification


class Terminal:
    def __init__(self, width=80, colour=False, **options):
        self.clock = ManualClock(NOW)
        self.file = io.StringIO()
        console = Console(
            file=self.file, width=width, force_terminal=colour, color_system="standard" if colour else None
        )
        self.observer = ConsoleObserver(console, self.clock, **options)

    def lines(self):
        self.observer.close()
        return [line.rstrip() for line in self.file.getvalue().splitlines()]


@pytest.fixture
def terminal():
    return Terminal()


def test_events_are_sampled_and_the_rest_is_counted(terminal):
    terminal.observer.events([event()] * 3, NOW)
    for _ in range(100):
        terminal.observer.events([event()] * 4, NOW + 0.1)
    terminal.observer.events([event(b"21.5")], NOW + 1)
    terminal.observer.events([event()] * 5, NOW + 1.1)
    first, second, last = terminal.lines()
    assert "site/a/freezer/7/telemetry" in first
    assert first.endswith("… 2 more")
    assert second.endswith("… 400 more")
    assert last.endswith("… 5 more events")


def test_a_batch_of_which_nothing_could_be_read_shows_nothing(terminal):
    terminal.observer.events([], NOW)
    assert terminal.lines() == []


def test_an_event_line_never_wraps_and_its_count_stays_visible(terminal):
    terminal.observer.events([event(b"x" * 500)] * 2, NOW)
    (line,) = terminal.lines()
    assert len(line) <= 80
    assert line.endswith("…  … 1 more")


def test_an_event_that_is_not_shown_is_not_even_looked_at(terminal):
    class Unread(list):
        def __getitem__(self, index):
            raise AssertionError

    terminal.observer.events([event()], NOW)
    terminal.observer.events(Unread([event()]), NOW + 0.1)
    terminal.observer.close()


def test_text_from_a_device_is_neither_markup_nor_control(terminal):
    terminal.observer.events([event(b"[bold red]x[/] \x1b[2J \n")], NOW)
    terminal.observer.alert(body(summary="[link=x]\x07 [/nonsense]", labels={"device": "[red]"}))
    event_line, alert_line = terminal.lines()
    assert "[bold red]x[/] \\x1b[2J \\n" in event_line
    assert "[link=x]\\x07 [/nonsense]" in alert_line
    assert "device=[red]" in alert_line


def test_an_alert_line_has_state_severity_name_labels_and_summary(terminal):
    terminal.observer.alert(body())
    (line,) = terminal.lines()
    assert line[9:] == "firing   critical FreezerTooWarm site=a device=7: 7 at a is -12.5 °C"


def test_a_long_line_goes_on_below_itself_within_80_columns(terminal):
    terminal.observer.alert(body(summary="a very long summary " * 10))
    _, *rest = terminal.lines()
    assert rest
    assert all(line.startswith(" " * 18) and len(line) <= 80 for line in rest)


def test_severity_gives_the_colour_and_the_words_say_it_too():
    critical, warning = Terminal(colour=True), Terminal(colour=True)
    critical.observer.alert(body())
    warning.observer.alert(body(severity="warning"))
    assert "\x1b[1;31mfiring" in critical.lines()[0]
    assert "\x1b[33mfiring" in warning.lines()[0]


def test_no_color_is_obeyed(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal(colour=True)
    terminal.observer.alert(body())
    assert "\x1b[31" not in terminal.lines()[0]
    assert "31m" not in terminal.lines()[0]


def test_deliveries_show_receiver_attempt_outcome_and_latency():
    terminal = Terminal(width=100)
    terminal.observer.delivery(notification(), Retry("HTTP 503"), 1, NOW)
    terminal.observer.delivery(notification(), Delivered(), 2, NOW + 0.012)
    terminal.observer.delivery(notification("email"), Rejected("HTTP 400"), 1, NOW)
    terminal.observer.dead(notification("email"), "HTTP 400")
    text = "\n".join(line[9:] for line in terminal.lines())
    assert text == (
        "retry    chat: FreezerTooWarm firing site=a device=7, attempt 1: HTTP 503\n"
        "sent     chat: FreezerTooWarm firing, 12 ms, attempt 2\n"
        "dead     email: FreezerTooWarm firing site=a device=7: HTTP 400"
    )


def test_a_storm_is_cut_to_what_can_be_read_and_the_rest_is_counted(terminal):
    for _ in range(500):
        terminal.observer.alert(body())
    terminal.clock.advance(1)
    terminal.observer.alert(body("resolved"))
    lines = terminal.lines()
    assert len(lines) == 22
    assert lines[20].endswith("… 480 more lines")
    assert "resolved" in lines[21]


def test_a_trouble_of_many_lines_is_shown_with_all_of_them(terminal):
    terminal.observer.trouble("rules", "rules/a.yaml:1:2: bad\nrules/a.yaml:3:4: worse")
    lines = terminal.lines()
    assert lines[0].endswith("trouble  rules: rules/a.yaml:1:2: bad")
    assert lines[1].endswith("rules/a.yaml:3:4: worse")


def test_the_session_and_reloads_are_told(terminal):
    terminal.observer.session("connected", "resumed")
    terminal.observer.cluster("standby", "node b follows main, which a owns, from record 7")
    terminal.observer.reloaded("8 rules")
    terminal.observer.clock_set(86400.0)
    assert [line[9:] for line in terminal.lines()] == [
        "broker   connected: resumed session",
        "standby  node b follows main, which a owns, from record 7",
        "rules    8 rules",
        "clock    set 1d forward; timers go on as before",
    ]


def test_unreadable_payloads_and_conditions_without_a_value_are_shown(terminal):
    terminal.observer.decode_error("t/x", b"{\x00", "not JSON")
    terminal.observer.rule_error("R", "t/x", "no such field: a")
    assert [line[9:] for line in terminal.lines()] == [
        "unread   t/x {\\x00: not JSON",
        "no value R on t/x: no such field: a",
    ]
