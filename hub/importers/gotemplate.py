"""Turns Prometheus' templates (`{{ $labels.instance }} at {{ $value }}`) into ours, where they only name values."""

import re
from dataclasses import dataclass, field

from hub.importers.imported_texts import TAKEN, braces, fits, is_name, literal, payload_field

__all__ = ["GoText", "capture"]

_ACTION = re.compile(r"(\s*)\{\{(-?)(.*?)(-?)\}\}(\s*)", re.DOTALL)
_LABEL = re.compile(r"(?:\$labels|\.Labels)\.([A-Za-z_][A-Za-z0-9_]*)|index\s+(?:\$labels|\.Labels)\s+\"([^\"]+)\"")
_VALUE = re.compile(r"\$value|\.Value")
_PRINTF = re.compile(r'printf\s+"([^%"]*)%(\.[0-9]{1,2})?([fgedsv])((?:%%|[^%"])*)"')
_HUMANIZE = {"humanizePercentage": ".2%"}
_CONTROL = re.compile(r"(?:if|else|end|range|with|define|template|block|break|continue)\b|\$\w+\s*:?=")
_OWN = ("alertname", "severity")


@dataclass(slots=True)
class GoText:
    """Converts the texts of one rule. `labels` gathers the labels that they name, `lost` the parts left out."""

    fixed: frozenset[str]
    """The labels that the rule itself sets; they are not captured from the topic."""
    own: bool = False
    """Whether the text is the value of such a label: then it can name labels of the series, but none of the rule's."""
    labels: dict[str, None] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def convert(self, text: str) -> str:
        """Return our template; `?` stands for a value that was left out. As in Go, `{{-` takes the blanks before it."""
        template, end = "", 0
        for match in _ACTION.finditer(text):
            before, left, action, right, behind = match.groups()
            template += braces(text[end : match.start()]) + ("" if left else before) + self._action(action.strip())
            template += "" if right else behind
            end = match.end()
        template += braces(text[end:])
        return template.strip() if fits(template) else braces(text)

    def _action(self, action: str) -> str:
        """Convert what stands between {{ and }}: a value, perhaps with a format before or behind it."""
        if action.startswith("/*"):  # a comment
            return ""
        if _CONTROL.match(action):
            self.lost.append(f"{{{{ {action} }}}}")
            return ""
        first, *pipes = (part.strip() for part in action.split("|"))
        if (called := _PRINTF.match(first)) and len(first) > called.end():
            first, pipes = first[called.end() :].strip(), [called[0], *pipes]
        elif (words := first.split(None, 1))[:1] and words[0] in _HUMANIZE and len(words) == 2:
            first, pipes = words[1], [words[0], *pipes]
        expression = self._expression(first.strip("() "))
        if not expression:
            self.lost.append(f"{{{{ {action} }}}}")
            return "?"
        return self._formatted(expression, pipes, action)

    def _expression(self, text: str) -> str:
        if _VALUE.fullmatch(text):
            return "value"
        label = _LABEL.fullmatch(text)
        return self._label(label[1] or label[2]) if label else ""

    def _label(self, name: str) -> str:
        """Return the expression for a label: a capture of the topic, a label of the rule, or a field of the payload."""
        if name in _OWN:
            return name
        if name in self.fixed and self.own:  # the label cannot name itself: it is the series' label of this name
            return payload_field(name, bare=False)
        if name in self.fixed:
            return f"labels.{name}" if fits(f"{{labels.{name}}}") else f"labels[{literal(name)}]"
        if not capture(name):
            return payload_field(name, bare=False)
        self.labels[name] = None
        return f"labels.{name}" if name in TAKEN else name

    def _formatted(self, expression: str, pipes: list[str], action: str) -> str:
        """Return the expression in braces, with the format of `printf` or `humanizePercentage`; others are lost."""
        if not pipes:
            return f"{{{expression}}}"
        printed = _PRINTF.fullmatch(pipes[0])
        if len(pipes) == 1 and printed:
            before, digits, kind, behind = (part or "" for part in printed.groups())
            spec = "" if kind in "sv" else f":{digits}{'.0f' if kind == 'd' else kind}"
            return f"{braces(before)}{{{expression}{spec}}}{braces(behind.replace('%%', '%'))}"
        if len(pipes) == 1 and pipes[0] in _HUMANIZE:
            return f"{{{expression}:{_HUMANIZE[pipes[0]]}}}"
        self.lost.append(f"the format in {{{{ {action} }}}}")
        return f"{{{expression}}}"


def capture(name: str) -> bool:
    """Tell whether a capture can have this name; `value` is taken, because it stands for $value."""
    return name not in (*_OWN, "reason", "value") and is_name(name)
