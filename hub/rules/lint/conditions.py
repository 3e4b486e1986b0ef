"""Rules that can never fire or never clear, by what their conditions say."""

from collections.abc import Iterator

from hub.documents.document import Node
from hub.errors import EvaluationError, Problem
from hub.expressions import Program, bare_names
from hub.expressions.syntax.ast import Literal, Name, Operation
from hub.expressions.syntax.parser import parse
from hub.ingest.topics import matches
from hub.rules.lint.logic.atoms import examples
from hub.rules.lint.logic.entailment import entails
from hub.rules.lint.logic.truth import clauses, never, subjects
from hub.rules.reading.rule import Rule

__all__ = ["conditions"]

_ORDERS = ("<", "<=", ">", ">=")
_GATES = {"pause": "so nothing is ever paused", "mute": "so nothing is ever muted"}


def conditions(rule: Rule, node: Node) -> Iterator[Problem]:
    """Find what is wrong with a rule's conditions alone."""
    yield from _firing(rule, node)
    if rule.alert and rule.when is not None and not never((rule.when, True)):
        yield from _ending(rule, rule.when, node)
    for key in _GATES:
        gate = getattr(rule, key)
        if gate is not None and gate.condition is not None:
            yield from _gate(rule, key, gate.condition, node)


def _firing(rule: Rule, node: Node) -> Iterator[Problem]:
    when = rule.when
    if when is None:
        return
    place, never_so = node.value["when"], _never_so(rule)
    if _known(when) is False or never((when, True)):
        yield place.problem(f"{never_so}: 'when' can never be true", _why(when))
        return
    for name, value, offset in _equalities(when):
        if name in rule.captures:
            if "/" in value and all(p.rest is None for p in rule.patterns):
                message = f"{never_so}: {{{name}}} is one level of the topic, which has no /"
                yield place.problem(message, "write {" + name + "...} to take several levels", offset=offset)
        elif name == "topic" and not any(matches(p.filter, value) for p in rule.patterns):
            message = f"{never_so}: its topic never is {value!r}"
            yield place.problem(message, f"it listens to {rule.patterns[0].text}", offset=offset)


def _never_so(rule: Rule) -> str:
    """Return the beginning of a message: the rule never fires; `absent` beside the condition still may fire."""
    if not rule.alert:
        return f"rule {rule.name!r} never speaks"
    return f"rule {rule.name!r} never fires" + ("" if rule.absent is None else " but for silence")


def _why(when: Program) -> str:
    return "write || where one of them is enough" if "&&" in when.text else ""


def _ending(rule: Rule, when: Program, node: Node) -> Iterator[Problem]:
    """Find alerts that never end, or end as soon as they begin."""
    if rule.clear is None:
        if _known(when) is True or never((when, False)):
            hint = "write an event, which has no end, or another condition"
            yield node.value["when"].problem(f"rule {rule.name!r} never clears: 'when' can never be false", hint)
        return
    place = node.value["clear"]
    if _known(rule.clear) is False or never((rule.clear, True)):
        yield place.problem(f"rule {rule.name!r} never clears: 'clear' can never be true", _why(rule.clear))
    elif entails((when, True), (rule.clear, True)):
        hint = "'clear' is the condition of the end, such as temperature < -18 for temperature > -15"
        soon = "though nothing has changed" if rule.clear_hold else "as soon as it fires"
        yield place.problem(f"rule {rule.name!r} ends {soon}: 'clear' holds whenever 'when' does", hint)
    elif (both := _both(when, rule.clear)) is not None:
        message = f"rule {rule.name!r} flaps: 'when' and 'clear' both hold at {both:g}"
        yield place.problem(message, "leave a gap between them, or let them meet")


def _both(when: Program, clear: Program) -> float | None:
    """Return a number for which both hold, where both do nothing but order one and the same number."""
    parts = [clauses((when, True)), clauses((clear, True))]
    together = clauses((when, True), (clear, True))
    if not together or any(not part for part in parts):
        return None
    spoken = {subject for part in parts for subject in subjects(part or [])}
    atoms = [atom for part in parts for clause in part or () for atom in clause]
    if len(spoken) != 1 or any(a.operator not in _ORDERS or a.constants[0].kind != "number" for a in atoms):
        return None
    if not all(_takes_any_number(subject) for subject in spoken):
        return None
    return next(iter(examples(together[0])), None)


def _takes_any_number(subject: object) -> bool:
    """Tell whether an expression may come to any number: a name, a member of what a name stands for."""
    if not isinstance(subject, tuple) or subject[0] not in ("Name", "Select", "Index"):
        return False
    return all(_takes_any_number(each) for each in subject if isinstance(each, tuple) and each[:1] != ("Literal",))


def _gate(rule: Rule, key: str, condition: Program, node: Node) -> Iterator[Problem]:
    place, known = node.value[key], _known(condition)
    if known is False or never((condition, True)):
        yield place.problem(f"{key!r} of rule {rule.name!r} can never be true, {_GATES[key]}", "remove it, or mend it")
        return
    always = known is True or _always(rule, condition)
    if key == "mute" and always:
        yield place.problem(f"rule {rule.name!r} is always muted: nobody is ever told", "shadow: true says the same")
    elif key == "pause" and always:
        yield place.problem(f"rule {rule.name!r} is always paused: it never fires", "enabled: false says the same")
    elif key == "pause" and _at_once(rule, condition):
        hint = "let it be paused by something else"
        yield place.problem(f"{_never_so(rule)}: it is paused whenever 'when' is true", hint)


def _always(rule: Rule, condition: Program) -> bool:
    """Tell whether a gate is shut whenever the rule has something to say, and never opens again.

    A message that lacks a field of the gate's condition leaves the gate as it was. Before the first message the gate is
    open, so `absent` can fire.
    """
    return rule.absent is None and never((condition, False)) and _at_once(rule, condition)


def _at_once(rule: Rule, condition: Program) -> bool:
    """Tell whether a gate is shut whenever `when` is true, and that it may be at all."""
    when = rule.when
    return when is not None and not never((when, True)) and entails((when, True), (condition, True))


def _known(program: Program) -> bool | None:
    """Return what a condition without any name comes to; `payload` as a whole is one, and no field."""
    if program.fields or program.captures or program.needs_context or program.history:
        return None
    if isinstance(parse(program.text), Name) or "payload" in bare_names(program.text):
        return None
    try:
        return bool(program.run({}, (), None))
    except EvaluationError:
        return None


def _equalities(program: Program) -> Iterator[tuple[str, str, int]]:
    """Yield (name, text, offset) of each `name == "text"` without which the condition cannot be true."""
    waiting = [parse(program.text)]
    while waiting:
        each = waiting.pop()
        if getattr(each, "operator", "") == "&&":
            waiting += each.below()
        elif isinstance(each, Operation) and each.operator == "==":
            left, right = each.operands
            left, right = (right, left) if isinstance(left, Literal) else (left, right)
            if isinstance(left, Name) and isinstance(right, Literal) and isinstance(right.value, str):
                yield left.name, right.value, right.at
