"""Makes rules of Prometheus' alerting rules. The user has to replace each query by a topic and a condition."""

import re

from hub.documents.document import Problems
from hub.documents.duration import UNITS, format_duration
from hub.errors import ConfigError, Problem
from hub.importers.draft import NOWHERE, Draft, DraftEntry, Imported, Value
from hub.importers.gotemplate import GoText
from hub.importers.rule_writer import write
from hub.importers.yaml_source import ForeignValue, read_sources
from hub.rules.reading.vocabulary import SEVERITIES

__all__ = ["read_prometheus"]

_HEAD = """From Prometheus' {path}. A query over metrics cannot become a rule over messages by itself.
So each rule below is disabled. Write its MQTT topic ({{name}} takes a level; it is a label then), write `when` for the
query above it, put the field in place of {{value}} in the texts, and take `enabled: false` and the comment away.
Then: hub check FILE.
Who is told stands in `notify`, or for all rules in: defaults: {{notify: [NAME]}}"""
_WORDS = {
    "info": "information informational notice debug none low p4 p5 sev4 sev5",
    "warning": "warn minor medium moderate average ticket p3 sev3",
    "critical": "crit page error major high severe emergency disaster fatal p1 p2 sev1 sev2",
}
_SEVERITY = {word: ours for ours, words in _WORDS.items() for word in words.split()}
_DURATION = re.compile(r"([0-9]+)(ms|[smhdwy])")
_UNITS = UNITS | {"y": 365 * UNITS["d"]}
_TEXTS = ("summary", "description", "message", "runbook_url", "runbook")
_RULE = ("alert", "expr", "for", "keep_firing_for", "labels", "annotations")
_GROUP = ("name", "rules", "labels", "interval")  # an interval needs no word: rules are evaluated at each message


def read_prometheus(text: str, path: str) -> Imported:
    """Read a file of rule groups, or PrometheusRule resources of the operator.

    Raises:
        ConfigError: it is no YAML, or has no alerting rule.

    """
    problems = Problems()
    roots = read_sources(text, path, problems)
    if problems:
        raise ConfigError(problems)
    reader = _Reader(path)
    for root in roots:
        groups = root.get("groups") or (root.get("spec") or root).get("groups")
        for group in groups.items if groups else ():
            reader.group(group)
    if not reader.draft.rules:
        problem = Problem(path, 0, 0, "no alerting rule", "it stands in groups: [{name, rules: [{alert, expr}]}]")
        raise ConfigError([problem, *reader.draft.remarks])
    return write(reader.draft)


class _Reader:
    """Reads groups into a draft."""

    def __init__(self, path: str) -> None:
        self.draft = Draft(path, _HEAD.format(path=path).split("\n"))

    def group(self, group: ForeignValue) -> None:
        """Read the alerting rules of a group. A recording rule has no match, as the hub keeps no metrics."""
        for key, value in group.pairs.items():
            if key not in _GROUP:
                say = f"group {group.text('name')}: `{key}` is not carried over"
                self.draft.remark(None, value.line, say, value.column)
        rules, labels = group.get("rules"), group.get("labels")
        for rule in rules.items if rules else ():
            if rule.get("record"):
                say = f"recording rule {rule.text('record')}: there are no metrics to record"
                self.draft.remark(None, rule.line, say, rule.column)
            elif rule.text("alert"):
                self._rule(rule, labels.pairs if labels else {})

    def _rule(self, written: ForeignValue, shared: dict[str, ForeignValue]) -> None:
        """Make a rule of an alerting rule; `shared` are labels of its group.

        It is off until the user has written its topic and condition.
        """
        name = written.text("alert")
        given = written.get("labels")
        labels = {**shared, **(given.pairs if given else {})}
        labels = {key: value for key, value in labels.items() if not _same(key, value)}
        texts = GoText(frozenset(labels))
        rule = DraftEntry({"alert": self.draft.name(name)})
        rule.comments += ["The query was:", *(f"  {line}" for line in written.text("expr").strip().split("\n"))]
        if rule.keys["alert"] != name:
            say = f"alert {name}: it is called {rule.keys['alert']} here; a name stands once and has no /"
            self.draft.remark(rule, written.line, say, written.column)
        severity = self._severity(name, labels, rule)
        said = self._annotations(name, written, texts, rule)
        named = self._labels(name, labels, texts, rule)
        rule.keys |= {"topic": "/".join([NOWHERE, *(f"{{{label}}}" for label in texts.labels)]), "when": "false"}
        rule.beside |= {"topic": "write the topic", "when": "write the condition"}
        say = f"alert {name}: the query, which is over metrics; write topic and condition for it"
        self.draft.disable(rule, written.line, say, written.column)
        for key, ours in (("for", "for"), ("keep_firing_for", "clear_for")):
            self._duration(name, written, key, ours, rule)
        rule.keys |= {key: value for key, value in {"severity": severity, "labels": named, **said}.items() if value}
        for lost in texts.lost:
            self.draft.remark(rule, written.line, f"alert {name}: {lost} is not carried over", written.column)
        for key, value in written.pairs.items():
            if key not in _RULE:
                self.draft.remark(rule, value.line, f"alert {name}: `{key}` is not carried over", value.column)
        self.draft.rules.append(rule)

    def _duration(self, name: str, written: ForeignValue, key: str, ours: str, rule: DraftEntry) -> None:
        """Carry a duration over to our key; where it is zero, the key is left out."""
        text = written.text(key)
        if not text or not text.strip("0"):
            return
        if not re.fullmatch(f"(?:{_DURATION.pattern})+", text):
            self.draft.remark(rule, written.line, f"alert {name}: {key} {text!r} is no duration", written.column)
            return
        seconds = sum(int(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
        if seconds:
            rule.keys[ours] = text if "y" not in text else format_duration(seconds)

    def _severity(self, name: str, labels: dict[str, ForeignValue], rule: DraftEntry) -> str:
        """Take `severity` out of the labels. One that the hub does not have becomes the nearest of ours.

        Its own word then stays as the label `original_severity`, so that receivers can still tell them apart.
        """
        written = labels.pop("severity", None)
        word = written.value if written is not None and isinstance(written.value, str) else ""
        if word in SEVERITIES or not word or written is None:
            return word
        ours = _SEVERITY.get(word.lower(), "")
        if not ours:
            say = f"alert {name}: severity {word!r} is none of {', '.join(SEVERITIES)}; it is a label now"
            self.draft.remark(rule, written.line, say, written.column)
        rule.beside["severity"] = f"was {word}"
        labels["original_severity"] = written
        return ours or "warning"

    def _labels(self, name: str, labels: dict[str, ForeignValue], texts: GoText, rule: DraftEntry) -> dict[str, Value]:
        """Carry the labels over that a rule may set; names that the hub sets itself are left out."""
        carried: dict[str, Value] = {}
        texts.own = True
        for key, value in labels.items():
            if key in ("alertname", "reason") or not key.isidentifier() or not isinstance(value.value, str):
                self.draft.remark(
                    rule, value.line, f"alert {name}: the label {key!r} is not carried over", value.column
                )
            else:
                carried[key] = texts.convert(value.value)
        return carried

    def _annotations(self, name: str, written: ForeignValue, texts: GoText, rule: DraftEntry) -> dict[str, Value]:
        """Make summary, details and runbook of the annotations; the first text of several is the summary."""
        given = written.get("annotations")
        left = dict(given.pairs) if given else {}
        said = {
            key: texts.convert(value.value)
            for key in _TEXTS
            if isinstance((value := left.pop(key, ForeignValue(None, 0, 0))).value, str)
        }
        for key, value in left.items():
            self.draft.remark(
                rule, value.line, f"alert {name}: the annotation {key!r} is not carried over", value.column
            )
        lines: list[Value] = [said[key] for key in ("summary", "description", "message") if key in said]
        return {
            "summary": lines[0] if lines else "",
            "details": "\n".join(map(str, lines[1:])),
            "runbook": said.get("runbook_url", "") or said.get("runbook", ""),
        }


def _same(key: str, value: ForeignValue) -> bool:
    """Tell whether a label only repeats one of the series, as in device: "{{ $labels.device }}"."""
    return isinstance(value.value, str) and re.sub(r"\s", "", value.value) == f"{{{{$labels.{key}}}}}"
