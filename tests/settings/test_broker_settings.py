"""broker settings: `broker.url` may be a list of one broker's addresses; what would make it two brokers is refused."""

import jsonschema
import pytest

from hub.config import load_settings
from hub.errors import ConfigError
from hub.settings.broker_settings import BROKER
from hub.settings.reach_settings import load_reach


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def made(text, **options):
        (tmp_path / "hub.yaml").write_text(text, "utf-8")
        return load_settings(None, **options).broker

    return made


@pytest.fixture
def problems(load):
    def found(text):
        with pytest.raises(ConfigError) as raised:
            load(text)
        return [str(each) for each in raised.value.problems]

    return found


def test_a_list_of_urls_is_one_broker_with_all_that_stands_beside_it(load):
    made = load("broker: {url: [mqtt://a, 'ws://[::1]:9001/x?t=hunter2'], username: me, password: pass, client_id: h}")
    assert str(made) == "mqtt://a:1883, ws://[::1]:9001/x"
    first, second = made.each
    assert (first.host, first.port, first.websocket, str(first)) == ("a", 1883, "", "mqtt://a:1883")
    assert (second.host, second.port, second.websocket) == ("::1", 9001, "/x?t=hunter2")
    for each in made.each:
        assert (each.username, each.password.reveal(), each.client_id, each.others) == ("me", "pass", "h", ())


def test_a_list_of_one_is_what_that_one_is(load):
    assert load("broker: {url: [mqtt://a]}") == load("broker: {url: mqtt://a}")
    assert load("broker: {url: mqtt://a}").each == (load("broker: {url: mqtt://a}"),)


@pytest.mark.parametrize("urls", ["['mqtt://u:p@a', mqtt://b]", "[mqtt://a, 'mqtt://u:p@b']"])
def test_a_login_in_one_url_holds_for_all(load, urls):
    made = load(f"broker: {{url: {urls}}}")
    assert [(each.username, each.password.reveal()) for each in made.each] == [("u", "p")] * 2


def test_urls_of_the_environment_may_stand_in_the_list(load, monkeypatch):
    monkeypatch.setenv("SECOND", "mqtt://u:p@b")
    assert str(load("broker: {url: [mqtt://a, !env SECOND]}")) == "mqtt://a:1883, mqtt://b:1883"


@pytest.mark.parametrize(
    ("urls", "told"),
    [
        ("[]", ["hub.yaml:2:8: names no broker"]),
        ("[mqtt://a, mqtts://b]", ["hub.yaml:2:19: mqtts://b:8883 and mqtt://a:1883: one has TLS and one has not"]),
        ("[wss://a, ws://b]", ["hub.yaml:2:18: ws://b:80/mqtt and wss://a:443/mqtt: one has TLS and one has not"]),
        ("[mqtt://a, b, 'a:1883']", ["hub.yaml:2:23: mqtt://a:1883 stands here twice"]),
        ("['mqtt://u:p@a', 'mqtt://u:q@b']", ["hub.yaml:2:26: mqtt://b:1883 has another login than"]),
        ("['ftp://a', 'mqtt://a:0']", ["hub.yaml:2:10: a broker's URL begins", "hub.yaml:2:21: a broker's URL needs"]),
        ("[!env NOT_THERE]", ["hub.yaml:2:9: environment variable NOT_THERE is not set"]),
        ("[[mqtt://a]]", ["hub.yaml:2:9: "]),
    ],
)
def test_what_makes_a_list_no_single_broker_is_refused_at_its_place(problems, urls, told):
    found = problems(f"broker:\n  url: {urls}\n")
    assert len(found) == len(told)
    for text, begin in zip(found, told, strict=True):
        assert text.startswith(begin)


def test_certificates_hold_for_all_addresses_and_need_tls_at_all(load, problems, tmp_path):
    (tmp_path / "ca.pem").write_text("", "utf-8")
    made = load("broker: {url: [mqtts://a, wss://b], ca: ca.pem}")
    assert [(each.tls, str(each.ca)) for each in made.each] == [(True, "ca.pem")] * 2
    assert "'ca' needs TLS" in problems("broker: {url: [mqtt://a, ws://b], ca: ca.pem}")[0]


def test_the_option_of_the_command_line_takes_the_place_of_the_whole_list(load):
    text = "broker: {url: [mqtt://a, mqtt://b], username: me, password: p}"
    made = load(text, broker="ws://c/x")
    assert (str(made), made.others, made.username) == ("ws://c:80/x", (), "me")
    assert str(load_reach(None, None).broker) == "mqtt://a:1883, mqtt://b:1883"
    assert str(load_reach(None, "d").broker) == "mqtt://d:1883"


@pytest.mark.parametrize(("url", "fits"), [("mqtt://a", True), (["mqtt://a", "ws://b"], True), ({"a": 1}, False)])
def test_the_schema_takes_a_url_and_a_list_of_urls(url, fits):
    assert jsonschema.Draft202012Validator(BROKER.schema).is_valid({"url": url}) is fits
