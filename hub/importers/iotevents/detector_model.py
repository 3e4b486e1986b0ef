"""Detector models as values: states with what happens in them, from API requests and CloudFormation templates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hub.importers.iotevents.detector_expression import TRUE, NotSaid, Term, parse
from hub.importers.yaml_source import ForeignValue

__all__ = ["CloudStack", "DetectorAction", "DetectorEvent", "DetectorModel", "DetectorState", "child", "models"]

_SQL = re.compile(r"\s*SELECT\s+\*\s+FROM\s+'([^']+)'\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DetectorAction:
    """One action: its kind as the API calls it (`sns`), and what belongs to it."""

    kind: str
    given: ForeignValue


@dataclass(frozen=True, slots=True)
class DetectorEvent:
    """An event of a state, or a transition to another one (`to`). `why` says why its condition could not be read."""

    name: str
    condition: Term
    actions: tuple[DetectorAction, ...]
    place: ForeignValue
    text: str
    to: str = ""
    why: str = ""

    def of(self, *kinds: str) -> list[DetectorAction]:
        """Return the actions of some kinds."""
        return [action for action in self.actions if action.kind in kinds]


@dataclass(frozen=True, slots=True)
class DetectorState:
    """A state: what happens when it is entered, with each message in it, and when it is left."""

    name: str
    enter: tuple[DetectorEvent, ...]
    input: tuple[DetectorEvent, ...]
    leave: tuple[DetectorEvent, ...]
    ways: tuple[DetectorEvent, ...]
    place: ForeignValue

    @property
    def all(self) -> tuple[DetectorEvent, ...]:
        """Return all that happens in it."""
        return (*self.enter, *self.input, *self.leave, *self.ways)


@dataclass(frozen=True, slots=True)
class DetectorModel:
    """A detector model. `key` is the path of the field that tells detectors apart, "" where there is one for all."""

    name: str
    initial: str
    states: dict[str, DetectorState]
    key: str
    serial: bool
    place: ForeignValue


@dataclass(slots=True)
class CloudStack:
    """A CloudFormation template around the models: its parameters, its inputs, and topics that feed these."""

    root: ForeignValue

    def resources(self, kind: str) -> Iterator[tuple[str, ForeignValue]]:
        """Return the resources of a kind, with their logical names."""
        resources = self.root.get("Resources")
        for name, resource in (resources.pairs if resources else {}).items():
            if resource.text("Type") == kind and (properties := resource.get("Properties")):
                yield name, properties

    def text(self, value: ForeignValue | None) -> str:
        """Return a value as text: parameters are their defaults, other references the name of what they refer to."""
        if value is None:
            return ""
        function, given = _intrinsic(value)
        match function:
            case "Ref" | "GetAtt":
                name = (given.texts[0] if given.texts else "").split(".")[0]
                return self.named(name)
            case "Sub":
                written = given.texts[0] if given.texts else ""
                return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", lambda found: self.named(found[1].split(".")[0]), written)
            case "Join":
                parts = given.items
                glue = parts[0].value if parts and isinstance(parts[0].value, str) else ""
                return glue.join(self.text(part) for part in (parts[1].items if len(parts) > 1 else ()))
        return value.value if isinstance(value.value, str) else ""

    def named(self, name: str) -> str:
        """Return what stands for a name: the default of a parameter, the name of an input, else the name itself."""
        parameters = self.root.get("Parameters")
        parameter = parameters.get(name) if parameters else None
        if parameter is not None and parameter.get("Default") is not None:
            return parameter.text("Default")
        for logical, properties in self.resources("AWS::IoTEvents::Input"):
            if logical == name and properties.text("InputName"):
                return properties.text("InputName")
        return name

    def topics(self) -> dict[str, tuple[str, bool]]:
        """Return the topic of each input that a TopicRule feeds, and whether all of each message comes through."""
        found = {}
        for _, properties in self.resources("AWS::IoT::TopicRule"):
            payload = properties.get("TopicRulePayload")
            sql = self.text(payload.get("Sql")) if payload else ""
            whole = _SQL.fullmatch(sql)
            source = whole or re.search(r"\sFROM\s+'([^']+)'", sql, re.IGNORECASE)
            actions = payload.get("Actions") if payload else None
            for action in actions.items if actions and source else ():
                feeds = action.get("IotEvents")
                if feeds and source:
                    found[self.text(feeds.get("InputName"))] = (source[1], whole is not None)
        return found


def _intrinsic(value: ForeignValue) -> tuple[str, ForeignValue]:
    """Return the function of CloudFormation that a value is, as a tag (`!Sub`) or as a key (`Fn::Sub`), else ""."""
    if value.tag in ("!Ref", "!Sub", "!GetAtt", "!Join"):
        return value.tag[1:], value
    if len(value.pairs) == 1:
        ((key, given),) = value.pairs.items()
        if key in ("Ref", "Fn::Sub", "Fn::GetAtt", "Fn::Join"):
            return key.removeprefix("Fn::"), given
    return "", value


def models(root: ForeignValue) -> Iterator[tuple[DetectorModel, CloudStack]]:
    """Return the models of a document: the request, what describe-detector-model says, or a template's resources."""
    stack = CloudStack(root)
    for name, properties in stack.resources("AWS::IoTEvents::DetectorModel"):
        yield _Reader(stack).model(properties, properties, name), stack
    described = root.get("detectorModel") or root
    if (definition := child(described, "detectorModelDefinition")) is not None and definition.get("states"):
        yield _Reader(stack).model(described, child(described, "detectorModelConfiguration") or described, ""), stack


def child(value: ForeignValue | None, key: str) -> ForeignValue | None:
    """Return what stands under a key of the API, which CloudFormation writes with a capital."""
    return None if value is None else value.get(key) or value.get(key[:1].upper() + key[1:])


class _Reader:
    def __init__(self, stack: CloudStack) -> None:
        self.stack = stack

    def text(self, value: ForeignValue | None, key: str) -> str:
        return self.stack.text(child(value, key))

    def model(self, written: ForeignValue, about: ForeignValue, logical: str) -> DetectorModel:
        definition = child(written, "detectorModelDefinition")
        listed = child(definition, "states")
        states = [self.state(each) for each in (listed.items if listed else ())]
        return DetectorModel(
            self.text(about, "detectorModelName") or logical or "detector",
            self.text(definition, "initialStateName"),
            {state.name: state for state in states},
            self.text(about, "key"),
            self.text(about, "evaluationMethod") == "SERIAL",
            written,
        )

    def state(self, written: ForeignValue) -> DetectorState:
        def events(part: str, key: str = "events") -> tuple[DetectorEvent, ...]:
            listed = child(child(written, part), key)
            return tuple(self.happening(each) for each in (listed.items if listed else ()) if each.pairs)

        return DetectorState(
            self.text(written, "stateName"),
            events("onEnter"),
            events("onInput"),
            events("onExit"),
            events("onInput", "transitionEvents"),
            written,
        )

    def happening(self, written: ForeignValue) -> DetectorEvent:
        text = self.text(written, "condition") or "true"
        condition, why = TRUE, ""
        try:
            condition = parse(text)
        except NotSaid as error:
            why = str(error)
        listed = child(written, "actions")
        actions = tuple(self.actions(listed)) if listed else ()
        to = self.text(written, "nextState")
        return DetectorEvent(self.text(written, "eventName"), condition, actions, written, text, to, why)

    def actions(self, listed: ForeignValue) -> Iterator[DetectorAction]:
        for each in listed.items:
            for kind, given in each.pairs.items():
                yield DetectorAction(kind[:1].lower() + kind[1:], given)
