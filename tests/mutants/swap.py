"""Puts a mutant into a process that has imported the hub already: its functions get the mutant's code objects."""

import ast
import gc
from collections import defaultdict
from types import CodeType, FunctionType


class NotSwappable(Exception):
    """The mutant's functions do not match those that live (a lambda is gone, a closure holds other names)."""


def swap(path, text):
    """Give each live function of the module at `path` its code from `text`: source, or a tree made of it."""
    before = _by_name(compile(path.read_bytes(), str(path), "exec"))
    after = _by_name(compile(text, str(path), "exec"))
    news = {}
    for name, codes in before.items():
        # code behind an early return is not compiled: its inner functions and comprehensions are missing
        if len(codes) == len(after[name]):
            news |= {(name, old.co_firstlineno): new for old, new in zip(codes, after[name], strict=True)}
    gc.unfreeze()  # what is frozen (tests/conftest.py) is not among the objects
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename == str(path):
            code = each.__code__
            try:
                each.__code__ = news[code.co_qualname, code.co_firstlineno]
            except (KeyError, ValueError) as error:
                raise NotSwappable(code.co_qualname) from error


def watched(path, name):
    """The module's tree with `name.add(line)` before each statement of a function: which of them are reached."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and not isinstance(node, ast.Module | ast.ClassDef):
                setattr(node, field, [each for statement in block for each in (_note(name, statement), statement)])
    return ast.fix_missing_locations(tree)


def _note(name, statement):
    note = ast.parse(f"{name}.add({statement.lineno})").body[0]
    return ast.copy_location(note, statement)


def _by_name(code):
    found = defaultdict(list)

    def look(code):
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                found[constant.co_qualname].append(constant)
                look(constant)

    look(code)
    return found
