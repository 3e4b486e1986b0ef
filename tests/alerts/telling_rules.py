"""The rules that tests/alerts/test_telling_model.py reloads between: four of them, each with keys that vary.

A value is what stands in the file; a key that is None is not there. What the rules mean is said once more, in seconds,
for the model: it does not ask the hub how it reads them.
"""

from dataclasses import dataclass
from functools import lru_cache

from hub.documents.document import Problems, parse_document
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import RuleSet
from hub.rules.reading.rule_reader import NO_DEFAULTS, read_rule
from hub.rules.reading.rule_values import KnownNames

RECEIVERS = {
    "chat": "json://localhost/a",
    "mail": "{apprise: json://localhost/b, fallback: {after: 1m, to: ops}}",
    "boss": "json://localhost/c",
    "ops": "json://localhost/d",
    "quiet": "{apprise: json://localhost/e, send_resolved: false}",
    "chat2": "json://localhost/f",
}
FALLBACK = {"mail": "ops"}
SILENT_ABOUT_ENDS = {"quiet"}
RENAMED = {"chat": "chat2"}
"""What the rules name in the place of a receiver that is gone; others they name no longer."""
SECONDS = {"0s": 0.0, "10s": 10.0, "30s": 30.0, "1m": 60.0, "2m": 120.0, "5m": 300.0, "10m": 600.0, "1h": 3600.0}
LIMITS = {"2/10m": (2, 600.0), "1/h": (1, 3600.0)}
THRESHOLD = {"Hot": 8, "Warm": 5, "Many": 5, "Off": 5}
CAPTURES = {"Hot": ("site", "device"), "Warm": ("site", "device"), "Many": ("site", "device"), "Off": ("site",)}
CAUSE = {"Warm": "Hot", "Many": "Off"}

KEYS = {
    "there": [True, False],
    "notify": [("chat",), ("mail",), ("chat", "mail"), ("ops", "quiet"), ("quiet", "chat"), ()],
    "group_by": [None, (), ("site",), ("team",)],
    "group_wait": [None, "0s", "30s"],
    "group_interval": [None, "1m", "10m"],
    "repeat": [None, "1m", "1m, 5m", "10m"],
    "escalate": [
        (),
        (("2m", ("boss",)),),
        (("2m", ("boss",)), ("10m", ("boss", "chat"))),
        (("5m", ("boss",)),),
        (("2m", ("ops",)), ("5m", ("boss",))),
    ],
    "limit": [None, None, "2/10m", "1/h"],
    "severity": ["warning", "critical"],
    "team": [None, "a", "b"],
    "after": [None, "0s", "2m"],
    "shadow": [False, True],
    "mute": [False, True],
}
PLAIN = {name: values[0] for name, values in KEYS.items()}
FIRST = {"Hot": PLAIN, "Warm": PLAIN, "Off": PLAIN, "Many": PLAIN | {"group_by": ("site",)}}


@dataclass(frozen=True)
class Written:
    """One rule as it is in force; `there` is false where it is not in the file."""

    name: str
    there: bool
    notify: tuple
    group_by: tuple | None
    group_wait: str | None
    group_interval: str | None
    repeat: str | None
    escalate: tuple
    limit: str | None
    severity: str
    team: str | None
    after: str | None
    shadow: bool
    mute: bool
    cause: str | None

    @property
    def wait(self):
        return SECONDS[self.group_wait or "10s"] if self.group_by is not None else 0.0

    @property
    def interval(self):
        return SECONDS[self.group_interval or "5m"] if self.group_by is not None else 0.0

    @property
    def window(self):
        return LIMITS[self.limit][1] if self.limit else 0.0

    @property
    def repeats(self):
        return [SECONDS[each.strip()] for each in self.repeat.split(",")] if self.repeat else []

    @property
    def steps(self):
        return [(SECONDS[after], to) for after, to in self.escalate]

    @property
    def lingers(self):
        return SECONDS[self.after or "10s"]

    @property
    def called(self):
        return {name for _, to in self.escalate for name in to}

    @property
    def label_names(self):
        return {*CAPTURES[self.name], *(("team",) if self.team else ())}

    def text(self):
        """Write it as a user would."""
        name = self.name
        topic = "/".join(["t" if name != "Off" else "s", *(f"{{{each}}}" for each in CAPTURES[name])])
        keys = [f"alert: {name}", f'topic: "{topic}"', f"when: v > {THRESHOLD[name]}", f"severity: {self.severity}"]
        keys.append(f"notify: [{', '.join(self.notify)}]")
        keys.append(f'summary: "{" ".join(f"{{{each}}}" for each in CAPTURES[name])} is {{v}}"')
        grouping = ("group_wait", "group_interval") if self.group_by is not None else ()
        keys += [f"{key}: {value}" for key in (*grouping, "limit") if (value := getattr(self, key))]
        keys += [f'repeat: "{self.repeat}"'] if self.repeat else []
        keys += [f"group_by: [{', '.join(self.group_by)}]"] if self.group_by is not None else []
        steps = ", ".join(f"{{after: {after}, to: [{', '.join(to)}]}}" for after, to in self.escalate)
        keys += [f"escalate: [{steps}]"] if steps else []
        keys += [f"labels: {{team: {self.team}}}"] if self.team else []
        keys += ["shadow: true"] if self.shadow else []
        keys += ["mute: service"] if self.mute else []
        if self.cause:
            keys.append(
                f"unless: {{alert: {self.cause}, after: {self.after}}}" if self.after else f"unless: {self.cause}"
            )
        return f"- {{{', '.join(keys)}}}"


def in_force(chosen, gone):
    """Return the rules as they stand in the file when these receivers are gone."""

    def present(names):
        renamed = [RENAMED.get(name, "") if name in gone else name for name in names]
        return tuple(dict.fromkeys(name for name in renamed if name))

    found = {}
    for name, keys in chosen.items():
        steps = tuple((after, names) for after, to in keys["escalate"] if (names := present(to)))
        cause = CAUSE.get(name)
        cause = cause if cause and chosen[cause]["there"] else None
        group_by = keys["group_by"]
        if group_by == ("team",) and not keys["team"]:
            group_by = ()
        found[name] = Written(
            name, **keys | {"notify": present(keys["notify"]), "escalate": steps, "cause": cause, "group_by": group_by}
        )
    return found


def receivers_there(gone):
    """Return the names of all receivers when these are gone."""
    return {name for name in RECEIVERS if name not in gone and (name != "chat2" or "chat" in gone)}


@lru_cache(500)
def rule_set(texts, receivers):
    """Read it as the hub does."""
    problems = Problems()
    listed = ", ".join(f"{name}: {RECEIVERS[name]}" for name in sorted(receivers))
    known = read_receivers(parse_document(f"{{{listed}}}", "x", problems), problems)
    nodes = parse_document("\n".join(texts), "r", problems).value if texts else []
    found = [read_rule(item, problems, NO_DEFAULTS, KnownNames(known)) for item in nodes]
    assert not problems, "\n".join(map(str, problems))
    return RuleSet({rule.name: rule for rule in found}, known)


def load(written, gone, *, backwards=False):
    """Return the rules in force, and all receivers, as the hub loads them."""
    texts = [each.text() for each in written.values() if each.there]
    return rule_set(tuple(reversed(texts) if backwards else texts), frozenset(receivers_there(gone)))
