"""Makes the mutants of a module: the same text with one small fault in the body of one function.

Only bodies are changed: what a module computes once on import (constants, defaults, decorators) stays as it is.
"""

import ast
import random
from dataclasses import dataclass
from pathlib import Path

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
OPPOSITE = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
}  # fmt: skip
BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Pow: ast.Mult, ast.FloorDiv: ast.Mult}
OTHER_NAME = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One small fault: where, of which kind, the lines before and after, and the whole text with it in."""

    module: str
    function: str
    line: int
    statement: int
    kind: str
    before: str
    after: str
    text: bytes

    @property
    def key(self):
        """What a known equivalent is found by: it stays when lines move."""
        return self.module, self.function, f"{self.before} -> {self.after}"


def mutants(module, root):
    """All mutants of a module in the order of its lines."""
    text = (Path(root) / module).read_bytes()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def place(node):
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    made, seen = [], set()
    for function, statement, node in _in_bodies(ast.parse(text), ""):
        for kind, old, new in _changes(node):
            begin, end = place(old)
            changed = text[:begin] + new.encode() + text[end:]
            if (begin, end, new) in seen or not _compiles(changed):
                continue
            seen.add((begin, end, new))
            first, last = text.rfind(b"\n", 0, begin) + 1, (text.find(b"\n", end) + 1) or len(text)
            before = " ".join(text[first:last].decode().split())
            after = " ".join((text[first:begin] + new.encode() + text[end:last]).decode().split())
            made.append(Mutant(module, function, old.lineno, statement, kind, before, after, changed))
    return sorted(made, key=lambda mutant: (mutant.line, mutant.kind, mutant.after))


def sample(module, root, seed, size):
    """So many of a module's mutants (0: all), the same for the same seed and text."""
    every = mutants(module, root)
    if not size or size >= len(every):
        return every
    chosen = random.Random(f"{seed} {module}").sample(range(len(every)), size)
    return [every[index] for index in sorted(chosen)]


def _compiles(text):
    try:
        compile(text, "<mutant>", "exec")
    except SyntaxError:
        return False
    return True


def _in_bodies(node, inside):
    """Yield (qualified name of the function, line of the statement, node) for all that a call runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTION):
            name = f"{inside}.{child.name}".lstrip(".")
            for statement in child.body:
                if not _docstring(statement):
                    yield from _below(statement, name, statement.lineno)
        elif isinstance(child, ast.ClassDef):
            yield from _in_bodies(child, f"{inside}.{child.name}".lstrip("."))


def _below(node, name, line):
    yield name, line, node
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.keyword) and node.arg == "strict":
            continue  # what zip expects to be of one length, is
        if field in ("annotation", "returns", "decorator_list", "args") and not isinstance(node, ast.Call):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not (_docstring(child) or isinstance(node, ast.JoinedStr)):
                yield from _below(child, name, child.lineno if isinstance(child, ast.stmt) else line)


def _docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node):
    """Yield (kind, the node to replace, the text in its place)."""
    if isinstance(node, ast.Compare):
        yield from _compared(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and/or", node, f"({ast.unparse(ast.BoolOp(other, node.values))})"
        for index in range(len(node.values)):
            rest = [value for at, value in enumerate(node.values) if at != index]
            left = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            yield "operand", node, f"({ast.unparse(left)})"
    elif isinstance(node, ast.IfExp):
        yield "choice", node, f"({ast.unparse(node.body)})"
        yield "choice", node, f"({ast.unparse(node.orelse)})"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not", node, f"bool({ast.unparse(node.operand)})"
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and not isinstance(node.left, ast.Constant):
        yield "arithmetic", node, f"({ast.unparse(ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right))})"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        yield "constant", node, str(not node.value) if isinstance(node.value, bool) else f"{node.value + 1}"
    elif isinstance(node, ast.Call):
        yield from _called(node)
    elif isinstance(node, ast.stmt):
        yield from _stated(node)


def _compared(node):
    if len(node.ops) != 1:
        return
    for kind, table in (("comparison", OPPOSITE), ("boundary", BOUNDARY)):
        if other := table.get(type(node.ops[0])):
            yield kind, node, f"({ast.unparse(ast.Compare(node.left, [other()], node.comparators))})"


def _called(node):
    if isinstance(node.func, ast.Name) and node.func.id in OTHER_NAME:
        yield "name", node.func, OTHER_NAME[node.func.id]
    if isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        return  # their order says nothing
    for index, (one, two) in enumerate(zip(node.args, node.args[1:], strict=False)):
        if not any(isinstance(each, ast.Starred) for each in (one, two)) and ast.dump(one) != ast.dump(two):
            args = [*node.args[:index], two, one, *node.args[index + 2 :]]
            yield "arguments", node, ast.unparse(ast.Call(node.func, args, node.keywords))


def _stated(node):
    if isinstance(node, ast.If | ast.While):
        yield "condition", node.test, f"not ({ast.unparse(node.test)})"
    effect = (
        isinstance(node, ast.Expr | ast.AugAssign)
        or (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute | ast.Subscript))
        or (isinstance(node, ast.Delete) and not isinstance(node.targets[0], ast.Name))
    )
    if effect:
        yield "statement", node, "pass"
    if effect or isinstance(node, ast.Assign):
        yield "early return", node, "return"
    if isinstance(node, ast.Continue | ast.Break):
        yield "statement", node, "pass"
