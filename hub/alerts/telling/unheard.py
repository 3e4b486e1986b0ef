"""What is said of an absent device: that no message comes, for how long, and the last values that are known.

A rule's summary tells what its condition found. Nobody knows whether a freezer that sends nothing is too warm, so the
hub has words of its own: `site a, freezer 7: silent for 12 min, last -20.1 °C`. A summary that asks for
`labels.reason` knows about absence, and so does the summary of a rule with `absent` alone: these keep their words.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from hub.documents.duration import spoken_duration
from hub.errors import CompileError, EvaluationError
from hub.expressions import Context, Program, Template, compile_expression
from hub.expressions.explain import parts
from hub.expressions.templates.format import plain
from hub.expressions.templates.template import Filler
from hub.limits import LAST_VALUE_BYTES, LAST_VALUES, TEMPLATE_BYTES
from hub.model import Event, Phase, Reason
from hub.printable import shorten, visible
from hub.rules.running.transition import Transition, Unheard

__all__ = ["absence_summary"]

_UNITS = (
    "°C °F ° K % ‰ V mV kV A mA W mW kW MW Wh kWh MWh VA kVA var Hz kHz MHz Pa hPa kPa MPa bar mbar psi m mm cm km"
    " m/s km/h mph l L ml l/min l/h m³ m³/h g kg t s ms min h d lx lm dB dBm ppm ppb µg/m³ mg/m³ g/m³ µS/cm Ω kΩ"
    " rpm B kB KB MB GB MiB GiB N Nm J kJ € $"
)
_UNIT = re.compile(rf"( ?(?:{'|'.join(sorted(map(re.escape, _UNITS.split()), key=len, reverse=True))}))(?![\w/])")
_FAILURES = (EvaluationError, ValueError, OverflowError, TypeError, OSError, RecursionError)


class _Known(NamedTuple):
    """A value of the last message: its name, how it is written, and the unit behind it."""

    name: str
    text: str
    unit: str


def absence_summary(transition: Transition, unheard: Unheard, labels: Mapping[str, str], context: Context) -> str:
    """Return the summary of a device's absence, or of its return; texts.render asks for it."""
    text = f"{_who(transition)}: {_what(transition, unheard, _last(transition, labels, context))}"
    return shorten(visible(text), TEMPLATE_BYTES)


def _who(transition: Transition) -> str:
    """Name the instance by its labels; where its rule has only one instance, by the topic of its last message."""
    own = [f"{name} {value}" for name, value in transition.instance if name in transition.rule.by]
    if own:
        return ", ".join(own)
    return transition.rule.name if transition.event is None else transition.event.topic


def _what(transition: Transition, unheard: Unheard, last: str) -> str:
    lasted, reason = spoken_duration(transition.at - unheard.since), transition.reason
    if transition.phase is Phase.RESOLVED:
        if reason not in (Reason.RETURNED, Reason.ONLINE):
            return f"silent for {lasted}, and no longer watched: {reason.value}"
        how = "heard" if reason is Reason.RETURNED else "reported online"
        return f"{how} again after {lasted}" + (f", now {last}" if last and reason is Reason.RETURNED else "")
    known = f", last {last}" if last else ""
    if reason is Reason.OFFLINE:
        return f"reported offline, silent for {lasted}{known}"
    return f"silent for {lasted}{known}" if unheard.ever else f"never heard, silent for {lasted}"


def _last(transition: Transition, labels: Mapping[str, str], context: Context) -> str:
    """Return the last values of what the condition looks at; where it has none, fields of the last message."""
    event, rule = transition.event, transition.rule
    if event is None or event.value is None:  # nothing was heard, or the payload was too large to be kept
        return ""
    templates = [each for each in (rule.texts.summary, rule.texts.details) if each is not None]
    found: dict[str, _Known] = {}
    for program in _looked_at(rule.when) if rule.when is not None else ():
        known = _known(program, templates, event, transition.captures, context)
        if known is not None and known.name not in labels:
            found.setdefault(known.name, known)
    shown = list(found.values())[:LAST_VALUES]
    if not shown:
        fields = [each for each in event.fields.items() if not isinstance(each[1], list | dict | None)][:LAST_VALUES]
        return ", ".join(f"{name} {_cut(plain(value))}" for name, value in fields) or _cut(plain(event.value))
    if len(shown) == 1 and (shown[0].unit or shown[0].name == "value"):
        return f"{shown[0].text}{shown[0].unit}"
    return ", ".join(f"{each.name} {each.text}{each.unit}" for each in shown)


@lru_cache(1024)
def _looked_at(condition: Program) -> tuple[Program, ...]:
    """Return what a condition looks at, each as a program without history; cached, because a storm asks again."""
    found = list[Program]()
    for text, program in parts(condition):
        if not program.history:
            found += [program] if program.fields or text == "value" else []
        for reading in program.history:
            if reading.slot.field is not None:
                with suppress(CompileError):  # a name that means nothing alone
                    found.append(compile_expression(reading.slot.field, program.scope))
    return tuple(found)


def _known(
    program: Program, templates: list[Template], event: Event, captures: tuple[str, ...], context: Context
) -> _Known | None:
    """Return a program's value in the last event, written as the rule's texts write it; None where it has none."""
    try:
        value: Any = program.run(event.fields, captures, context)
    except _FAILURES:
        return None
    if value is None:
        return None
    write, unit = _written(program, templates)
    try:
        text = write.write(value) if write is not None else plain(value)
    except _FAILURES:
        text, unit = plain(value), ""
    name = program.text.strip().removeprefix("payload.")
    return _Known(name, _cut(text), unit if isinstance(value, int | float) else "")


def _written(program: Program, templates: list[Template]) -> tuple[Filler | None, str]:
    """Find a place in the rule's texts that shows the same value: how it is written there, and the unit behind it."""
    name = program.text.strip().removeprefix("payload.")
    for template in templates:
        for place, part in enumerate(template.parts):
            if not isinstance(part, Filler) or not _shows(part.program, name):
                continue
            behind = template.parts[place + 1] if place + 1 < len(template.parts) else ""
            unit = _UNIT.match(behind) if isinstance(behind, str) else None
            return part, unit[1] if unit else ""
    return None, ""


def _shows(shown: Program, name: str) -> bool:
    """Tell whether a field of a text shows this value: the value itself, or an average of it."""
    return shown.text.strip().removeprefix("payload.") == name or (
        bool(shown.history) and shown.kind != "int" and all(each.slot.field == name for each in shown.history)
    )


def _cut(text: str) -> str:
    return shorten(text, LAST_VALUE_BYTES)
