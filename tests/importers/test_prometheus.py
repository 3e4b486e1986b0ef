import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import ConfigError
from hub.importers import IMPORTERS
from hub.importers.gotemplate import GoText
from hub.importers.imported_texts import fits
from tests.importers.support import sample, tried


@pytest.fixture
def made(tmp_path, monkeypatch):
    return tried("prometheus", sample("prometheus.yml"), tmp_path, monkeypatch, "rules.yml")


def test_the_sample_passes_hub_check(made):
    assert made.problems == []


def test_a_rule_says_nothing_until_somebody_wrote_topic_and_condition(made):
    assert all((rule["enabled"], rule["when"]) == (False, "false") for rule in made.rules.values())
    assert all(rule["topic"].split("/")[0] == "not-carried-over" for rule in made.rules.values())


def test_the_query_stands_above_its_rule(made):
    text = made.text.partition("- alert: NodeFilesystemSpaceFillingUp\n")[0]
    assert '    node_filesystem_avail_bytes{job="node",fstype!=""} / node_filesystem_size_bytes' in text
    assert "predict_linear" in text


def test_labels_that_texts_name_are_captures_of_the_topic(made):
    rule = made.rules["NodeFilesystemSpaceFillingUp"]
    assert rule["topic"] == "not-carried-over/{device}/{instance}"
    assert rule["details"] == (
        "Filesystem on {labels.device} at {instance} has only {value:.2f}% available space left and is filling up."
    )
    assert rule["runbook"] == "https://runbooks.example.org/{instance}"
    assert rule["labels"] == {"team": "platform", "zone": "x-{payload.zone}"}


def test_times_and_severities_keep_their_meaning(made):
    rules = made.rules
    first, second = rules["NodeFilesystemSpaceFillingUp"], rules["NodeFilesystemSpaceFillingUp_2"]
    assert (first["for"], first["clear_for"], first["severity"]) == ("1h", "5m", "warning")
    assert (second["for"], second["severity"]) == ("1d12h", "critical")
    assert rules["Year"]["for"] == "365d"
    assert (rules["KubePodCrashLooping"]["severity"], rules["KubePodCrashLooping"]["labels"]) == (
        "critical",
        {"original_severity": "page"},
    )
    assert rules["Odd"]["severity"] == "warning"


def test_resources_of_the_operator_are_read_too_and_words_of_our_language_are_fields(made):
    assert made.rules["KubePodCrashLooping"]["topic"] == "not-carried-over/{pod}/{container}/{state}"
    assert made.rules["KubePodCrashLooping"]["summary"] == (
        "Pod {payload.namespace}/{pod} ({container}) is crash looping, state {labels.state}"
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (5, ["`limit`"]),
        (8, ["recording rule instance:node_cpu:ratio"]),
        (27, ["'dashboard'"]),
        (28, ["NodeFilesystemSpaceFillingUp_2"]),
        (28, ["humanize }}"]),
        (28, ["with query"]),
        (38, ["'reason'"]),
        (38, ["'bad-label'"]),
        (41, ["for 'soon'"]),
        (44, ["'galactic'"]),
        (45, ["`unknown_key`"]),
    ],
)
def test_what_is_not_carried_over_is_told_with_its_line(made, line, words):
    assert made.remarked(*words).startswith(f"rules.yml:{line}:")


@pytest.mark.parametrize(
    ("written", "template"),
    [
        ("{{ $labels.instance }} is {{$value}}", "{instance} is {value}"),
        ("{{ .Labels.job }} {{ .Value }}", "{job} {value}"),
        ('{{ index $labels "job" }}', "{job}"),
        ('{{ printf "%.2f" $value }}%', "{value:.2f}%"),
        ('{{ $value | printf "%.1f%%" }}', "{value:.1f}%"),
        ('{{ printf "%d items" $value }}', "{value:.0f} items"),
        ("{{ humanizePercentage $value }}", "{value:.2%}"),
        ("{{ $value | humanizePercentage }}", "{value:.2%}"),
        ("{{ $labels.alertname }} {{ $labels.severity }}", "{alertname} {severity}"),
        ("a {{- /* x */ -}} b {brace}", "ab {{brace}}"),
        ("{{ $labels.in }} {{ $labels.state }}", '{payload["in"]} {labels.state}'),
        ("{{ $labels.team }}", "{labels.team}"),
    ],
)
def test_a_template_that_only_names_things_is_carried_over(written, template):
    texts = GoText(frozenset({"team"}))
    assert (texts.convert(written), texts.lost) == (template, [])


@pytest.mark.parametrize("written", ["{{ $value | humanize }}", "{{ $externalURL }}", "{{ if eq 1 1 }}x{{ end }}"])
def test_a_template_that_computes_is_told(written):
    texts = GoText(frozenset())
    assert fits(texts.convert(written))
    assert texts.lost


@given(st.text('{}$labels.value|printf "%2f\\-/*\n', max_size=50) | st.text(max_size=30))
def test_any_template_becomes_some_template(written):
    assert fits(GoText(frozenset({"l"})).convert(written))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("groups: []\n", "in.txt: no alerting rule"),
        ("groups:\n  - name: a\n    rules:\n      - record: x\n        expr: y\n", "in.txt:4:9: recording rule x"),
        ("groups: {\n", "in.txt:2:1: not YAML"),
        ("just text", "in.txt: no alerting rule"),
    ],
)
def test_a_file_without_alerting_rules_is_told_with_its_line(text, told):
    with pytest.raises(ConfigError) as caught:
        IMPORTERS["prometheus"](text, "in.txt")
    assert any(str(problem).startswith(told) for problem in caught.value.problems), caught.value
