"""How a key of a rule is declared: it also says whether a change of its value begins the rule's instances anew.

The key declares a field of Rule (`hold: float = of(FOR)`), so the key, its reader, its words and its default stand
once; posted.py, which makes a Rule without a file, gets the same defaults.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import tzinfo
from typing import Any, TypeVar

from hub.documents.document import Node, Problems
from hub.documents.value_schema import Schema
from hub.expressions import Program, Scope, compile_condition, compile_expression
from hub.fields import Convert, Key
from hub.ingest.decoding.decoder import Decoder
from hub.rules.reading.compiled import compiled
from hub.rules.reading.decode_key import decode_of
from hub.rules.reading.key_parts import KeyPart, key_parts
from hub.rules.reading.rule_values import (
    Cause,
    Gate,
    KnownNames,
    Offline,
    Stamp,
    Step,
    causes,
    gate,
    names_of,
    offline,
    stamp,
    steps,
)

__all__ = ["RuleKey", "RulePlace", "made_of", "of", "of_fields"]

T = TypeVar("T")
Spelled = Callable[[Any], Iterable[str]]


@dataclass(frozen=True, slots=True)
class RulePlace:
    """What a reader must know of the rule that it reads for: which names it may use, and where problems go.

    `own` are names whose values are the same for the whole rule (alertname, severity); only gates may use these.
    """

    known: KnownNames
    problems: Problems
    tz: tzinfo | None
    scope: Scope
    own: tuple[tuple[str, str], ...] = ()

    def condition(self, node: Node) -> Program:
        """Read `when` or `clear`."""
        made: Program = compiled(node, compile_condition, self.scope)
        return made

    def alone(self, node: Node) -> Program:
        """Read `each`, an expression over the event alone: it is needed before there is a sample."""
        made: Program = compiled(node, compile_expression, replace(self.scope, history=False))
        return made

    def timestamp(self, node: Node) -> Stamp:
        """Read `timestamp`, an expression over the event alone: the event's time is needed before it is a sample."""
        return stamp(self.problems, replace(self.scope, history=False))(node)

    def offline(self, node: Node) -> Offline:
        """Read `offline`; its condition looks at its own message alone."""
        return offline(self.problems, replace(self.scope, history=False, latest=(), across=False))(node)

    def heard(self, node: Node) -> Program:
        """Read `where`, a condition over the event alone: what is not heard is no sample."""
        made: Program = compiled(node, compile_condition, replace(self.scope, history=False))
        return made

    def parts(self, node: Node) -> tuple[KeyPart, ...]:
        """Read `by`; its expressions look at the event alone."""
        return key_parts(replace(self.scope, history=False), node)

    def gate(self, node: Node) -> Gate:
        """Read `pause` or `mute`."""
        return gate(self.known, self.tz, replace(self.scope, own=self.own))(node)

    def decode(self, node: Node) -> Decoder:
        """Read `decode`."""
        return decode_of(self.problems)(node)

    def receivers(self, node: Node) -> tuple[str, ...]:
        """Read names of receivers."""
        return names_of("receiver", self.known.receivers, whole=self.known.whole)(node)

    def steps(self, node: Node) -> tuple[Step, ...]:
        """Read `escalate`."""
        return steps(self.problems, self.known)(node)

    def causes(self, node: Node) -> tuple[Cause, ...]:
        """Read `unless`."""
        return causes(self.problems)(node)


class RuleKey(Key[T]):
    """One key of a rule.

    `restarts` says whether the state of an instance depends on the key. False: a change of the key only changes what
    is told. True: a change begins the instances anew (the key's value is part of the rule's signature). A function
    returns what the key adds to the signature of a rule. There is no default: whoever adds a key must decide.

    `within` makes the reader from the place, for a reader that must know the rule's names. `alert_only`: an event has
    no such key. `beside` is another key without which this one makes no sense.
    """

    __slots__ = ("alert_only", "beside", "restarts", "within")

    def __init__(
        self,
        name: str,
        convert: Convert[T],
        default: T,
        words: str,
        *examples: object,
        restarts: bool | Spelled,
        within: Callable[[RulePlace], Convert[T]] | None = None,
        alert_only: bool = False,
        beside: str = "",
        required: bool = False,
        schema: Schema | None = None,
        usual: object = None,
    ) -> None:
        """Declare it."""
        super().__init__(
            name, convert, default, words, *examples, required=required, schema=schema, usual=usual, sign=False
        )
        self.restarts, self.within, self.alert_only, self.beside = restarts, within, alert_only, beside

    def reader(self, place: RulePlace) -> Convert[T]:
        """Return the function that reads the key's value in a rule at this place."""
        return self.convert if self.within is None else self.within(place)

    def spelled(self, rule: Any, value: object) -> Iterable[str]:
        """Return what the key adds to the signature of a rule, whose value of the key this is.

        A key that a user left out adds nothing, so a new version with a new key keeps the state of all instances.
        """
        if callable(self.restarts):
            return self.restarts(rule)
        if not self.restarts or value == self.default:
            return ()
        return (f"{self.name}={getattr(value, 'text', value)!r}",)


def of(key: RuleKey[T]) -> T:
    """Declare a field of a dataclass by a key: the field has the key's default."""
    made: T = field(default=key.default, metadata={"keys": (key,), "one": True})
    return made


def made_of(*keys: RuleKey[Any], default: T) -> T:
    """Declare a field that several keys make, or that is more than the value of one key."""
    made: T = field(default=default, metadata={"keys": keys})
    return made


def of_fields(declared: type, *, one: bool = False) -> dict[str, tuple[RuleKey[Any], ...]]:
    """Return the keys of each field of a dataclass; with `one`, only of fields that are the value of one key."""
    keyed = {each.name: each.metadata for each in fields(declared) if "keys" in each.metadata}
    return {name: data["keys"] for name, data in keyed.items() if data.get("one") or not one}
