"""Makes rules of mqttwarn.ini: an `event` rule of each topic section, and a receiver of each target that it names."""

import re
from collections.abc import Mapping
from typing import Any

from hub.errors import ConfigError, Problem
from hub.importers.draft import Draft, DraftEntry, Imported, Value
from hub.importers.imported_texts import braces
from hub.importers.ini import Ini
from hub.importers.loops import OWN, elsewhere, unloop
from hub.importers.pyformat import convert
from hub.importers.rule_writer import write
from hub.importers.services import MAKERS, ImportTarget, NotCarried
from hub.ingest.itself import HUB
from hub.ingest.topics import check_filter
from hub.limits import REPEAT_SECONDS

__all__ = ["read_mqttwarn"]

_YEAR = 365 * 86_400  # seconds

_FUNCTION = re.compile(r"\s*([A-Za-z_][\w.]*)\(.*\)\s*", re.DOTALL)
_HEAD = """From mqttwarn's {path}. Read it over, then: hub check FILE.
Each topic section is an `event`: every message is one notification. For something that lasts, make it an `alert`.
The broker stands in hub.yaml, not here: broker: {{url: mqtt://{host}:{port}}}"""
_NOT_RULES = ("defaults", "cron", "failover")
_ADDS = "a Python function; what it adds is missing: name levels of the topic {so}, and take fields as they are"
_CODE = {
    "datamap": _ADDS,
    "alldata": _ADDS,
    "template": "a Jinja template; write it as `details`",
    "image": "images are not sent",
}


def read_mqttwarn(text: str, path: str) -> Imported:
    """Read mqttwarn.ini.

    Raises:
        ConfigError: it is no INI file, or has no topic section with targets.

    """
    reader = _Reader(Ini(text, path))
    for section in reader.ini.sections:
        if section not in _NOT_RULES and not section.startswith("config:"):
            reader.section(section)
    if not reader.draft.rules:
        problem = Problem(path, 0, 0, "no section of a topic with targets", "as in [my/topic] targets = file:log")
        raise ConfigError([problem, *reader.draft.remarks])
    reader.rest()
    return write(reader.draft)


_QUEUES = {"amqp": "amqp", "redispub": "redis"}


class _Reader:
    """Reads sections into a draft; `made` has the names of the receivers of each target that was read."""

    def __init__(self, ini: Ini) -> None:
        self.ini, self.draft = ini, Draft(ini.path)
        self.made: dict[str, list[str]] = {}
        port = ini.value("defaults", "port")
        host = ini.text("defaults", "hostname") or "localhost"
        self.host = host.partition(" ")[0].strip("'\"")
        head = _HEAD.format(path=ini.path, host=self.host, port=port if isinstance(port, int) else 1883)
        self.draft.head += head.split("\n")

    def section(self, section: str) -> None:
        """Read a topic section. Where its targets are a mapping by topic, each topic becomes a rule."""
        if "targets" not in self.ini.options(section):
            self.draft.remark(None, self.ini.line(section), f"[{section}] has no targets")
            return
        targets = self.ini.value(section, "targets")
        if not isinstance(targets, Mapping):
            topic = self.ini.text(section, "topic") or section
            self.rule(section, section, topic, self.ini.text(section, "targets") or "")
            return
        for topic, names in targets.items():
            listed = ", ".join(map(str, names)) if isinstance(names, (list, tuple)) else str(names)
            rule = self.rule(section, f"{section} {topic}", str(topic), listed)
            if rule is not None and len(targets) > 1:
                say = "where several topics match, mqttwarn takes the narrowest; here each rule tells its receivers"
                self.draft.remark(rule, self.ini.line(section, "targets"), f"[{section}] {topic}: {say}")

    def rule(self, section: str, name: str, topic: str, targets: str) -> DraftEntry | None:
        """Make a rule; None where the topic is none that the hub can listen to."""
        line = self.ini.line(section, "topic")
        if why := check_filter(topic) or ("it holds a brace" if "{" in topic or "}" in topic else ""):
            self.draft.remark(None, line, f"[{section}] {topic!r} is no topic: {why}")
            return None
        rule = DraftEntry({"event": self.draft.name(name), "topic": topic})
        if HUB.named_by(topic):
            elsewhere(self.draft, rule, line, f"[{section}] the topic {topic} matches what the hub says ({OWN})")
        elif topic == "#":
            elsewhere(self.draft, rule, line, f"[{section}] the topic # matches what receivers publish, too")
        self.condition(section, rule)
        self.texts(section, rule)
        rule.keys["notify"] = self.receivers(section, rule, targets)
        silent = self.silence(section, name, rule)
        if silent is None or self.ini.value(section, "notify_only_on_timeout") is not True:
            self.draft.rules.append(rule)
        if silent is not None:
            self.draft.rules.append(silent)
        return rule

    def silence(self, section: str, name: str, rule: DraftEntry) -> DraftEntry | None:
        """Make an alert of `timeout`: nothing has come for so many seconds. It is told again each time they pass."""
        seconds = self.ini.value(section, "timeout")
        if seconds is None:
            return None
        if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < _YEAR:
            say = f"[{section}] timeout {seconds}: no number of seconds; write an alert with `absent`"
            self.draft.remark(rule, self.ini.line(section, "timeout"), say)
            return None
        keys: dict[str, Value] = {"topic": rule.keys["topic"], "absent": f"{seconds}s"}
        if seconds >= REPEAT_SECONDS:
            keys["repeat"] = f"{seconds}s"
        told = {"notify": rule.keys["notify"], "summary": f"Nothing on {braces(str(keys['topic']))} for {seconds} s"}
        silent = DraftEntry({"alert": self.draft.name(f"{name} silent"), **keys, **told})
        for why in sorted(rule.reasons):
            if "] filter " not in why:  # a filter held messages back, and let silence be
                self.draft.disable(silent, self.ini.line(section), why)
        return silent

    def condition(self, section: str, rule: DraftEntry) -> None:
        """Remark on the parts of the section that are code, which cannot be carried over."""
        function = self.ini.text(section, "filter")
        if function is not None:
            say = "a Python function that holds messages back; write a condition as `when` (what it lets through)"
            self.draft.disable(rule, self.ini.line(section, "filter"), f"[{section}] filter {function}: {say}")
        for option, say in _CODE.items():
            if (written := self.ini.text(section, option)) is not None:
                self.draft.remark(rule, self.ini.line(section, option), f"[{section}] {option} {written}: {say}")
        priority = self.ini.value(section, "priority")
        if isinstance(priority, int):
            rule.keys["severity"] = "info" if priority < 1 else "warning" if priority < 2 else "critical"
            rule.beside["severity"] = f"priority was {priority}"
        elif priority is not None:
            say = "a Python function; write `severity`"
            self.draft.remark(rule, self.ini.line(section, "priority"), f"[{section}] priority {priority}: {say}")

    def texts(self, section: str, rule: DraftEntry) -> None:
        """Carry `title` and `format` over. With a title, that is the summary and the format the details."""
        title, body = self.template(section, "title", rule), self.template(section, "format", rule)
        rule.keys["summary"] = title or body or "{payload}"
        if title:
            rule.keys["details"] = body or "{payload}"

    def template(self, section: str, option: str, rule: DraftEntry) -> str:
        """Convert an option that is a format string; "" where it is absent, or the name of a function."""
        written = self.ini.text(section, option)
        if not written:
            return ""
        line = self.ini.line(section, option)
        if _FUNCTION.fullmatch(written):
            self.draft.remark(rule, line, f"[{section}] {option} {written}: a Python function; write the text")
            return ""
        converted, lost = convert(written)
        if lost:
            self.draft.remark(rule, line, f"[{section}] {option} {written}: {', '.join(lost)} not carried over")
        return converted

    # who is told

    def receivers(self, section: str, rule: DraftEntry, targets: str) -> list[str]:
        """Return the names of the receivers for a list of targets."""
        line = self.ini.line(section, "targets")
        if _FUNCTION.fullmatch(targets):
            self.draft.disable(rule, line, f"[{section}] targets {targets}: a Python function; write `notify`")
            return []
        names: dict[str, None] = {}
        for target in filter(None, (part.strip() for part in targets.split(","))):
            try:
                names |= dict.fromkeys(self.target(target))
            except NotCarried as why:
                self.draft.remark(rule, line, f"[{section}] target {target}: {why}")
        return list(names)

    def target(self, written: str) -> list[str]:
        """Return the receivers of `service:target`, or of all targets of `service`; each is made once."""
        if "{" in written:
            raise NotCarried("it is chosen by each message; write a rule for each choice, with `when`")
        service, colon, name = written.partition(":")
        section = f"config:{service}"
        module = self.ini.text(section, "module") or service
        if module not in MAKERS:
            raise NotCarried(_why_not(module))
        listed = self.ini.value(section, "targets")
        if isinstance(listed, str):
            raise NotCarried(f"the targets of [{section}] are no Python dictionary")
        addresses: Mapping[Any, Any] = listed if isinstance(listed, Mapping) else {}
        if colon and name not in addresses:
            raise NotCarried(f"there is no such target in [{section}]")
        wanted = {name: addresses[name]} if colon else addresses or {"": None}
        return [made for key, address in wanted.items() for made in self.receiver(service, module, str(key), address)]

    def receiver(self, service: str, module: str, name: str, address: Any) -> list[str]:
        """Make the receivers of a target, unless they are there; return their names (`apprise_multi` has several)."""
        key = "_".join(filter(None, re.split(r"\W+", f"{service} {name}")))
        if key not in self.made:
            section = f"config:{service}"
            config = {option: self.ini.value(section, option) for option in self.ini.options(section)}
            target = ImportTarget(self.draft, key, config | {"own_broker": self.host}, address)
            entries = MAKERS[module](target)
            self.made[key] = [f"{key}_{number}" if number > 1 else key for number in range(1, len(entries) + 1)]
            self.draft.receivers |= dict(zip(self.made[key], entries, strict=True))
        return self.made[key]

    # what is left

    def rest(self) -> None:
        """Remark on sections that have no place in a rule file; move receivers that publish to topics of rules."""
        if "failover" in self.ini.sections:
            say = "mqttwarn's own troubles; watch the topic hub/status, and the log"
            self.draft.remark(None, self.ini.line("failover"), f"[failover] {say}")
        for option in self.ini.options("cron"):
            say = "a Python function by the clock; run it from cron and publish what it finds"
            self.draft.remark(None, self.ini.line("cron", option), f"[cron] {option}: {say}")
        unloop(self.draft)


def _why_not(module: str) -> str:
    if module == "log":
        return "the hub logs by itself"
    if module in _QUEUES:
        return f"write a receiver of the kind {_QUEUES[module]}, which needs a package of its own: docs/receivers.md"
    return f"no receiver for the service {module}; see docs/receivers.md, a webhook or an Apprise URL may do"
