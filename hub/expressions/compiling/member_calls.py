"""Compiles functions across the members of an instance, such as `count(temperature > -15)`, in a rule with `across`.

The compiler writes `S[key].count()`; the rules keep, under that key, a tally of all members. The expression inside is
compiled separately: it is evaluated once for each message, for the member that the message is from. Where it asks
`absent`, it is compiled twice: for a member that is heard, and for one that is stale.
"""

from hashlib import blake2b

from hub.expressions.across import ACROSS, MEMBER_NUMBER, AcrossFunction
from hub.expressions.compiling.emitter import UNKNOWN, GeneratedCode
from hub.expressions.compiling.history_calls import Reading, Slot, SlotCompiler, all_nodes, node_key
from hub.expressions.names import HISTORY
from hub.expressions.runtime.functions import NUMBERS
from hub.expressions.syntax.ast import Call, Literal, Name, SyntaxNode
from hub.expressions.syntax.lexer import tokenize
from hub.expressions.values import an

__all__ = ["member_call"]

_NO_WINDOW = (
    "it looks at the latest of each member; what needs a window stands in a rule of its own without `across`, whose"
    " alerts this one may hear"
)


def member_call(compiler: SlotCompiler, node: Call) -> GeneratedCode:
    """Write a call of a function across members."""
    name, arguments = node.function, node.arguments
    function = ACROSS.get(name)
    if function is None:
        compiler.fail(f"{name}() looks at the samples of one instance, not across members", node, _NO_WINDOW)
    if name in HISTORY and len(arguments) == function.arguments + 1:
        compiler.fail(f"{name}() across members has no window", node, f"it is {function.form}: {_NO_WINDOW}")
    if len(arguments) != function.arguments and not (name in ("count", "names") and not arguments):
        count = f"{len(arguments)} argument{'' if len(arguments) == 1 else 's'}"
        compiler.fail(f"{name}() across members does not take {count}", node, f"it is {function.form}")
    extra = (_percent(compiler, arguments[1]),) if len(arguments) == 2 else ()
    slot = _slot(compiler, node, function)
    compiler.names.readings[Reading(slot, name, extra)] = None
    key = compiler.emit.constant(slot.key, "string").text
    more = ", ".join(compiler.emit.constant(each, "double").text for each in extra)
    return GeneratedCode(f"S[{key}].{name}({more})", function.kind)


def _percent(compiler: SlotCompiler, node: SyntaxNode) -> float:
    percent = compiler.code(node).constant
    if percent is UNKNOWN or percent.__class__ not in (int, float) or not 0 <= percent <= 100:
        compiler.fail("the percentage is a number from 0 to 100 that is written out", node, "percentile(x, 95)")
    return float(percent)


def _slot(compiler: SlotCompiler, node: Call, function: AcrossFunction) -> Slot:
    argument = node.arguments[0] if node.arguments else Literal(node.at, 1, True)
    for inner in all_nodes(argument):
        if isinstance(inner, Call) and inner.target is None and (inner.function in ACROSS or inner.function in HISTORY):
            compiler.fail(f"{inner.function}() cannot stand in {node.function}(), which looks across members", inner)
        if isinstance(inner, Name) and inner.name in compiler.names.variables and not inner.rooted:
            message = f"{node.function}() cannot look at {inner.name!r}, which is a name of the macro around it"
            compiler.fail(message, inner, "it is evaluated once per message")
    run, kind, names = compiler.alone(argument, absent=False)
    if names.schedules:
        hint = "ask the schedule outside of it: night && count(…) > 2"
        compiler.fail(f"{node.function}() is evaluated when its member speaks, so it cannot ask a schedule", node, hint)
    if function.mode == MEMBER_NUMBER and kind not in (*NUMBERS, "dyn"):
        compiler.fail(f"{function.name}() is about numbers, not {an(kind)}", argument, "count takes a condition")
    if function.mode != MEMBER_NUMBER and kind not in ("bool", "dyn"):
        compiler.fail(f"{function.name}() needs true or false, not {an(kind)}", argument, f"it is {function.form}")
    compiler.names.fields |= names.fields
    compiler.names.captures |= names.captures
    gone = compiler.alone(argument, absent=True)[0] if names.asks_absent else None
    text = f"{function.mode} {node_key(argument)}"
    return Slot(
        blake2b(text.encode(), digest_size=9).hexdigest(),
        function.mode,
        0.0,
        run,
        names.needs_context,
        names.plain_field(argument),
        gone,
        names.asks_message or names.asks_event,
        _inside(compiler.text, node),
    )


def _inside(text: str, node: Call) -> str:
    """Return what stands between the brackets of a call, as it is written."""
    depth = begin = 0
    for token in tokenize(text):
        if token.at < node.at or token.kind in ("literal", "quoted"):
            continue
        if token.text == "(":
            depth, begin = depth + 1, begin or token.at + 1
        elif token.text == ")":
            depth -= 1
            if not depth:
                return text[begin : token.at].strip()
    return ""
