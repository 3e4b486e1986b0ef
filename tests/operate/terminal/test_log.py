import inspect
import io
import json
from dataclasses import replace

import pytest

from hub.clock import ManualClock
from hub.model import Delivered, Retry
from hub.observer import Observer
from hub.operate.terminal.log import LogObserver
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
    log.observer.cluster("owner", "node a owns main, from record 7: b is silent")
    log.observer.reloaded("8 rules, 1 changed")
    log.observer.clock_set(-3600.2)
    assert [line.partition("Z ")[2] for line in log.lines()] == [
        "trouble rules: a.yaml:1:2: bad",
        "trouble rules: a.yaml:2:2: worse",
        "session-lost the broker had forgotten us and what it held for us; subscribed anew",
        "owner node a owns main, from record 7: b is silent",
        "reloaded 8 rules, 1 changed",
        "clock set 1h back; timers go on as before",
    ]


def test_a_newline_in_a_label_makes_no_second_log_line(log):
    log.observer.alert(body(labels={"device": "x\n2026 forged"}, summary="\r\nforged"))
    assert len(log.lines()) == 1


# every line about an alert has its id


def ack(at="2026-03-01T00:55:00.000Z", by="olga", comment=""):
    return {"by": by, "comment": comment, "at": at, "until": None}


def heard(method, log):
    """Let the log hear of the alert f00d by this method of an observer, whatever it takes."""
    values = {
        "notification": notification(),
        "outcome": Retry("HTTP 503"),
        "body": body(acknowledged=ack(), held={"stage": "silence", "detail": "12ab"}),
        "detail": {"changed": ["f00d-1-f"]},
        "attempt": 1,
        "now": NOW,
    }
    if method == "queued":
        values["notification"] = replace(notification(), id="f00d-1-escalate-1")
    wanted = list(inspect.signature(getattr(Observer, method)).parameters)[1:]
    getattr(log.observer, method)(*[values.get(name, "why") for name in wanted])


ABOUT_ALERTS = [
    name
    for name, method in inspect.getmembers(Observer, inspect.isfunction)
    if {"notification", "body", "detail"} & set(inspect.signature(method).parameters)
    and not {"kind", "circuit"} & set(inspect.signature(method).parameters)
]


@pytest.mark.parametrize("method", ABOUT_ALERTS)
@pytest.mark.parametrize("as_json", [False, True])
def test_each_line_that_a_call_about_an_alert_makes_has_its_id(method, as_json):
    log = Log(as_json=as_json)
    heard(method, log)
    lines = log.lines()
    assert lines
    for line in lines:
        assert json.loads(line)["id"].startswith("f00d-1-") if as_json else " id=f00d-1-" in line


def test_all_calls_about_alerts_are_among_those():
    assert set(ABOUT_ALERTS) == {
        "alert", "queued", "delivery", "dead", "superseded", "fallback", "dropped", "command"
    }  # fmt: skip


def said(log):
    return [line.partition("Z ")[2].partition(":")[0] for line in log.lines()]


def test_care_for_a_firing_alert_is_told_once_with_who_and_why(log):
    log.observer.alert(body(acknowledged=None))
    for _ in range(3):
        log.observer.alert(body(acknowledged=ack(comment="on my way"), desk=True))
    log.observer.alert(body(acknowledged=None, desk=True))
    log.observer.alert(body("resolved", acknowledged=None))
    assert said(log) == [
        "firing critical FreezerTooWarm site=a device=7",
        "acknowledged by olga (on my way)",
        "unacknowledged critical FreezerTooWarm site=a device=7",
        "resolved critical FreezerTooWarm site=a device=7",
    ]


def test_what_holds_a_firing_alert_back_is_told_and_when_it_does_no_more(log):
    silence, mute = {"stage": "silence", "detail": "12ab"}, {"stage": "mute", "detail": ""}
    log.observer.alert(body(held=silence))
    log.observer.alert(body(held=silence, desk=True))
    log.observer.alert(body(held=mute, desk=True))
    log.observer.alert(body(held=None, desk=True))
    log.observer.alert(body(held=None, desk=True))
    assert said(log)[1:] == ["held by silence 12ab", "held by mute", "released held back no more by mute"]


def test_an_acknowledgement_from_before_a_restart_is_not_told_again(log):
    log.observer.alert(body(acknowledged=ack("2026-03-01T00:54:59.999Z"), desk=True))
    assert log.lines() == []


def test_a_new_episode_begins_with_nothing_known(log):
    log.observer.alert(body(acknowledged=ack(), desk=True))
    log.observer.alert(body("resolved"))
    log.observer.alert(body(held=None))
    assert [line.split()[0] for line in said(log)] == ["acknowledged", "resolved", "firing"]


def test_a_command_is_told_with_actor_way_and_what_was_asked(log):
    changed = [f"{n:016x}-1-firing" for n in range(12)]
    log.observer.command("olga", "http", "ack", {"comment": "here\n", "token": "secret", "changed": changed})
    (line,) = log.lines()
    assert 'command ack by olga (http) {"comment":"here\\n"} and 2 more id=0000000000000000-1-firing,' in line
    assert "secret" not in line
    assert line.count("-1-firing") == 10
