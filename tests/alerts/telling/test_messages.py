"""messages: the notification of a group, its summary, details and severity; what an end by a changed rule says."""

from hub.alerts.telling.conversation import Conversation
from hub.alerts.telling.messages import ended_summary, group_body, member, with_held_back
from hub.limits import GROUP_ALERTS, TEMPLATE_BYTES
from hub.model import Reason

HUB = {"client_id": "hub", "version": "1"}


def shown(number, state="firing", severity="warning", **more):
    body = {"id": f"m{number}-1-{state}", "state": state, "labels": {"severity": severity}, "summary": f"s{number}"}
    body |= {"details": "", "since": f"2026-01-0{number}", "until": None, "runbook": "", "event": None}
    return member(body | more)


def body(firing=(), news=(), count=None):
    it = Conversation("Silent", {"site": "a"}, "f" * 16, episode=3)
    return group_body(it, "x", firing, news, len(firing) + len(news) if count is None else count, HUB)


def test_one_alert_is_told_in_its_own_words():
    made = body([shown(1, details="turn it off")])
    assert (made["summary"], made["details"], made["state"], made["episode"]) == ("s1", "turn it off", "firing", 3)


def test_several_are_counted_and_the_first_three_named():
    assert body([shown(1), shown(2)])["summary"] == "2 Silent (site=a): s1; s2"
    assert body([shown(n) for n in range(1, 6)])["summary"] == "5 Silent (site=a): s1; s2; s3; and 2 more"


def test_it_fires_where_any_of_it_does_and_else_says_what_the_last_one_is():
    over = shown(2, "resolved", until="2026-02-01")
    assert body([shown(1)], [over])["state"] == "firing"
    assert (body([], [over])["state"], body([], [over])["until"]) == ("resolved", "2026-02-01")


def test_its_severity_is_the_worst_of_what_it_shows_whatever_the_rule_says_now():
    made = body([shown(1), shown(2, severity="critical"), shown(3, severity="info")])
    assert (made["severity"], made["labels"]["severity"]) == ("critical", "critical")


def test_details_are_joined_each_text_once_and_never_longer_than_a_text_may_be():
    made = body([shown(1, details="a"), shown(2, details="b"), shown(3, details="a"), shown(4)])
    assert made["details"] == "a\n\nb"
    long = body([shown(n, details=str(n) * 3000) for n in range(1, 4)])["details"]
    assert (len(long), len(long) <= TEMPLATE_BYTES) == (3000, True)


def test_no_more_are_shown_than_fit_and_all_are_counted():
    made = body([shown(1)] * (GROUP_ALERTS + 50), [shown(2, "resolved")])
    assert (len(made["alerts"]), made["count"]) == (GROUP_ALERTS, GROUP_ALERTS + 51)


def test_an_alert_that_its_rule_takes_along_says_that_and_no_value():
    said = ended_summary("Warm", (("site", "a"), ("device", "7")), Reason.RULE_REMOVED)
    assert said == "Warm (site=a, device=7) ended: rule removed"
    assert ended_summary("Warm", (), Reason.RULE_CHANGED) == "Warm ended: rule changed"


def test_what_was_held_back_is_told_with_the_next_one():
    assert with_held_back({"summary": "s"}, 3) == {"held_back": 3, "summary": "s (3 more held back)"}
    assert with_held_back({"summary": "s"}, 0) == {"summary": "s"}
