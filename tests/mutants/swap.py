"""Puts a mutant into a process that has imported the hub already: its functions get the mutant's code objects."""

import gc
from collections import defaultdict
from types import CodeType, FunctionType


class NotSwappable(Exception):
    """The mutant's functions do not match those that live (a lambda is gone, a closure holds other names)."""


def swap(path, text):
    """Give each live function of the module at `path` its code from `text`."""
    with open(path, "rb") as file:
        before = _by_name(compile(file.read(), str(path), "exec"))
    after = _by_name(compile(text, str(path), "exec"))
    news = {}
    for name, codes in before.items():
        # code behind an early return is not compiled: its inner functions and comprehensions are missing
        if len(codes) == len(after[name]):
            news |= {(name, old.co_firstlineno): new for old, new in zip(codes, after[name], strict=True)}
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename == str(path):
            code = each.__code__
            try:
                each.__code__ = news[code.co_qualname, code.co_firstlineno]
            except (KeyError, ValueError) as error:
                raise NotSwappable(code.co_qualname) from error


def _by_name(code):
    found = defaultdict(list)

    def look(code):
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                found[constant.co_qualname].append(constant)
                look(constant)

    look(code)
    return found
