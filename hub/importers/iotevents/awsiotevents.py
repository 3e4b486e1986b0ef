"""Makes an alert of each state of a detector model that is an alarm, and an event of what a single state tells."""

from hub.documents.document import Problems
from hub.documents.duration import format_duration, parse_duration
from hub.errors import ConfigError, Problem
from hub.importers.draft import NOWHERE, Draft, DraftEntry, Imported, Value
from hub.importers.imported_texts import TAKEN, braces, is_condition, is_name
from hub.importers.iotevents.detector_expression import DetectorInputs, NotSaid, Term, inputs_of, negated, written
from hub.importers.iotevents.detector_model import (
    CloudStack,
    DetectorAction,
    DetectorEvent,
    DetectorModel,
    DetectorState,
    models,
)
from hub.importers.iotevents.detector_receivers import DetectorReceivers
from hub.importers.iotevents.detector_sample import sample_test
from hub.importers.iotevents.detector_shape import DetectorAlarm, DetectorShape, either
from hub.importers.loops import unloop
from hub.importers.rule_writer import write
from hub.importers.yaml_source import read_sources
from hub.ingest.itself import HUB
from hub.ingest.topics import check_filter

__all__ = ["read_awsiotevents"]

_HEAD = """From the detector models of AWS IoT Events in {path}. Read it over, then: hub check FILE, hub test FILE.
An input has no topic there: it is iotevents/INPUT here, unless a TopicRule of the same template says another one.
Publish to it what IoT Core routed to the input, or write the topic of the devices."""
_STORES = ["sqs", "firehose", "dynamoDB", "dynamoDBv2", "iotSiteWise", "iotEvents"]


def read_awsiotevents(text: str, path: str) -> Imported:
    """Read a request of CreateDetectorModel, an answer of DescribeDetectorModel, or a template of CloudFormation.

    Raises:
        ConfigError: it is neither JSON nor YAML, or has no detector model.

    """
    problems = Problems()
    if text.lstrip()[:1] == "{":  # JSON may be indented by tabs, which YAML refuses; inside of a text it has none
        text = text.replace("\t", " ")
    roots = read_sources(text, path, problems)
    if problems:
        raise ConfigError(problems)
    draft = Draft(path, _HEAD.format(path=path).split("\n"))
    for root in roots:
        for model, stack in models(root):
            _ModelReader(draft, model, stack).read()
    if not draft.rules:
        hint = "it has detectorModelDefinition, or is a template with AWS::IoTEvents::DetectorModel"
        raise ConfigError([Problem(path, 0, 0, "no detector model with states", hint), *draft.remarks])
    _quiet(draft)
    unloop(draft)
    return write(draft)


def _quiet(draft: Draft) -> None:
    """Let receivers that no model tells the end hear of none."""
    told, over = draft.told
    for name, receiver in draft.receivers.items():
        if name in told and name not in over and isinstance(receiver, DraftEntry):
            receiver.keys["send_resolved"] = False
            receiver.beside["send_resolved"] = "the model tells it no end"


class _ModelReader:
    """Reads one model into the draft."""

    def __init__(self, draft: Draft, model: DetectorModel, stack: CloudStack) -> None:
        self.draft, self.model = draft, model
        self.receivers = DetectorReceivers(draft, stack)
        self.routes = stack.topics()
        happenings = [each for state in model.states.values() for each in state.all]
        names = list(dict.fromkeys(name for each in happenings for name in inputs_of(each.condition)))
        self.inputs = DetectorInputs({name: self.routes.get(name, (f"iotevents/{name}", True))[0] for name in names})
        self.stack = stack

    def read(self) -> None:
        """Make the rules of the model; at least one, so that no model is lost."""
        model = self.model
        if model.initial not in model.states:
            if model.states:
                self.lost("", f"the initial state {model.initial!r} is none of its states")
            return
        shape = DetectorShape(model, self.stack, self.inputs)
        try:
            alarms = shape.alarms()
        except NotSaid as why:
            self.lost("", str(why))
            return
        for state in alarms:
            self.alarm(shape, state, model.name if len(alarms) == 1 else f"{model.name} {state.name}")
        self.events(shape, alone=not alarms)

    def base(self, kind: str, name: str) -> DraftEntry:
        """Begin a rule: what it is called, what it hears, and what tells its instances apart."""
        rule = DraftEntry({kind: self.draft.name(name)})
        rule.comments.append(f"The detector model {self.model.name}, line {self.model.place.line}.")
        topics = list(dict.fromkeys(self.inputs.topics.values()))
        rule.keys["topic"] = (topics[0] if len(topics) == 1 else list(topics)) if topics else NOWHERE
        place = self.model.place
        wrong = [each for each in topics if check_filter(each) or HUB.named_by(each) or each == "#" or "{" in each]
        if wrong:
            rule.keys["topic"] = NOWHERE
            say = f"{self.model.name}: the topic {wrong[0]}, to which the hub cannot listen; write another"
            self.draft.disable(rule, place.line, say, place.column)
        if not topics:
            say = f"{self.model.name}: no condition names an input; write the topic"
            self.draft.disable(rule, place.line, say, place.column)
        self.key(rule)
        for fed, (topic, whole) in self.routes.items():
            if fed in self.inputs.topics and not whole:
                say = f"{self.model.name}: the SQL of the TopicRule that feeds {fed} from {topic} selects or filters"
                self.draft.disable(rule, place.line, say, place.column)
        return rule

    def key(self, rule: DraftEntry) -> None:
        """Carry the key over, which tells detectors apart; without one there is one detector for all messages."""
        key = self.model.key
        if key and not _tells_apart(key):
            say = f"{self.model.name}: the key {key}, a name with another meaning here; write `by`"
            self.draft.disable(rule, self.model.place.line, say, self.model.place.column)
            key = ""
        rule.keys["by"] = [key] if key else []

    def lost(self, name: str, why: str) -> None:
        """Write a rule that is disabled, in place of what cannot be one."""
        rule = self.base("alert", name or self.model.name)
        rule.keys |= {"when": "false"}
        self.draft.disable(
            rule, self.model.place.line, f"detector model {self.model.name}: {why}", self.model.place.column
        )
        self.draft.rules.append(rule)

    # alarms

    def alarm(self, shape: DetectorShape, state: DetectorState, name: str) -> None:
        """Make an alert of a state; what no rule can say makes it a disabled one."""
        rule = self.base("alert", name)
        alarm = DetectorAlarm()
        try:
            alarm = shape.alarm(state)
            self.conditions(rule, alarm)
        except NotSaid as why:
            say = f"{self.model.name}, state {state.name}: {why}"
            self.draft.disable(rule, state.place.line, say, state.place.column)
            rule.keys["when"] = "false"
            for key in ("for", "clear", "clear_for", "absent"):
                rule.keys.pop(key, None)
            alarm = self.guessed(state)
        self.tell(rule, alarm, state.name, state.place.line)
        for say, happening in alarm.lost:
            self.draft.remark(rule, happening.place.line, f"{self.model.name}: {say}", happening.place.column)
        self.stores(rule, (*state.all, *shape.rest.all))
        if not rule.off and len(self.inputs.topics) == 1:
            topic = next(iter(self.inputs.topics.values()))
            test = sample_test(rule, alarm, topic, self.model.key)
            self.draft.tests += [test] if test else []
        self.draft.rules.append(rule)

    def guessed(self, state: DetectorState) -> DetectorAlarm:
        """Return whom a state tells, for a rule that somebody has to finish."""
        entered = [action for each in state.enter for action in each.actions if action.kind in _RECEIVED]
        left = [action for each in state.leave for action in each.actions if action.kind in _RECEIVED]
        return DetectorAlarm(begun=entered, ended=left)

    def conditions(self, rule: DraftEntry, alarm: DetectorAlarm) -> None:
        """Write what begins and ends the alarm."""
        if alarm.when:
            when, clear = either(alarm.when), either(alarm.clear)
            rule.keys["when"] = self.said(when)
            if alarm.hold:
                rule.keys["for"] = _duration(alarm.hold)
            if negated(when) != negated(clear, yes=False):
                rule.keys["clear"] = self.said(clear)
            if alarm.clear_hold:
                rule.keys["clear_for"] = _duration(alarm.clear_hold)
        elif self.said(either(alarm.clear)) != "true":
            say = f"it ends with the next message, there only where {self.said(either(alarm.clear))}"
            alarm.lost.append((say, next(iter(self.model.states.values())).ways[0]))
        if alarm.absent is not None:
            rule.keys["absent"] = _duration(alarm.absent)

    def said(self, term: Term) -> str:
        """Return a condition in our language.

        Raises:
            NotSaid: our language has no such.

        """
        text = written(term, self.inputs)
        if not is_condition(text):
            raise NotSaid(f"the condition {text}")
        return text

    def tell(self, rule: DraftEntry, alarm: DetectorAlarm, state: str, line: int) -> None:
        """Write who is told, and what."""
        begun, ended = self.names(rule, alarm.begun, line), self.names(rule, alarm.ended, line)
        rule.keys["notify"] = list(begun)
        told, over = self.draft.told
        told |= set(begun)
        over |= set(begun) & set(ended)
        if others := [name for name in ended if name not in begun]:
            over |= set(begun)  # somebody is to hear of the end: here it is who heard of the beginning
            say = f"the end was told by {', '.join(others)}; here those hear of it who heard of the beginning"
            self.draft.remark(rule, line, f"{self.model.name}: {say}")
        steps = [(after, list(self.names(rule, [action], line))) for after, action in alarm.later]
        if steps := [(after, names) for after, names in steps if names]:
            written_steps: list[Value] = [{"after": _duration(after), "to": list(names)} for after, names in steps]
            rule.keys["escalate"] = written_steps
            rule.beside["escalate"] = "not after an acknowledgement"
            told.update(*(names for _, names in steps))
        key = self.model.key
        key = f"{{{f'labels.{key}' if key in TAKEN else key}}}: " if rule.keys["by"] else ""
        rule.keys["summary"] = f"{key}{braces(state)}"

    def names(self, rule: DraftEntry, actions: list[DetectorAction], line: int) -> dict[str, None]:
        """Return the receivers of actions, each once; what has none is told."""
        found: dict[str, None] = {}
        for action in actions:
            if action.kind not in _STORES:
                try:
                    found[self.receivers.of(action, self.inputs)] = None
                except NotSaid as why:
                    self.draft.remark(rule, action.given.line or line, f"{self.model.name}: {why}", action.given.column)
        return found

    def stores(self, rule: DraftEntry, happenings: tuple[DetectorEvent, ...]) -> None:
        """Remark on actions that hand data to another service of AWS."""
        for happening in happenings:
            for action in happening.of(*_STORES):
                say = f"{self.model.name}: the action {action.kind} of {happening.name or happening.text}"
                self.draft.remark(rule, action.given.line, say, action.given.column)

    # events

    def events(self, shape: DetectorShape, *, alone: bool) -> None:
        """Make rules of what the state at rest tells with messages. Where it is not alone, a rule cannot know it."""
        told = [each for each in shape.rest.input if each.of(*_RECEIVED)]
        for happening in told:
            self.event(shape, happening, alone=alone)
        if alone and not told:
            self.lost("", "no state tells anybody anything")

    def event(self, shape: DetectorShape, happening: DetectorEvent, *, alone: bool) -> None:
        """Make an event of an event; one that waits for a timer is an alert about silence."""
        name = f"{self.model.name} {happening.name}".strip()
        rule, place = self.base("event", name), happening.place
        actions = happening.of(*_RECEIVED)
        why = "" if alone else f"it is told only while {shape.rest.name}"
        try:
            term = shape.condition(happening)
            if term[:2] == ("call", "timeout"):
                seconds = shape.heartbeat(str(term[2][0][1]))
                rule.keys = {"alert": rule.keys["event"], **{k: v for k, v in rule.keys.items() if k != "event"}}
                rule.keys["absent"] = _duration(seconds)
            elif (text := self.said(term)) != "true":
                rule.keys["when"] = text
        except NotSaid as error:
            why = str(error)
        if why:
            self.draft.disable(rule, place.line, f"{self.model.name}, {happening.name}: {why}", place.column)
        self.tell(rule, DetectorAlarm(begun=actions), happening.name or "event", place.line)
        self.stores(rule, (happening,))
        self.draft.rules.append(rule)


_RECEIVED = ("sns", "lambda", "iotTopicPublish")


def _tells_apart(key: str) -> bool:
    """Tell whether a path can stand in `by`."""
    first, *rest = key.split(".")
    taken = TAKEN if rest else frozenset({"severity", "alertname", "reason"})
    return first not in taken and all(is_name(part) or part in TAKEN for part in (first, *rest))


def _duration(seconds: float) -> str:
    text = format_duration(seconds)
    return text if parse_duration(text) == seconds else f"{seconds:g}s"
