import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import ConfigError
from hub.importers import IMPORTERS
from hub.importers.imported_texts import fits
from hub.importers.pyformat import convert
from tests.importers.support import outcome, sample, tried

SECRETS = ("hunter2", "AAAAAAAA", "YYYYYYYY", "appkey", "userkey", "xoxb", "secretpath", "s9x9x8", "JHMHI8", "me:pw")


@pytest.fixture
def made(tmp_path, monkeypatch):
    return tried("mqttwarn", sample("mqttwarn.ini"), tmp_path, monkeypatch, "mqttwarn.ini")


def one(text, tmp_path, monkeypatch):
    return tried("mqttwarn", text, tmp_path, monkeypatch)


def test_the_sample_passes_hub_check(made):
    assert made.problems == []


def test_no_secret_of_the_file_is_in_the_rules_or_the_remarks(made):
    everything = "\n".join([made.text, *made.remarks, *made.variables.values()])
    assert not [secret for secret in SECRETS if secret in everything]
    assert all(name in made.text.partition("receivers:")[0].replace("\n# ", " ") for name in made.variables)


def test_a_topic_section_is_an_event_with_its_text_and_its_targets(made):
    rule = made.rules["café \"quoted\": a 'name'"]
    assert rule["topic"] == "weather/+/temperature"
    assert rule["summary"] == (
        'Temperature of {payload.device}: {temp:.1f} °C, {payload}, {main["temp"]} {{raw}}\nsecond line'
    )
    assert rule["notify"] == ["mqttpub_out", "mqttpub_fruit", "mqttpub_loop", "twilio_hola", "slack_general"]


def test_a_title_is_the_summary_and_the_text_the_details(made):
    rule = made.rules["owntracks-battery"]
    assert rule["summary"] == "Battery of {username}"
    assert rule["details"] == "{username}'s phone battery is getting low ({batt}%)"
    assert rule["severity"] == "warning"


def test_a_filter_disables_the_rule_until_somebody_writes_the_condition(made):
    assert made.rules["owntracks-battery"]["enabled"] is False
    assert "  # disabled, not carried over: [owntracks-battery] filter OwnTracksBattFilter()" in made.text
    assert made.remarked("filter OwnTracksBattFilter()").startswith("mqttwarn.ini:101:1: ")


def test_a_timeout_is_an_alert_about_silence_beside_the_event_or_in_its_place(made):
    silent = made.rules["heartbeat_door silent"]
    assert (silent["topic"], silent["absent"], silent["repeat"]) == ("heartbeat/door", "600s", "600s")
    assert "heartbeat_door" not in made.rules
    assert made.rules["heartbeat_gate"]["event"]
    assert "repeat" not in made.rules["heartbeat_gate silent"]


@pytest.mark.parametrize("timeout", ["soon", "0", "-3", "True", "1.5"])
def test_a_timeout_that_is_no_time_is_told(timeout, tmp_path, monkeypatch):
    made = one(
        f"[config:file]\ntargets = {{'x': ['y']}}\n[a]\ntargets = file:x\ntimeout = {timeout}\n", tmp_path, monkeypatch
    )
    assert list(made.rules) == ["a"]
    assert made.remarked("timeout").startswith("in.txt:5:1:")


def test_a_service_alone_means_all_its_targets(made):
    assert made.rules["owntracks-battery"]["notify"][-2:] == ["pushover_nagios", "pushover_tracking"]


def test_targets_by_topic_are_a_rule_for_each(made):
    assert made.rules["test"]["topic"] == "/test/#"
    assert made.rules["test_out_state"]["notify"] == ["file_archive", "slack_general"]


def test_a_topic_that_receivers_publish_to_is_left_to_the_user(made):
    assert made.rules["everything"]["topic"] == "not-carried-over/#"
    assert made.rules["everything"]["enabled"] is False
    assert made.remarked("[everything]", "what receivers publish")


def test_a_publish_topic_that_a_rule_hears_is_moved(made):
    assert "mqttpub_loop:\n    mqtt: {topic: notify/in/again" in made.text
    assert made.remarked("mqttpub_loop", "in/#")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (89, ["[failover]"]),
        (93, ["log:info", "the hub logs by itself"]),
        (109, ["mqttpub:any", "first level"]),
        (109, ["mqtt:far", "10.0.12.1"]),
        (112, ["http:get1", "GET"]),
        (112, ["mysql:m2", "docs/receivers.md"]),
        (117, ["file:nosuch", "no such target"]),
        (117, ["log:{loglevel}", "`when`"]),
        (117, ["smtp:broken", "mail addresses"]),
        (121, ["weather_text()"]),
        (122, ["alldata more()"]),
        (123, ["check_temperature()"]),
        (124, ["TopicTargetList()"]),
        (136, ["a/#/b"]),
        (140, ["test.jinja"]),
        (143, ["[no-targets]"]),
        (156, ["publish_public_ip_address"]),
    ],
)
def test_what_is_not_carried_over_is_told_with_its_line(made, line, words):
    assert made.remarked(*words).startswith(f"mqttwarn.ini:{line}:1: ")


def test_mail_goes_to_the_same_server_and_people(made):
    options = made.receivers["smtp_ops"].options
    assert (options.host, options.port, options.tls, options.username) == ("localhost", 25, "starttls", "jane")
    assert options.to == ("ben@example.net", "suzie@example.net")


def test_a_publish_keeps_topic_qos_and_retain(made):
    out, fruit = made.receivers["mqttpub_out"].options, made.receivers["mqttpub_fruit"].options
    assert (out.topic_text, out.qos, out.retain) == ("out/food", 0, True)
    assert (fruit.topic_text, fruit.qos, fruit.retain) == ("out/fruit/{payload.fruit}", 1, False)


def test_sections_of_the_same_name_once_made_fit_get_names_of_their_own(tmp_path, monkeypatch):
    text = "[config:file]\ntargets = {'x': ['y']}\n[a/b]\ntargets = file:x\n[a_b]\ntargets = file:x\n"
    assert list(one(text, tmp_path, monkeypatch).rules) == ["a_b", "a_b_2"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = 1\n", "in.txt:1:1: not INI: an option before the first section"),
        ("[a]\ntargets = x\nwhat is this\n", "in.txt:3:1: not INI"),
        ("[a]\n[a]\n", "in.txt:2:1: section [a] stands twice"),
        ("[a]\nb = 1\nb = 2\n", "in.txt:3:1: option 'b' stands twice in [a]"),
        ("", "in.txt: no section of a topic with targets"),
        ("[defaults]\nport = 1\n[x/y]\nformat = z\n", "in.txt:3:1: [x/y] has no targets"),
    ],
)
def test_a_file_that_is_none_is_told_with_its_line(text, told):
    with pytest.raises(ConfigError) as caught:
        IMPORTERS["mqttwarn"](text, "in.txt")
    assert any(str(problem).startswith(told) for problem in caught.value.problems), caught.value


@pytest.mark.parametrize(
    ("written", "template"),
    [
        ("{name}: {number} => {_dthhmm}", "{name}: {number} => {event.time:%H:%M}"),
        ("{payload} on {topic}", "{payload} on {topic}"),
        ("{device} {state} {value} {in}", '{payload.device} {payload.state} {payload.value} {payload["in"]}'),
        ("{some-key} {a.b} {a[b]} {a[0]}", '{payload["some-key"]} {a["b"]} {a["b"]} {a[0]}'),
        ("{data!j} {x!r}", "{data} {x}"),
        ("{price:.2f} {share:.0%}", "{price:.2f} {share:.0%}"),
        ("100 {{%}}", "100 {{%}}"),
        ("a\\nb", "a\nb"),
    ],
)
def test_a_format_becomes_a_template(written, template):
    assert convert(written) == (template, [])


@given(st.text("{}[]!:.abc_0 \\\"'%\n", max_size=30) | st.text(max_size=30))
def test_any_format_becomes_some_template(written):
    made, _ = convert(written)
    assert fits(made)


@given(st.text("[]ab=:\n {}'\",#()/+", max_size=120))
def test_any_text_is_read_or_refused_in_words(text):
    assert outcome("mqttwarn", f"[config:file]\ntargets = {{'a': ['b']}}\n{text}")
