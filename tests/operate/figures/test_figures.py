import io
import json

import pytest
from rich.console import Console

from hub.model import OWN, Delivered, Notification, Rejected, Retry
from hub.operate.figures.figures import Figures
from hub.operate.figures.summary import seconds_shown
from tests.operate.support import NOW, body, event, notification


@pytest.fixture
def figures():
    figures = Figures()
    for second in range(10):
        figures.events([event()] * 200, NOW + second)
        figures.committed(200, 0.004)
    figures.alert(body("pending"))
    figures.alert(body("firing"))
    figures.alert(body("resolved"))
    figures.delivery(notification(), Retry("HTTP 503"), 1, NOW + 0.1)
    figures.delivery(notification(), Retry("HTTP 503"), 2, NOW + 0.2)
    figures.delivery(notification(), Delivered(), 3, NOW + 2)
    figures.delivery(notification(state="resolved"), Delivered(), 1, NOW + 0.01)
    figures.delivery(notification("email"), Rejected("HTTP 400"), 1, NOW)
    figures.dead(notification("email"), "HTTP 400")
    figures.decode_error("t", b"{", "not JSON")
    figures.rule_error("R", "t", "no such field")
    figures.session("connected", "")
    figures.session("disconnected", "")
    figures.session("connected", "")
    return figures


def test_the_four_figures_are_counted_from_what_the_pipeline_tells(figures):
    summary = figures.summary()
    assert (summary.egr.total, summary.egr.peak) == (2000, 200)
    assert summary.egr.per_second == pytest.approx(2000 / 9)
    assert summary.epl.p50 == pytest.approx(0.004, rel=0.05)
    assert summary.nsr.total == 2
    assert summary.npl.longest == pytest.approx(2)


def test_attempts_that_failed_are_no_deliveries_but_are_counted(figures):
    summary = figures.summary()
    assert (summary.failed_attempts, summary.delayed, summary.dead) == (2, 1, 1)
    assert (summary.sent_firing, summary.sent_resolved, summary.sent_event) == (1, 1, 0)


def test_alerts_are_counted_by_the_state_they_went_to(figures):
    summary = figures.summary()
    assert (summary.fired, summary.resolved) == (1, 1)


def test_the_first_connection_is_no_reconnect(figures):
    assert figures.summary().reconnects == 1
    fresh = Figures()
    fresh.session("connected", "")
    assert fresh.summary().reconnects == 0


def test_the_summary_says_the_same_as_table_lines_and_json(figures):
    summary = figures.summary()
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(summary.table())
    table, plain, parsed = console.export_text(), summary.plain(), json.loads(summary.json())
    for text in (table, plain):
        assert "2,000, 222.2/s, at most 200/s" in text
        assert "1 fired, 1 resolved" in text
        assert "1 given up" in text
        assert all(name in text for name in ("EGR", "EPL", "NSR", "NPL"))
    assert max(map(len, table.splitlines())) <= 80
    assert parsed["egr"]["total"] == 2000
    assert parsed["fired"] == 1


def test_the_summary_of_nothing_is_all_zero_and_has_no_trouble():
    summary = Figures().summary()
    assert "0 fired, 0 resolved" in summary.plain()
    assert "given up" not in summary.plain()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.00042, "0.42 ms"),
        (0.0042, "4.2 ms"),
        (0.0123, "12 ms"),
        (0.9999, "1.0 s"),
        (1.26, "1.3 s"),
        (480, "8 min"),
    ],
)
def test_latencies_are_read_at_a_glance(seconds, text):
    assert seconds_shown(seconds) == text


def test_a_batch_costs_the_same_whatever_its_length():
    counted = []

    class Batch(list):
        def __iter__(self):
            counted.append(1)
            return super().__iter__()

    Figures().events(Batch([event()] * 5), NOW)
    assert not counted


def test_the_hubs_own_state_on_mqtt_is_no_notification():
    figures = Figures()
    own = Notification("f00d-v1", OWN, "f00d", {"topic": "hub/alerts/X", "payload": {}, "retain": True}, NOW)
    figures.queued(own)
    figures.delivery(own, Delivered(), 1, NOW)
    summary = figures.summary()
    assert (summary.nsr.total, summary.queued) == (0, 0)
