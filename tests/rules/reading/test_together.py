"""check: what only all rules together show."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.documents.document import Problems
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading import together
from hub.rules.reading.loader import load_rules
from hub.rules.reading.together import _circles, check_together


@dataclass
class Holder:
    """As much of a rule as a circle has."""

    unless: tuple[str, ...]


def problems(tmp_path, text):
    (tmp_path / "rules.yaml").write_text(text, "utf-8")
    found = Problems()
    load_rules([tmp_path / "rules.yaml"], found, read_receivers, "hub")
    return [problem.message for problem in found]


RECEIVERS = """
receivers:
  out: {mqtt: {topic: "out/{site}"}}
  spare: {mqtt: {topic: "spare/{site}"}}
  file: {file: {path: p}, fallback: out}
rules:
"""


@pytest.mark.parametrize(
    ("rules", "way"),
    [
        ("- {event: A, topic: out/x, notify: out}", "a loop, A → out → A"),
        ("- {event: A, topic: out/x, notify: file}", "a loop, A → out → A"),
        ("- {alert: A, topic: out/x, when: v, escalate: {after: 1m, to: out}}", "a loop, A → out → A"),
        ("- {event: A, topic: out/x}", "one rule more would make it a loop"),
        ("- {event: A, topic: out/x, notify: spare}", "one rule more would make it a loop"),
    ],
)
def test_a_loop_says_its_way_by_receivers_steps_and_fallbacks(tmp_path, rules, way):
    (message,) = problems(tmp_path, RECEIVERS + f"  {rules}\n")
    assert message.endswith(way)


def test_a_loop_over_two_rules_says_its_way_at_both(tmp_path):
    rules = "  - {event: A, topic: spare/x, notify: out}\n  - {event: B, topic: out/x, notify: spare}\n"
    found = problems(tmp_path, RECEIVERS + rules)
    assert [message.rpartition(": ")[2] for message in found] == [
        "a loop, A → out → B → spare → A",
        "a loop, B → spare → A → out → B",
    ]


def test_each_circle_of_unless_is_told_once(tmp_path):
    def rule(name, others):
        return f"  - {{alert: {name}, topic: t/{name}, when: v, unless: [{others}]}}\n"

    found = problems(tmp_path, "rules:\n" + rule("A", "B") + rule("B", "C") + rule("C", "A") + rule("D", "A"))
    assert found == ["rules hold each other back: A → B → C → A; while they fire, nobody would be told"]
    assert problems(tmp_path, "rules:\n" + rule("A", "B, C") + rule("B", "C") + rule("C", "")) == []


@given(st.dictionaries(st.sampled_from("ABCDE"), st.lists(st.sampled_from("ABCDE"), max_size=3).map(tuple)))
def test_there_is_a_circle_exactly_where_some_rule_leads_back_to_itself(graph):
    def reaches(start, seen=()):
        following = [other for other in graph.get(start, ()) if other != start and other not in seen]
        return any(other == name or reaches(other, (*seen, other)) for other in following)

    found = list(_circles({name: Holder(others) for name, others in graph.items()}))
    some = False
    for name in graph:
        some = some or reaches(name)
    assert bool(found) == some
    for circle in found:
        assert all(other in graph[here] for here, other in zip(circle, [*circle[1:], circle[0]], strict=True))


def test_ten_thousand_rules_in_a_chain_are_no_trouble():
    chain = {str(n): Holder((str(n + 1),)) for n in range(10_000)}
    assert list(_circles(chain)) == []
    assert len(next(_circles(chain | {"9999": Holder(("0",))}))) == 10_000


def test_no_rules_at_all_are_no_problem():
    found = Problems()
    check_together({}, {}, {}, "hub", found)
    assert not found


def test_a_rule_on_sparkplug_says_what_to_install_where_it_is_missing(tmp_path, monkeypatch):
    text = "rules:\n  - {alert: Hot, topic: 'spBv1.0/{group}/DDATA/{node}/{device}', when: temperature > 3}\n"
    assert problems(tmp_path, text) == []
    monkeypatch.setattr(together, "missing", lambda: "No module named 'google'")
    assert problems(tmp_path, text) == [
        "rule 'Hot' reads Sparkplug B, which this installation cannot: No module named 'google'"
    ]
    assert problems(tmp_path, text.replace("spBv1.0", "homie")) == []
