"""How a function enters the language: the decorator `cel`, with its signatures as users read them.

@cel("(string).contains(string) -> bool")      a method: s.contains(t)
@cel("math.abs(int) -> int")                   a function, with or without a namespace
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

__all__ = ["FUNCTIONS", "Function", "Signature", "cel"]

AnyCall = TypeVar("AnyCall", bound=Callable[..., Any])


class Signature(NamedTuple):
    """Kinds of the arguments (the receiver first) and of the result; `more`: the last may be repeated."""

    arguments: tuple[str, ...]
    result: str
    more: bool = False

    def takes(self, kinds: list[str]) -> bool:
        """Tell whether the signature takes arguments of these kinds, as far as the kinds are known at load."""
        wanted = self.arguments
        if self.more and len(kinds) >= len(wanted):
            wanted += wanted[-1:] * (len(kinds) - len(wanted))
        return len(wanted) == len(kinds) and all(
            "dyn" in (want, kind) or want == kind or ({want, kind} <= NUMBERS and "number" in (want, kind))
            for want, kind in zip(wanted, kinds, strict=True)
        )


NUMBERS = frozenset(("int", "uint", "double", "number"))


@dataclass(slots=True)
class Function:
    """A function of the language. `name` is `.name` for a method; `symbol` is what compiled expressions call it.

    `costly`: its work grows with its arguments, so it charges the step budget. `doc` is its signatures as text.
    """

    name: str
    symbol: str
    call: Callable[..., Any]
    costly: bool
    signatures: list[Signature] = field(default_factory=list)
    doc: list[str] = field(default_factory=list)

    def fitting(self, kinds: list[str]) -> list[Signature]:
        """Return the signatures that take arguments of these kinds."""
        return [signature for signature in self.signatures if signature.takes(kinds)]


FUNCTIONS: dict[str, Function] = {}
_SIGNATURE = re.compile(r"(?:\((\w+)\)(?=\.))?(\.?[\w.]+)\(([\w, ]*)(\.\.\.)?\) -> (\w+)")


def cel(*signatures: str, costly: bool = False) -> Callable[[AnyCall], AnyCall]:
    """Enter the function into the language under these signatures."""

    def enter(call: AnyCall) -> AnyCall:
        for text in signatures:
            match = _SIGNATURE.fullmatch(text)
            if match is None:
                raise ValueError(f"not a signature: {text}")
            receiver, name, arguments, more, result = match.groups()
            kinds = tuple(([receiver] if receiver else []) + [kind.strip() for kind in arguments.split(",") if kind])
            symbol = "f_" + name.replace(".", "m_" if name[0] == "." else "_")
            function = FUNCTIONS.setdefault(name, Function(name, symbol, call, costly))
            function.signatures.append(Signature(kinds, result, bool(more)))
            function.doc.append(text)
        return call

    return enter
