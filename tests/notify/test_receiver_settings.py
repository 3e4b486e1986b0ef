import sys
from importlib.metadata import EntryPoint, entry_points

import pytest

from hub.documents.document import Problems, parse_document
from hub.notify import receiver_settings
from hub.notify.fallback import Fallback, check_fallbacks
from hub.notify.lanes.pace import Rate
from hub.notify.lanes.retry import RetryPolicy
from hub.notify.receiver import Usual
from hub.notify.receiver_settings import build_receiver, read_receivers
from tests.notify.fakes import toolbox


def read(yaml):
    problems = Problems()
    found = read_receivers(parse_document(yaml, "r.yaml", problems), problems)
    return found, sorted(str(problem) for problem in problems)


async def test_a_receiver_of_each_kind_is_read_and_built():
    found, problems = read(
        """
        log: {file: {path: alerts.ndjson}}
        bus: {mqtt: {topic: notify/x}, timeout: 5s}
        hook: {webhook: {url: "https://example.org/x"}, send_resolved: false}
        mail: {smtp: {host: h, from: a@b.c, to: d@e.f}}
        chat: "json://localhost/"
        """
    )
    assert problems == []
    assert {name: each.kind for name, each in found.items()} == {
        "log": "file",
        "bus": "mqtt",
        "hook": "webhook",
        "mail": "smtp",
        "chat": "apprise",
    }
    assert (found["bus"].timeout, found["hook"].send_resolved, found["log"].send_resolved) == (
        5.0,
        False,
        True,
    )
    for each in found.values():
        await build_receiver(each, toolbox()).close()


class Plain:
    """A plug-in that says nothing of itself."""


class Slow(Plain):
    timeout, breaker = 90.0, 0


def test_a_kind_says_of_itself_only_what_the_default_does_not_suit():
    usual = Usual()
    assert Usual.of(Plain) == usual
    assert Usual.of(Slow) == Usual(90.0, usual.concurrency, 0)


@pytest.mark.parametrize("point", entry_points(group="hub.receivers"), ids=lambda point: point.name)
def test_what_a_kind_of_the_hub_says_of_itself_has_the_right_type(point):
    found = Usual.of(point.load())
    assert [type(each) for each in (found.timeout, found.concurrency, found.breaker)] == [float, int, int]


def test_the_same_text_read_twice_is_equal_so_that_a_reload_leaves_its_receiver_alone():
    yaml = (
        "a: {mqtt: {topic: 'notify/{site}', payload: '{summary}'}}\nb: {webhook: {url: http://h/, headers: {A: b}}}\n"
    )
    assert read(yaml)[0] == read(yaml)[0]
    assert read(yaml)[0]["a"] != read(yaml.replace("{site}", "{device}"))[0]["a"]


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("a: {rate: 10, file: {path: x}}", "r.yaml:1:11: '10' is not a rate (write 10/m, 1/s or 100/12h)"),
        ("a: {file: {path: x}, retry: 3}", "r.yaml:1:29: must be a mapping (as in {attempts: 5, age: 1h})"),
        ("a: {webpush: {topic: x}}", "r.yaml:1:15: unknown key 'topic' in 'webpush' of receiver 'a'"),
        ("a: {webpush: {contact: somebody}}", "r.yaml:1:24: is no mail address (write user@host, or https://host)"),
        ("a: {file: {path: x}, rate: 0/m}", "a rate is 1 to 10000 notifications in a time"),
        ("a: {file: {path: x}, rate: 3/2d}", "a rate counts over a day at most"),
        ("a: {file: {path: x}, rate: 3/x}", "r.yaml:1:28: 'x' is not a time (write 10/m, 1/s or 100/12h)"),
        ("a: {file: {path: x}, retry: {atempts: 3}}", "unknown key 'atempts' in 'retry' (did you mean 'attempts'?)"),
        ("a: {file: {path: x}, retry: {attempts: 0}}", "r.yaml:1:40: must be from 1 to 1000, not 0"),
        ("a: {file: {path: x}, retry: {first: 5m, longest: 1m}}", "'longest' is shorter than 'first'"),
        ("a: {file: {path: x}, fallback: {after: 10m}}", "'fallback' needs the key 'to'"),
        ("a: {file: {path: x}, fallback: {to: b, after: 0}}", "must be more than 0 and at most 31d"),
        ("a: {webhok: {url: http://h/}}", "unknown key 'webhok' in receiver 'a' (did you mean 'webhook'?)"),
        ("a: {file: {path: x}, tiemout: 5s}", "did you mean 'timeout'?"),
        ("a: {file: {path: x}, mqtt: {topic: y}}", "receiver 'a' is both 'file' and 'mqtt'"),
        ("a: {timeout: 5s}", "receiver 'a' has no kind"),
        ("a:", "receiver 'a' has no kind"),
        ("a: [x]", "receiver 'a' must be a mapping"),
        ("a: {file: {path: x}, timeout: 5}", "5 of what?"),
        ("a: {file: {path: x}, timeout: 1h}", "must be more than 0 and at most 10m, not 1h"),
        ("a: {file: {}}", "'file' of receiver 'a' needs the key 'path'"),
        ("a: {file: x}", "'file' of receiver 'a' must be a mapping"),
        ("[a]", "receivers must be a mapping"),
    ],
)
def test_a_mistake_is_shown_with_its_place(yaml, message):
    _, problems = read(yaml)
    assert message in problems[0], problems
    assert len(problems) == 1


def test_the_keys_of_delivery_are_read():
    found, problems = read(
        "a: {file: {path: x}, rate: 10/m, retry: {attempts: 3, age: 1h, first: 2s, longest: 1m}, "
        "fallback: {to: b, after: 10m}}\nb: {file: {path: y}, fallback: c, rate: 100/12h}\n"
    )
    assert problems == []
    assert found["a"].rate == Rate(10, 60.0)
    assert found["a"].retry == RetryPolicy(2.0, 60.0, age=3600.0, attempts=3)
    assert found["a"].fallback == Fallback("b", 600.0)
    assert found["b"].fallback == Fallback("c")
    assert found["b"].rate == Rate(100, 43200.0)
    assert found["b"].retry == RetryPolicy()


def fallbacks(yaml):
    problems = Problems()
    check_fallbacks(read_receivers(parse_document(yaml, "r.yaml", problems), problems), problems)
    return [str(problem) for problem in problems]


def test_a_fallback_must_be_a_receiver_and_no_chain_of_them_a_circle():
    yaml = "".join(
        f"{name}: {{file: {{path: x}}, fallback: {to}}}\n" for name, to in ("ab", "bc", "ca", "da", "ee", "fg")
    )
    assert fallbacks(yaml) == [
        "r.yaml:1:32: fallbacks go in a circle: a → b → c → a (let one of them have none)",
        "r.yaml:2:32: fallbacks go in a circle: b → c → a → b (let one of them have none)",
        "r.yaml:3:32: fallbacks go in a circle: c → a → b → c (let one of them have none)",
        "r.yaml:5:32: fallbacks go in a circle: e → e (let one of them have none)",
        "r.yaml:6:32: there is no receiver 'g' (a fallback is the name of another receiver)",
    ]
    assert fallbacks("chat: {file: {path: x}, fallback: mail}\nmail: {file: {path: y}}\n") == []
    assert fallbacks("chat: {file: {path: x}, fallback: mial}\nmail: {file: {path: y}}\n") == [
        "r.yaml:1:35: there is no receiver 'mial' (did you mean 'mail'?)"
    ]


def test_a_receiver_with_a_problem_is_known_by_name_all_the_same():
    found, problems = read("a: {file: {}}\nb: {pigeon: {}}\n")
    assert list(found) == ["a", "b"]
    assert len(problems) == 2


def test_a_plugin_that_cannot_be_imported_is_a_problem(monkeypatch):
    points = (EntryPoint("pigeon", "no_such_package:Pigeon", "hub.receivers"),)
    monkeypatch.setattr(receiver_settings, "entry_points", lambda **_: points)
    _, problems = read("a: {pigeon: {}}")
    assert problems == ["r.yaml:1:5: receiver kind 'pigeon' cannot be loaded: No module named 'no_such_package'"]


@pytest.mark.parametrize("kind", ["kafka", "amqp", "nats", "redis", "zeromq"])
def test_a_kind_whose_extra_is_not_installed_says_what_to_install(kind, monkeypatch):
    for package in ("aiokafka", "faststream.rabbit", "nats.aio.client", "redis.asyncio", "zmq"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"hub.notify.receivers.{kind}", raising=False)
    found, problems = read(f"ops: {{{kind}: {{}}}}")
    assert list(found) == ["ops"]
    (problem,) = problems
    assert problem.startswith(f"r.yaml:1:7: receiver kind {kind!r} cannot be loaded: ")
    assert problem.endswith(f"(pip install 'mqtt-notification-hub[{kind}]')")
