"""config: hub.yaml and the options over it; all of the file is checked before anything starts."""

import json
from pathlib import Path

import pytest

from hub.config import Settings, load_settings, parse_address, parse_broker_url
from hub.errors import ConfigError
from hub.limits import RECEIVE_MAXIMUM, SESSION_EXPIRY_SECONDS

LONG = "0123456789abcdef"
FULL = """\
broker:
  url: mqtts://me:pass%23word@broker.example:8884
  client_id: hub-1
  session_expiry: 2h
  receive_maximum: 100
  keep_alive: 10s
  protocol: 3.1.1
  payload_bytes: 1000
  ca: ca.pem
  cert: cert.pem
  key: key.pem
rules: [rules, more/rules.yaml]
devices: [things]
state: var/hub.db
publish_prefix: site/hub/
http:
  listen: 0.0.0.0:9000
  tokens:
    - {name: me, role: operator, token: !env HUB_TOKEN}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_TOKEN", "hunter2-and-more-of-it")
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("", "utf-8")
    return tmp_path


def load(folder, text, **options):
    path = folder / "hub.yaml"
    path.write_text(text, "utf-8")
    return load_settings(path, **options)


def problems(folder, text, **options):
    with pytest.raises(ConfigError) as raised:
        load(folder, text, **options)
    return [str(problem).replace(f"{folder}/", "") for problem in raised.value.problems]


def test_every_key_is_read_and_paths_are_relative_to_the_file(folder):
    made = load(folder, FULL)
    broker = made.broker
    assert (broker.host, broker.port, broker.tls, broker.username) == ("broker.example", 8884, True, "me")
    assert broker.password.reveal() == "pass#word"
    assert (broker.client_id, broker.session_expiry, broker.receive_maximum) == ("hub-1", 7200.0, 100)
    assert (broker.keep_alive, broker.protocol, broker.payload_bytes) == (10, "3.1.1", 1000)
    assert (broker.ca, broker.cert, broker.key) == tuple(folder / name for name in ("ca.pem", "cert.pem", "key.pem"))
    assert made.rules == (folder / "rules", folder / "more/rules.yaml")
    assert (made.devices, made.state, made.publish_prefix) == ((folder / "things",), folder / "var/hub.db", "site/hub")
    assert (made.http.host, made.http.port, made.http.asked) == ("0.0.0.0", 9000, True)
    (token,) = made.http.tokens
    assert (token.name, token.role, token.token.reveal()) == ("me", "operator", "hunter2-and-more-of-it")


def test_without_a_file_the_defaults_of_the_interface_hold(folder):
    made = load_settings(None)
    assert made == Settings()
    assert str(made.broker) == "mqtt://localhost:1883"
    assert (made.broker.client_id, made.broker.session_expiry) == ("hub", SESSION_EXPIRY_SECONDS)
    assert made.broker.receive_maximum == RECEIVE_MAXIMUM
    assert (made.rules, made.state, made.publish_prefix) == ((Path("rules"),), Path("hub.db"), "hub")
    assert (made.http.host, made.http.port, made.http.asked) == ("127.0.0.1", 8080, False)


@pytest.mark.parametrize(
    ("written", "prefix"),
    [
        ("{}", ""),
        ("discovery: homeassistant", "homeassistant"),
        ("discovery: {homeassistant: }", "homeassistant"),
        ("discovery: {homeassistant: {prefix: ha/}}", "ha"),
    ],
)
def test_discovery_is_a_word_or_names_the_prefix(folder, written, prefix):
    assert load(folder, written).discovery == prefix


def test_hub_yaml_in_the_working_folder_is_found_and_a_named_file_must_exist(folder):
    (folder / "hub.yaml").write_text("state: here.db", "utf-8")
    assert load_settings(None).state == Path("here.db")
    with pytest.raises(ConfigError, match=r"no\.yaml: no such file \(name the configuration with -c\)"):
        load_settings(Path("no.yaml"))


def test_an_empty_file_means_the_defaults_and_so_does_a_key_without_a_value(folder):
    assert load(folder, "").broker == Settings().broker
    assert load(folder, "broker:\nrules:\nhttp:\n").rules == (folder / "rules",)


def test_the_devices_folder_is_read_where_there_is_one(folder):
    for text in ("state: x.db", "devices: [devices]"):  # written out or not, it need not be there
        made = load(folder, text)
        assert made.devices == (folder / "devices",)
        assert made.fleets() == []
    assert load_settings(None, devices=[Path("devices")]).fleets() == [Path("devices")]  # asked for, it must
    assert load(folder, "devices: [others]").fleets() == [folder / "others"]
    (folder / "devices").mkdir()
    assert made.fleets() == [folder / "devices"]


def test_options_go_over_the_file_and_are_relative_to_the_working_folder(folder):
    made = load(
        folder,
        FULL,
        broker="mqtt://other:1884",
        rules=[Path("r")],
        devices=[Path("d")],
        state=Path("s.db"),
        http="127.0.0.1:1",
    )
    assert str(made.broker) == "mqtt://other:1884"
    assert (made.broker.username, made.broker.client_id) == ("me", "hub-1")
    assert (made.rules, made.devices, made.state) == ((Path("r"),), (Path("d"),), Path("s.db"))
    assert (made.http.host, made.http.port, len(made.http.tokens)) == ("127.0.0.1", 1, 1)


def test_a_user_in_the_broker_option_brings_its_own_password(folder):
    made = load(folder, FULL, broker="mqtts://you:other@h")
    assert (made.broker.username, made.broker.password.reveal()) == ("you", "other")
    assert load(folder, FULL, broker="mqtts://you@h").broker.password is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("brokr: {}", "1:1: unknown key 'brokr' in hub.yaml (did you mean 'broker'?)"),
        ("broker: {urll: x}", "1:10: unknown key 'urll' in broker (did you mean 'url'?)"),
        ("broker: mqtt://x", "1:9: broker must be a mapping (key: value), not text"),
        ("broker: {url: http://x}", "1:15: a broker's URL begins with mqtt://, mqtts://, ws:// or wss://, not http://"),
        ("broker: {url: 'mqtt://'}", "1:16: a broker's URL needs a host and a port, as in mqtt://localhost:1883"),
        ("broker: {url: mqtt://h/x}", "1:15: a broker's URL ends with the port: mqtt://host:1883"),
        ("broker: {client_id: ''}", "1:22: a client id is 1 to 256 printable characters"),
        ("broker: {receive_maximum: 0}", "1:27: must be from 1 to 65535, not 0"),
        ("broker: {receive_maximum: 70000}", "1:27: must be from 1 to 65535, not 70000"),
        ("broker: {keep_alive: 20h}", "1:22: must be from 1s to 65535s"),
        ("broker: {session_expiry: 0}", "1:26: must be at least 1s (for that long the broker keeps events"),
        ("broker: {session_expiry: 7}", "1:26: 7 of what?"),
        ("broker: {protocol: 4}", "1:20: must be one of 5, 3.1.1, not '4'"),
        ("broker: {ca: ca.pem}", "1:10: 'ca' needs TLS (write the url as mqtts://… or wss://…)"),
        ("broker: {url: mqtts://h, ca: no.pem}", "1:30: no such file: no.pem"),
        ("broker: {url: mqtts://h, cert: cert.pem}", "1:9: 'cert' and 'key' belong together"),
        ("broker: {password: x}", "1:10: 'password' needs 'username' beside it"),
        ("publish_prefix: a/#", "1:17: not a topic to publish below: "),
        ("publish_prefix: /", "1:17: not a topic to publish below: it is empty"),
        ("state: [a]", "1:8: must be text, not a list"),
        ('state: "a\\0b"', "1:9: no file has the name 'a\\x00b'"),
        ("rules: [~nobody-here/x]", "1:9: ~nobody-here/x: there is no such user"),
        ("sparkplug: {rebirth: please}", "1:22: "),
        ("discovery: home", "1:12: must be one of homeassistant, not 'home'"),
        ("discovery: {openhab: {}}", "1:13: unknown key 'openhab' in discovery (known keys: homeassistant)"),
        ("discovery: {homeassistant: {prefix: a/+}}", "1:37: not a topic to publish below: "),
        ("http: {listen: '8080'}", "1:17: '8080' is not HOST:PORT, as in 127.0.0.1:8080"),
        ("http: {listen: 0.0.0.0:80}", "1:16: 0.0.0.0 can be reached from other machines, and there are no tokens"),
        ("http: {tokens: x}", "1:16: 'tokens' must be a list"),
        ("http: {origins: ['*']}", "1:19: * is everybody"),
        ("http: {origins: ['null']}", "1:19: null is everybody"),
        ("http: {origins: ['https://*.example.org']}", "1:19: https://*.example.org is everybody"),
        ("http: {origins: [karma.example.org]}", "1:18: not the origin of a page"),
        ("http: {origins: ['https://karma.example.org/karma']}", "1:19: not the origin of a page"),
        ("http: {origins: ['http://[::']}", "1:19: not the origin of a page"),
        ("http: {url: hub.example.org}", "1:13: not a URL that links can begin with"),
        ("http: {url: 'https://me:secret@hub.example.org'}", "1:14: not a URL that links can begin with"),
        ("http: {cert: a.pem}", "1:7: 'cert' and 'key' belong together"),
        (
            f"http: {{tokens: [{{name: a, role: viewer, token: {LONG}}}, {{name: a, role: admin, token: {LONG}2}}]}}",
            "1:8: two tokens have one name",
        ),
        (
            "http: {url: 'https://hub.example.org'}",
            "1:14: hub.example.org is how others reach it, and there are no tokens",
        ),
        ("http: {listen: '[::]:80', tokens: []}", "1:17: :: can be reached from other machines"),
        ("http: {listen: '[::ffff:127.0.0.1]:80'}", "1:17: ::ffff:127.0.0.1 can be reached"),
        ("http: {listen: 'hub.example.org:80'}", "1:17: hub.example.org can be reached"),
        ("http: {listen: '127.1:80'}", "1:17: 127.1 can be reached"),
        ("http: {proxies: [nginx]}", "1:18: no address or network: "),
        ("http: {proxies: [10.0.0.1, 0.0.0.0/0]}", "1:28: 0.0.0.0/0 is everybody"),
        ("http: {proxies: '::/0'}", "1:18: ::/0 is everybody"),
        ("http: {tokens: [{name: a}]}", "1:17: a token needs the key 'role'"),
        (
            "http: {tokens: [{name: a, role: boss, token: x}]}",
            "1:33: must be one of viewer, operator, admin, not 'boss'",
        ),
        ("- a", "1:1: hub.yaml must be a mapping (key: value), not a list"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(folder, text, problem):
    found = problems(folder, text)
    assert any(each.startswith(f"hub.yaml:{problem}") for each in found), found


def test_all_problems_of_file_and_options_come_at_once_in_order(folder):
    found = problems(folder, "state: [a]\nzzz: 1\nhttp: {listen: x}", broker="ftp://x", http="y")
    assert [each.split(": ")[0] for each in found] == [
        "--broker",
        "--http",
        "hub.yaml:1:8",
        "hub.yaml:2:1",
        "hub.yaml:3:16",
    ]


def test_an_address_that_others_can_reach_needs_tokens_also_as_an_option(folder):
    assert "--http: 0.0.0.0 can be reached" in problems(folder, "", http="0.0.0.0:80")[0]
    assert load(folder, FULL, http="0.0.0.0:80").http.port == 80
    for host in ("127.0.0.1", "[::1]", "localhost", "127.1.2.3"):
        assert load(folder, "", http=f"{host}:80").http.port == 80


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("mqtt://h", "h", 1883, False),
        ("mqtts://h", "h", 8883, True),
        ("h", "h", 1883, False),
        ("h:1", "h", 1, False),
        ("mqtt://[::1]:5", "::1", 5, False),
        ("mqtt://h:1883/", "h", 1883, False),
    ],
)
def test_a_broker_url_may_leave_out_what_is_usual(url, host, port, tls):
    made = parse_broker_url(url)
    assert (made.host, made.port, made.tls) == (host, port, tls)


@pytest.mark.parametrize(
    ("url", "port", "tls", "path", "shown"),
    [
        ("ws://h", 80, False, "/mqtt", "ws://h:80/mqtt"),
        ("wss://h/", 443, True, "/", "wss://h:443/"),
        ("ws://u:p@h:15675/ws", 15675, False, "/ws", "ws://h:15675/ws"),
        ("wss://[::1]:8084/mqtt?token=hunter2", 8084, True, "/mqtt?token=hunter2", "wss://[::1]:8084/mqtt"),
    ],
)
def test_a_websocket_has_a_path_and_shows_no_query(url, port, tls, path, shown):
    made = parse_broker_url(url)
    assert (made.port, made.tls, made.websocket, str(made)) == (port, tls, path, shown)


def test_an_address_of_the_command_line_takes_the_place_of_the_files_with_its_path(folder):
    assert load(folder, "broker: {url: 'ws://h/a'}", broker="mqtt://h").broker.websocket == ""
    assert load(folder, "", broker="ws://h/a").broker.websocket == "/a"


@pytest.mark.parametrize(
    "url",
    [
        "ws://u:hunter2@h/a b",
        "ws://u:hunter2@h/ä",
        "ws://u:hunter2@h/a#b",
        "mqtt://u:hunter2#x@h:1",
        "mqtt://u:hunter2/x@h",
        "mqtt://u:hunter2?x@h",
        "mqtt://u:hunter2℀@h",
        "ftp://u:hunter2@h",
        "mqtt://u:hunter2@",
        "mqtt://u:hunter2@h:0",
        "mqtt://u:hunter2@h:x",
        "mqtt://u:hunter2@h:99999",
        "mqtt://[u:hunter2@h",
    ],
)
def test_a_wrong_broker_url_is_refused_without_a_part_of_its_password(url):
    with pytest.raises(ValueError, match="broker's URL") as raised:
        parse_broker_url(url)
    assert "hunter2" not in str(raised.value)


def test_http_is_on_where_nobody_says_anything_and_false_switches_it_off(folder):
    assert load(folder, "").http.enabled
    assert not load(folder, "").http.asked
    assert not load(folder, "http: false").http.enabled
    assert load(folder, "http: {listen: '127.0.0.1:0', url: 'https://hub.localhost/'}").http.url[-4:] == "host"


@pytest.mark.parametrize("way", ["written", "env", "file"])
@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("", "must not be empty"),
        ("   ", "must not be empty"),
        ("\n", "must not be empty"),
        ("\t\r\n ", "must not be empty"),
        ("short", "has at least 16 characters"),
        ("  sixteen-chars-00    ", None),
        ("  fifteen-chars-0    ", "has at least 16 characters"),
        ("0123456789\x0012345", "must not hold control characters"),
        ("0123456789\n123456", "must not hold control characters"),
        ("0123456789abcdef\n", None),
    ],
)
def test_a_token_that_is_empty_or_can_be_guessed_is_refused_with_its_place(folder, monkeypatch, way, token, problem):
    if way == "env" and "\0" in token:
        pytest.skip("no environment holds it")
    monkeypatch.setenv("WALL", token) if way == "env" else (folder / "wall").write_text(token, "utf-8")
    quoted = json.dumps(token).replace("\\u0000", "\\0")
    written = {"written": quoted, "env": "!env WALL", "file": "!file wall"}[way]
    text = f"http:\n  tokens:\n    - {{name: wall, role: viewer, token: {written}}}\n"
    if problem is None:
        assert load(folder, text).http.tokens[0].token.reveal() == token.strip()
        return
    (found,) = problems(folder, text)
    column = 42 if way == "written" else 41  # behind the quote, or at the tag
    assert found.startswith(f"hub.yaml:3:{column}: a token ")
    assert problem in found
    assert "make one with" in found
    assert not token.strip() or token.strip() not in found


def test_two_names_for_one_token_are_refused(folder, monkeypatch):
    monkeypatch.setenv("ONE", f" {LONG} ")
    tokens = f"  - {{name: a, role: viewer, token: {LONG}}}\n  - {{name: b, role: admin, token: !env ONE}}\n"
    (found,) = problems(folder, f"http:\n  tokens:\n{tokens}")
    assert found.startswith("hub.yaml:4:28: this is the token of 'a' already")
    assert LONG not in found


def test_proxies_are_addresses_and_networks(folder):
    made = load(folder, "http: {proxies: [127.0.0.1, 10.0.0.0/8, 'fd00::/8']}").http
    assert [str(each) for each in made.proxies] == ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]


def test_a_password_shows_neither_in_the_settings_nor_in_what_describes_them(folder):
    made = load(folder, FULL)
    assert "pass#word" not in f"{made!r} {made} {made.broker}"
    assert "hunter2" not in f"{made!r}"


@pytest.mark.parametrize("address", ["", "x", ":80", "h:", "h:65536", "h:-1", "h:\uff18\uff10"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        parse_address(address)


def test_origins_are_read_as_browsers_write_them(folder):
    named = "['https://Karma.example.org:443/', 'http://localhost:8081', 'http://[::1]:80']"
    found = load(folder, f"http: {{origins: {named}}}").http.origins
    assert found == ("https://karma.example.org", "http://localhost:8081", "http://[::1]")
