import sys
from importlib.metadata import EntryPoint

import pytest

from hub.document import Problems, parse_document
from hub.notify import settings
from hub.notify.settings import build_receiver, read_receivers
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
        ("a: {webpush: {topic: x}}", "r.yaml:1:5: 'webpush' of a receiver is not supported yet"),
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


def test_a_receiver_with_a_problem_is_known_by_name_all_the_same():
    found, problems = read("a: {file: {}}\nb: {webpush: {}}\n")
    assert list(found) == ["a", "b"]
    assert len(problems) == 2


def test_a_plugin_that_cannot_be_imported_is_a_problem(monkeypatch):
    points = (EntryPoint("pigeon", "no_such_package:Pigeon", "hub.receivers"),)
    monkeypatch.setattr(settings, "entry_points", lambda **_: points)
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
