import io
import json

import pytest

from hub.clock import ManualClock
from hub.model import Delivered, Retry
from hub.operate.log import LogObserver
from tests.operate.support import NOW, body, event, notification


class Log:
    def __init__(self, **options):
        self.clock = ManualClock(NOW)
        self.stream = io.StringIO()
        self.observer = LogObserver(self.stream, self.clock, **options)

    def lines(self):
        self.observer.close()
        return self.stream.getvalue().splitlines()


@pytest.fixture
def log():
    return Log()


def test_a_line_has_time_kind_text_and_the_id_of_its_alert(log):
    log.observer.alert(body())
    assert log.lines() == [
        "2026-03-01T00:55:00.000Z firing critical FreezerTooWarm site=a device=7: 7 at a is -12.5 °C id=f00d-1-f"
    ]


def test_events_and_pending_alerts_are_not_for_the_log(log):
    log.observer.events([event()] * 100, NOW)
    log.observer.alert(body("pending"))
    log.observer.delivery(notification(), Delivered(), 1, NOW)
    assert log.lines() == []


def test_as_json_each_line_is_an_object_with_what_a_program_asks_for():
    log = Log(as_json=True)
    log.observer.alert(body("resolved", reason="cleared", episode=3))
    line = json.loads(log.lines()[0])
    assert line["time"] == "2026-03-01T00:55:00.000Z"
    assert line["kind"] == "resolved"
    assert line["alertname"] == "FreezerTooWarm"
    assert line["labels"]["device"] == "7"
    assert (line["reason"], line["episode"], line["id"]) == ("cleared", 3, "f00d-1-f")


def test_a_receiver_that_fails_is_told_once_a_minute_and_when_it_works_again(log):
    for attempt in range(1, 100):
        log.observer.delivery(notification(), Retry("HTTP 503"), attempt, log.clock.now())
        log.clock.advance(1)
    log.observer.delivery(notification(), Delivered(), 100, log.clock.now())
    first, second, again = log.lines()
    assert "chat: FreezerTooWarm firing site=a device=7, attempt 1: HTTP 503; it will be tried again" in first
    assert "attempt 61" in second
    assert again.endswith("delivers chat takes notifications again after 99.0 s, 99 failed attempts")


def test_two_receivers_that_fail_are_told_each(log):
    log.observer.delivery(notification("chat"), Retry("HTTP 503"), 1, NOW)
    log.observer.delivery(notification("email"), Retry("timed out"), 1, NOW)
    assert len(log.lines()) == 2


def test_a_receiver_that_fails_by_turns_does_not_flood_the_log(log):
    for _ in range(1000):
        log.observer.delivery(notification(), Retry("HTTP 503"), 1, NOW)
        log.observer.delivery(notification(), Delivered(), 2, NOW)
        log.clock.advance(0.01)
    assert len(log.lines()) == 2


def test_rubbish_from_devices_is_told_once_a_minute_with_its_count(log):
    for _ in range(500):
        log.observer.decode_error("t/x", b"\x1b[", "not JSON")
        log.observer.rule_error("R", "t/x", "no such field: a")
    log.clock.advance(61)
    log.observer.decode_error("t/x", b"{", "not JSON")
    log.observer.rule_error("R", "t/x", "no such field: a")
    assert [line.partition("Z ")[2] for line in log.lines()] == [
        "unread t/x \\x1b[: not JSON",
        "no-value R on t/x: no such field: a",
        "unread t/x {: not JSON (499 more since the last such line)",
        "no-value R on t/x: no such field: a (499 more since the last such line)",
    ]


def test_what_was_given_up_is_always_told(log):
    for _ in range(5):
        log.observer.dead(notification(), "HTTP 400")
    assert len(log.lines()) == 5


def test_troubles_session_and_reload_are_lines_of_their_own(log):
    log.observer.trouble("rules", "a.yaml:1:2: bad\na.yaml:2:2: worse")
    log.observer.session("session_lost", "")
    log.observer.reloaded("8 rules, 1 changed")
    log.observer.clock_set(-3600.2)
    assert [line.partition("Z ")[2] for line in log.lines()] == [
        "trouble rules: a.yaml:1:2: bad",
        "trouble rules: a.yaml:2:2: worse",
        "session-lost the broker had forgotten us and what it held for us; subscribed anew",
        "reloaded 8 rules, 1 changed",
        "clock set 1h back; timers go on as before",
    ]


def test_a_newline_in_a_label_makes_no_second_log_line(log):
    log.observer.alert(body(labels={"device": "x\n2026 forged"}, summary="\r\nforged"))
    assert len(log.lines()) == 1
