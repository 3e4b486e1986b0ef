"""Makes rules of Home Assistant's `alert:`. Each watches the state of one entity, which mqtt_statestream publishes."""

import re
from collections.abc import Iterator

from hub.documents.document import Problems
from hub.documents.duration import format_duration
from hub.errors import ConfigError, Problem
from hub.importers.draft import Draft, DraftEntry, Imported, Value
from hub.importers.hass.ha_automations import AutomationReader, is_automation
from hub.importers.hass.jinja import JinjaMessage, message
from hub.importers.imported_texts import literal
from hub.importers.loops import unloop
from hub.importers.rule_writer import write
from hub.importers.yaml_source import ForeignValue, read_sources
from hub.limits import REPEAT_SECONDS

__all__ = ["read_homeassistant"]

_HEAD = """From Home Assistant's {path}. Read it over, then: hub check FILE.
The rules listen to the topics of Home Assistant's mqtt_statestream, which must be switched on there:
  mqtt_statestream: {{base_topic: {base}}}
Receivers tell people by Home Assistant's own notify services, with a long-lived access token. While it is down
they reach nobody: where that matters, give them another URL (ntfy://…, tgram://…) or kind."""
_BASE = "homeassistant"
_ENTITY = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_KNOWN = {
    *("name", "entity_id", "state", "repeat", "can_acknowledge", "skip_first"),
    *("message", "done_message", "notifiers", "title"),
}
_NO = ("false", "no", "off", "n", "0")
_CLEAR = "clear_notification"


def read_homeassistant(text: str, path: str) -> Imported:
    """Read configuration.yaml, a package, or a file that `alert: !include` names.

    Raises:
        ConfigError: it is no YAML, or has no alert.

    """
    problems = Problems()
    roots = read_sources(text, path, problems)
    if problems:
        raise ConfigError(problems)
    reader = _Reader(path)
    for root in roots:
        reader.root(root)
    if not reader.draft.rules:
        hint = "an alert stands below `alert:` and has an entity_id, an automation has triggers and an action notify.…"
        problem = Problem(path, 0, 0, "no alert and no automation that tells somebody", hint)
        raise ConfigError([problem, *reader.draft.remarks])
    reader.receivers()
    unloop(reader.draft)
    return write(reader.draft)


class _Reader:
    """Reads a configuration into a draft."""

    def __init__(self, path: str) -> None:
        self.draft, self.base = Draft(path), _BASE
        self.notify: dict[str, ForeignValue] = {}
        self.told: dict[str, bool] = {}
        """By notifier that an alert names: whether some alert also tells it that it is over (done_message)."""

    def root(self, root: ForeignValue) -> None:
        """Read all alerts of a configuration, also those of its packages; or a file that holds nothing but alerts."""
        stream = root.get("mqtt_statestream")
        self.base = (stream.text("base_topic", self.base) if stream else self.base).strip("/") or _BASE
        self.draft.head = _HEAD.format(path=self.draft.path, base=self.base).split("\n")
        packages = (root.get("homeassistant") or root).get("packages")
        parts = [root, *(packages.pairs.values() if packages else ())]
        for part in parts:
            self._notifiers(part)
        for part in parts:
            for key, section in part.pairs.items():
                if key.split(" ")[0] == "alert":  # `alert kitchen:` is one of several such sections
                    self._section(section)
        if not self.draft.rules and all("entity_id" in value.pairs for value in root.pairs.values()):
            self._section(root)  # a file that `alert: !include` names
        for part in parts:
            self._automations(part)

    def _automations(self, part: ForeignValue) -> None:
        """Read `automation:` and its like, or a file that holds nothing but a list of automations."""
        reader = AutomationReader(self.draft, self.base, self.told)
        sections = [each for key, each in part.pairs.items() if key.split(" ")[0] == "automation"]
        for section in [part, *sections] if isinstance(part.value, list) else sections:
            if section.tag.startswith("!include"):
                say = f"automation: {section.tag} {section.value}: in another file; import that one too"
                self.draft.remark(None, section.line, say, section.column)
            for each in section.items:
                if is_automation(each):
                    reader.read(each)

    def _section(self, section: ForeignValue) -> None:
        if section.tag.startswith("!include"):
            what = section.value if isinstance(section.value, str) else ""
            say = f"alert: {section.tag} {what}: in another file; import that one too"
            self.draft.remark(None, section.line, say, section.column)
        for key, alert in section.pairs.items():
            self._alert(key, alert, section.keys.get(key, alert.line))

    def _notifiers(self, part: ForeignValue) -> None:
        """Gather the notify services that the file itself defines, by the name under which alerts call them."""
        for key, section in part.pairs.items():
            if key.split(" ")[0] == "notify":
                for service in section.items:
                    if service.text("name"):
                        self.notify[_slug(service.text("name"))] = service

    # an alert

    def _alert(self, key: str, alert: ForeignValue, line: int) -> None:
        """Make a rule of an alert, which fires while the entity has the alert's `state`."""
        entity = alert.text("entity_id").lower()
        if not _ENTITY.fullmatch(entity):
            self.draft.remark(None, line, f"alert {key}: entity_id {entity!r} is no entity of Home Assistant")
            return
        rule = DraftEntry({"alert": self.draft.name(key), "topic": f"{self.base}/{entity.replace('.', '/')}/state"})
        state = alert.text("state", "on")
        rule.keys["when"] = f"value == {state if _NUMBER.fullmatch(state) else literal(state)}"
        self._notify(key, alert, rule)
        self._repeat(key, alert, rule)
        self._texts(key, alert, rule, entity)
        for other, value in alert.pairs.items():
            if other not in _KNOWN:
                self.draft.remark(rule, value.line, f"alert {key}: `{other}` is not carried over", value.column)
        self.draft.rules.append(rule)

    def _texts(self, key: str, alert: ForeignValue, rule: DraftEntry, entity: str) -> None:
        """Make summary and details of the alert's texts; a title becomes the summary, and the message the details."""
        name = message(alert.text("name") or key, entity)
        told = {}
        for option in ("message", "title", "done_message"):
            written = alert.get(option)
            if written is None or (option == "done_message" and alert.text(option) == _CLEAR):
                continue  # `clear_notification` is an order to the app, not a text
            told[option] = message(alert.text(option), entity)
            if told[option] is None:
                say = f"alert {key}: {option} is a Jinja template, write it with {{…}}: {alert.text(option)}"
                self.draft.remark(rule, written.line, say, written.column)
        said = told.get("message") or name or JinjaMessage([key])
        done = told.get("done_message")
        body = said.over(done) if done else said.text
        title = told.get("title")
        rule.keys |= {"summary": title.text, "details": body} if title else {"summary": body}

    def _repeat(self, key: str, alert: ForeignValue, rule: DraftEntry) -> None:
        """Carry the intervals over. With `skip_first` nobody is told until the first one has passed: our `for`."""
        written = alert.get("repeat")
        seconds = list(_minutes(written)) if written else []
        if written and len(seconds) < len(written.items):
            self.draft.remark(
                rule, written.line, f"alert {key}: repeat has what is no number of minutes", written.column
            )
        skip = _yes(alert.text("skip_first", "false"))
        if skip and seconds:
            if seconds[0]:
                rule.keys["for"] = format_duration(seconds[0])
                rule.beside["for"] = "skip_first"
            seconds = seconds[1:] or seconds
        late = [interval for interval in seconds if interval >= REPEAT_SECONDS]  # the hub repeats nothing faster
        if len(late) < len(seconds) and written:
            say = f"alert {key}: to repeat within {REPEAT_SECONDS:.0f} s is not carried over"
            self.draft.remark(rule, written.line, say, written.column)
        if late and rule.keys["notify"]:
            until = " until ack" if _yes(alert.text("can_acknowledge", "true")) else ""
            rule.keys["repeat"] = ", ".join(map(format_duration, late)) + until

    def _notify(self, key: str, alert: ForeignValue, rule: DraftEntry) -> None:
        """Carry the names of the notifiers over; their receivers are made at the end."""
        listed = alert.get("notifiers")
        over = alert.get("done_message") is not None and alert.text("done_message") != _CLEAR
        names = [each.removeprefix("notify.") for each in (listed.texts if listed else ())]
        if not names:
            self.draft.remark(rule, alert.line, f"alert {key} names no notifiers: nobody is told")
        for name in names:
            self.told[name] = self.told.get(name, False) or over
        rule.keys["notify"] = list(dict.fromkeys(names))

    # who is told

    def receivers(self) -> None:
        """Make a receiver of each notifier that an alert names."""
        for name, over in self.told.items():
            service = self.notify.get(name)
            receiver = self._mail(name, service) if service and service.text("platform") == "smtp" else None
            if receiver is None:  # Home Assistant's own service tells it: by Apprise, with an access token
                holds = f"hassio://homeassistant.local:8123/ACCESS_TOKEN/{name}"
                receiver = DraftEntry(
                    {"apprise": self.draft.variable(name, "url", holds=holds)}, beside={"apprise": holds}
                )
            if not over:  # as before, it does not hear of the end
                receiver.keys["send_resolved"] = False
                receiver.beside["send_resolved"] = "no alert has a done_message for it"
            self.draft.receivers[name] = receiver

    def _mail(self, name: str, service: ForeignValue) -> DraftEntry | None:
        """Make a receiver of a mail notifier; None where more of it than the password is a secret."""
        recipients, server = service.get("recipient"), service.get("server")
        to: list[str] = recipients.texts if recipients else []
        parts = (service.get("sender"), server, service.get("username"), *(recipients.items if recipients else ()))
        if not to or not service.text("sender") or any(part is not None and part.tag for part in parts):
            return None
        tls = {"tls": "tls", "none": "none"}.get(service.text("encryption", "starttls"), "starttls")
        mail: dict[str, Value] = {"host": service.text("server", "localhost"), "tls": tls}
        if service.text("port").isdigit():
            mail["port"] = int(service.text("port"))
        if service.text("username"):
            secret = service.get("password")
            words = (str(secret.value),) if secret and secret.tag == "!secret" else (name, "password")
            mail["username"] = service.text("username")
            mail["password"] = self.draft.variable(*words, holds="the password of the mail server")
        return DraftEntry({"smtp": {**mail, "from": service.text("sender"), "to": to}})


def _yes(word: str) -> bool:
    return word.lower() not in _NO


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")


def _minutes(written: ForeignValue) -> Iterator[float]:
    """Read a list of minutes, as seconds; an item that is no number of them is left out."""
    for item in written.items:
        try:
            minutes = float(item.value) if isinstance(item.value, str) else -1.0
        except ValueError:
            continue
        if 0 <= minutes <= 525_600:  # a year
            yield minutes * 60
