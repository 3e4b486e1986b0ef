"""sampled: a history function is declared once, and none can be half there."""

import importlib

import pytest

from hub.expressions import Scope, compile_expression, sampled
from hub.expressions.names import HISTORY
from hub.expressions.sampled import DISTINCT, HELD, NUMBER, SAMPLED, TRAIL, VALUE, HistoryFunction, methods_missing
from hub.rules.samples import measures, trail, windows
from hub.rules.samples.trail import Trail
from hub.rules.samples.windows import Window


@pytest.mark.parametrize("name", SAMPLED)
def test_the_form_of_a_function_is_a_call_of_it_that_is_understood(name):
    made = compile_expression(SAMPLED[name].form, Scope(history=True))
    assert [reading.function for reading in made.history] == [name]


def test_the_names_that_are_taken_are_those_declared():
    assert frozenset(SAMPLED) == HISTORY


def test_each_function_is_a_method_of_what_keeps_its_samples():
    assert methods_missing(Window, NUMBER, HELD, VALUE, DISTINCT) == []
    assert methods_missing(Trail, TRAIL) == []
    assert "previous" in methods_missing(Window, TRAIL)


@pytest.mark.parametrize(
    ("module", "function", "words"),
    [
        (windows, HistoryFunction("median", "number", "double", "median(x, 10m)"), "no method for median"),
        (trail, HistoryFunction("first", "trail", "dyn", "first(x)"), "no method for first"),
        (measures, HistoryFunction("avg", "number", "double", "avg(x, 10m)", ("mean",)), "no measure is called mean"),
    ],
)
def test_a_function_that_is_half_there_stops_the_import(module, function, words, monkeypatch):
    monkeypatch.setitem(sampled.SAMPLED, function.name, function)
    copy = importlib.util.module_from_spec(module.__spec__)  # beside the module, which others go on using
    with pytest.raises(NotImplementedError, match=words):
        module.__spec__.loader.exec_module(copy)
