"""reach_settings: what one request needs of hub.yaml is read and checked, and no more of it."""

import subprocess
import sys

import pytest

from hub.config import load_settings
from hub.errors import ConfigError
from hub.settings.reach_settings import load_http, load_reach

GOOD = "broker: {url: 'mqtts://me:secret@broker.example', protocol: '5'}\npublish_prefix: site/hub/\n"
ELSEWHERE = [
    "sources: 7\n",
    "sources: [{carrier: {pigeon: {}}}]\n",
    "heartbeat: {every: never}\n",
    "tracing: {endpoint: 3}\n",
    "rules: {a: b}\n",
    "sparkplug: [1]\n",
    "nobody_knows_this: 1\n",
    "heartbeat: {url: !env NOT_SET_ANYWHERE}\n",
    "self_watch: {a: 1, a: 2}\n",
    "http: {listen: '0.0.0.0:80'}\n",
]
NEEDED = [
    ("broker: {url: 'http://broker.example'}\n", ":1:16: "),
    ("publish_prefix: a/+\n", ":1:17: "),
    ("tracing: 7\nbroker: {url: 'mqtt://b', password: !env NOT_SET_ANYWHERE, username: me}\n", ":2:37: "),
    ("tracing: 7\nbroker: {url: 'mqtts://b', ca: nowhere.pem}\n", ":2:32: no such file: "),
    ("tracing: 7\nbroker: {url: 'mqtt://b', protocol: '3.1.1'}\nhttp: {listen: 7}\n", ":3:16: "),
    ("broker: {url: [\n", "not YAML"),
]
DESK = "import sys, hub.operate.cli.desk; print(*[name for name in sys.modules if name.startswith('hub.')])"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(text):
        (tmp_path / "hub.yaml").write_text(text, "utf-8")

    return written


@pytest.mark.parametrize("mistake", ELSEWHERE)
@pytest.mark.parametrize("first", [True, False])
def test_a_mistake_in_what_is_not_needed_keeps_nobody_from_asking(write, mistake, first):
    write(mistake + GOOD if first else GOOD + mistake)
    with pytest.raises(ConfigError):
        load_settings(None)
    found = load_reach(None, None)
    assert (str(found.broker), found.broker.username, found.publish_prefix) == (
        "mqtts://broker.example:8883",
        "me",
        "site/hub",
    )


@pytest.mark.parametrize(("text", "told"), NEEDED)
def test_a_mistake_in_what_is_needed_is_told_with_its_place_and_nothing_else_is(write, text, told):
    write(text)
    with pytest.raises(ConfigError) as found:
        load_reach(None, None)
    (problem,) = found.value.problems
    assert told in str(problem)


def test_all_of_the_file_and_the_part_of_it_say_the_same_of_the_broker(write):
    write(GOOD)
    whole, part = load_settings(None), load_reach(None, None)
    assert (part.broker, part.publish_prefix) == (whole.broker, whole.publish_prefix)
    for broker in ("ws://other.example/mqtt", "mqtt://you:word@other.example"):
        assert load_reach(None, broker).broker == load_settings(None, broker=broker).broker


def test_without_a_file_or_with_a_wrong_option_it_is_as_with_all_settings(write, tmp_path):
    assert load_reach(None, None).broker == load_settings(None).broker
    for load in (lambda: load_reach(tmp_path / "none.yaml", None), lambda: load_reach(None, "http://x")):
        with pytest.raises(ConfigError):
            load()


def test_where_the_hub_speaks_http_is_read_alone_too(write):
    write("http: {listen: '127.0.0.1:9000'}\nsources: 7\n")
    assert load_http(None).port == 9000
    write("sources: 7\nhttp: {listen: 7}\n")
    with pytest.raises(ConfigError) as found:
        load_http(None)
    assert [problem.line for problem in found.value.problems] == [2]


def test_a_command_of_the_desk_reads_neither_expressions_nor_sources_nor_all_settings():
    done = subprocess.run([sys.executable, "-c", DESK], capture_output=True, text=True, check=True)
    read = done.stdout.split()
    assert "hub.settings.reach_settings" in read
    parts = (
        "config",
        "expressions",
        "sources",
        "rules",
        "alerts",
        "notify",
        "schedules",
        "store",
        "tracing",
        "selfwatch",
    )
    assert [name for name in read if name.split(".")[1] in parts] == []
