"""The live view without a terminal: messages of the feed go in, rows, texts and figures come out."""

import pytest

from hub.alerts.matchers import parse_matchers
from hub.limits import LIVE_ALERTS, LIVE_LINES, RESOLVED_KEPT_SECONDS
from hub.operate.live.header import figure_shown, sparkline
from hub.operate.live.live_model import Model, seconds_of
from hub.operate.live.live_texts import matchers_for, whole, why_not_text, why_text
from hub.operate.live.panes import ALERTS, ATTEMPTS, DEVICES, EVENTS, RECEIVERS, RULES, Column, age, found_by
from hub.operate.live.rows import widths
from tests.operate.live.stand import NOON, alert, figures

KINDS = (ALERTS, EVENTS, RULES, DEVICES, RECEIVERS, ATTEMPTS)


def message(kind, data, number=1, time=NOON):
    return {"id": f"1-{number}", "type": kind, "time": time, "data": data}


def heard(*messages):
    model = Model()
    for number, (kind, data) in enumerate(messages, 1):
        model.hear(message(kind, data, number), 0.0)
    return model


def test_alerts_stand_firing_first_then_by_severity_then_the_youngest():
    model = heard(
        ("alert", alert("Old", mark="1")),
        ("alert", alert("Young", mark="2", since="2026-03-01T11:59:00.000Z")),
        ("alert", alert("Over", "resolved", mark="3", severity="critical")),
        ("alert", alert("Worst", mark="4", severity="critical")),
        ("alert", alert("Soon", "pending", mark="5")),
    )
    assert [each["alertname"] for each in ALERTS.items(model)] == ["Worst", "Young", "Old", "Soon", "Over"]


def test_an_alert_that_is_over_goes_when_the_hub_lets_it_go():
    model = heard(("figures", figures()), ("alert", alert("Over", "resolved", until=NOON)))
    model.forget_old(RESOLVED_KEPT_SECONDS - 1)
    assert model.alerts
    model.forget_old(RESOLVED_KEPT_SECONDS + 1)
    assert not model.alerts


@pytest.mark.parametrize("first", [("hello", {}), ("figures", figures())])
def test_ages_are_counted_on_the_hubs_clock_however_ours_is_set(first):
    model = heard(first)
    assert model.now(5.0) == seconds_of(NOON) + 5.0


def test_what_is_kept_is_bounded_and_what_is_not_shown_is_counted():
    model = heard(
        *(("event", {"topic": "t", "payload": n, "skipped": 9}) for n in range(LIVE_LINES + 50)),
        *(("alert", alert(mark=str(n))) for n in range(LIVE_ALERTS + 3)),
    )
    assert (len(model.events), len(model.alerts), model.more_alerts) == (LIVE_LINES, LIVE_ALERTS, 3)
    assert model.unseen == 9 * (LIVE_LINES + 50)
    assert next(iter(EVENTS.items(model)))["payload"] == LIVE_LINES + 49


def test_a_message_of_a_kind_that_is_not_known_or_not_whole_changes_nothing_else():
    model = heard(("new-kind", {"x": 1}), ("alert", None), ("event", []), ("figures", {}), ("trouble", {}))
    assert not model.alerts
    assert model.since == "1-5"


def test_every_row_can_be_drawn_whatever_is_missing_from_it():
    bare = {"number": 1, "state": "firing", "type": "delivery"}
    for kind in KINDS:
        cells = kind.cells(bare, 0.0)
        assert len(cells) == len(kind.columns)
        assert all(isinstance(cell, str) for cell in cells)
        assert isinstance(kind.detail(bare), str)
        assert found_by(kind, bare, [])
        assert not found_by(kind, bare, ["never-in-there"])


def test_no_cell_and_no_text_lets_a_control_character_through():
    bad = "a\x1b[2J\r\n\t\x9b\u202e"
    item = dict.fromkeys(("summary", "alertname", "topic", "payload", "device", "name", "last_error", "reason"), bad)
    item |= {"labels": {bad: bad}, "attributes": {bad: bad}, "number": 1, "state": "firing", "type": "delivery"}
    item |= {"acknowledged": {"by": bad, "comment": bad}, "held": {"stage": bad, "detail": bad}, "topics": [bad]}
    item |= {"receiver": bad, "to": bad, "by": bad, "file": bad, "when": bad, "circuit": bad, "presence": bad}
    story = {"alerts": [{"alertname": bad, "labels": {bad: bad}, "trace": [{"kind": bad, "time": bad, "reason": bad}]}]}
    absence = {"sentences": [bad], "instances": [{"labels": {bad: bad}, "state": bad, "sentences": [bad]}]}
    texts = [cell for kind in KINDS for cell in (*kind.cells(item, 0.0), kind.detail(item))]
    texts += [line for text in (whole(item), why_text(story), why_not_text(absence)) for line in text.split("\n")]
    texts.append(matchers_for(item))
    assert not [text for text in texts if not text.isprintable()]


def test_the_matchers_of_an_alert_are_read_by_the_hub_and_match_it_alone():
    odd = 'quote " back \\ star * \x1b\n\u202e'
    matchers = parse_matchers(matchers_for({"alertname": "X", "labels": {"site": odd, "severity": "info"}}))
    assert [each.name for each in matchers] == ["alertname", "site"]
    assert matchers[1].matches({"site": odd})
    assert not matchers[1].matches({"site": odd.replace("*", "+")})
    re2 = pytest.importorskip("re2")  # Alertmanager reads them as RE2 does
    assert re2.fullmatch(matchers[1].value, odd)


def test_ages_are_short():
    now = seconds_of(NOON)
    ages = {0: "0s", 119: "119s", 120: "2m", 3599: "59m", 3600: "1h", 86399: "23h", 86400: "1d", 10**6: "11d"}
    assert {seconds: age("2026-03-01T12:00:00Z", now + seconds) for seconds in ages} == ages
    assert age(None, now) == ""
    assert age("2026-03-01T12:00:10Z", now) == "0s"  # a clock that is a little ahead


def test_a_sparkline_is_of_the_last_values_and_leaves_out_where_there_was_none():
    assert sparkline([1.0, 2.0, None, 8.0], 6) == "  ▂▃ █"
    assert sparkline([9.0, 1.0, 1.0], 2) == "██"
    assert sparkline([0.0, 0.0], 3) == " ▁▁"
    assert sparkline([], 3) == "   "
    assert sparkline([1.0], 0) == ""


def test_figures_are_short():
    assert figure_shown("egr", 5012.4) == "EGR 5,012/s"
    assert figure_shown("nsr", 0.25) == "NSR 0.2/s"
    assert figure_shown("epl", {"p50": 0.0025, "p99": 0.0041}) == "EPL 2.5/4.1 ms"
    assert figure_shown("npl", {"p50": 0.5, "p99": 1.5}) == "NPL 500 ms/1.5 s"
    assert figure_shown("npl", {"p50": None, "p99": None}) == "NPL -"
    assert figure_shown("egr", None) == "EGR -"


def test_columns_share_what_is_left_over_and_the_unimportant_ones_go_first():
    columns = (Column("a", 5), Column("b", 10, 1), Column("c", 10, 3, least=60))
    assert widths(columns, 40) == [5, 34, 0]
    assert widths(columns, 67) == [5, 20, 40]
    assert sum(widths(columns, 20)) + 1 == 20
