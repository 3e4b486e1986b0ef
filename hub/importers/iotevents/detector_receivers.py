"""Makes receivers of what detector models do to tell somebody: SNS, Lambda functions, messages to MQTT topics."""

import re
from dataclasses import replace

from hub.importers.draft import Draft, DraftEntry, Env, Value
from hub.importers.imported_texts import braces, fits
from hub.importers.iotevents.detector_expression import DetectorInputs, NotSaid, parse, written
from hub.importers.iotevents.detector_model import CloudStack, DetectorAction, child
from hub.importers.services import publishable

__all__ = ["DetectorReceivers"]

_HOLE = re.compile(r"\$\{([^}]*)\}")
_SNS = "json://… (whom the SNS topic {name} told: any Apprise URL)"
_LAMBDA = "the URL of what does the work of the Lambda function {name}"
_ANSWER = "It was a Lambda function. The body is the notification as JSON."


class DetectorReceivers:
    """Each target becomes one receiver, however many actions name it."""

    def __init__(self, draft: Draft, stack: CloudStack) -> None:
        """Make receivers in this draft; the stack knows what references in a template mean."""
        self.draft, self.stack = draft, stack
        self.made: dict[tuple[str, ...], str] = {}

    def of(self, action: DetectorAction, inputs: DetectorInputs) -> str:
        """Return the name of the receiver of an action.

        Raises:
            NotSaid: the hub has none that does this.

        """
        given, inputs = action.given, replace(inputs, bare=False)
        match action.kind:
            case "sns":
                arn = self.stack.text(child(given, "targetArn"))
                return self.url("apprise", arn, _SNS)
            case "lambda":
                return self.url("webhook", self.stack.text(child(given, "functionArn")), _LAMBDA)
            case "iotTopicPublish":
                payload = child(given, "payload")
                return self.publish(
                    self.stack.text(child(given, "mqttTopic")),
                    self.stack.text(child(payload, "contentExpression")) if payload else "",
                    inputs,
                )
        raise NotSaid(f"the action {action.kind}: no receiver does this; a webhook may")

    def url(self, kind: str, arn: str, holds: str) -> str:
        """Make a receiver with a URL that the user has to set; it is called as the target is called in AWS."""
        name = re.sub(r"\W+", "_", arn.removesuffix(":$LATEST").rpartition(":")[2]).strip("_") or kind
        if (kind, arn) not in self.made:
            free = name if name not in self.draft.receivers else f"{name}_{len(self.made) + 1}"
            env = self.draft.variable(free, "url", holds=holds.format(name=name))
            entry = DraftEntry({kind: env if kind == "apprise" else {"url": env}}, beside={kind: env.holds})
            entry.comments += [_ANSWER] if kind == "webhook" else []
            self.add((kind, arn), free, entry)
        return self.made[kind, arn]

    def publish(self, topic: str, content: str, inputs: DetectorInputs) -> str:
        """Make a receiver that publishes; the topic and the payload may have `${expression}` in them."""
        said = self.template(topic, inputs)
        if not publishable(said):
            raise NotSaid(f"the MQTT topic {topic}: its first level must be fixed")
        body = self.template(content, inputs) if content else "{details == '' ? summary : details}"
        key = ("mqtt", said, body)
        if key not in self.made:
            keys: dict[str, Value] = {"topic": said, "payload": body}
            if not topic.count("$") and not content:
                keys = {"topic": said}
            name = "mqtt_" + "_".join(filter(None, re.split(r"\W+", _HOLE.sub("", topic))))
            free = name if name not in self.draft.receivers else f"{name}_{len(self.made) + 1}"
            self.add(key, free, DraftEntry({"mqtt": keys}))
        return self.made[key]

    def add(self, key: tuple[str, ...], name: str, entry: DraftEntry | Env) -> None:
        """Put a receiver into the draft."""
        self.made[key] = name
        self.draft.receivers[name] = entry

    def template(self, text: str, inputs: DetectorInputs) -> str:
        """Return a substitution template of theirs, `'… ${expression} …'`, as one of ours."""
        text = text.strip()
        if text[:1] == "'" and text[-1:] == "'":
            text = text[1:-1]
        elif text.startswith("$"):
            text = f"${{{text}}}"
        said, end = "", 0
        for hole in _HOLE.finditer(text):
            said += braces(text[end : hole.start()]) + f"{{{written(parse(hole[1]), inputs)}}}"
            end = hole.end()
        said += braces(text[end:])
        if not fits(said):
            raise NotSaid(f"the text {text}")
        return said
