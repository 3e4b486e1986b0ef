"""docs/expressions.md is run: each `expression → value`, each text of the table; and it leaves nothing out."""

import json
import os
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.expressions import Context, EvaluationError, Scope, compile_expression, compile_template, evaluate
from hub.expressions.library import FUNCTIONS
from hub.expressions.library.comparison import equal
from hub.expressions.names import HISTORY
from hub.expressions.runtime.macro_loops import MACROS
from hub.expressions.values import TYPES, type_of
from hub.model import Event
from hub.rules.samples.sampler import Sampler
from tests.support import prefork

PAGE = (Path(__file__).parents[2] / "docs" / "expressions.md").read_text("utf-8")
BLOCKS = re.findall(r"```cel\n(.*?)\n```", PAGE, re.DOTALL)
EXAMPLES = [
    example for block in BLOCKS for example in re.findall(r"(.+?) → (.+?)(?:\n|$)", block.replace("\nlines", "\0lines"))
]
BINDINGS = {"now_example": datetime(2026, 3, 1, tzinfo=UTC)}


@pytest.mark.parametrize(("expression", "value"), EXAMPLES)
def test_an_example_of_the_page_has_the_value_it_shows(expression, value):
    expression = expression.replace("\0", "\n")
    if value == "error":
        with pytest.raises(EvaluationError):
            evaluate(expression, BINDINGS)
        return
    result, wanted = evaluate(expression, BINDINGS), evaluate(value)
    assert equal(result, wanted)
    assert type_of(result) is type_of(wanted)


@pytest.mark.parametrize(("expression", "value"), [pair for pair in EXAMPLES if pair[1] != "error"])
def test_an_example_of_the_page_passes_the_checks_at_load(expression, value):
    program = compile_expression(expression.replace("\0", "\n"), Scope())
    assert equal(program.run(BINDINGS, (), None), evaluate(value))


SAMPLES = re.findall(
    r"^(.+?) → (.+?) = (.+)$", "\n".join(re.findall(r"```samples\n(.*?)```", PAGE, re.DOTALL)), re.MULTILINE
)


@pytest.mark.parametrize(("samples", "expression", "value"), SAMPLES)
def test_an_example_of_looking_back_has_the_value_it_shows(samples, expression, value):
    program = compile_expression(expression, Scope(history=True))
    sampler = Sampler(program.history)
    history = sampler.new()
    for minute, sample in enumerate(json.loads(f"[{samples}]")):
        one = Event("t", b"", {"x": sample}, None, 1e9 + 60 * minute, 1, False)
        sampler.feed(history, one, (), None)
    if value == "error":
        with pytest.raises(EvaluationError):
            program.run({}, (), None, history.slots)
        return
    result, wanted = program.run({}, (), None, history.slots), evaluate(value)
    assert type_of(result) is type_of(wanted)
    assert result == pytest.approx(wanted) if isinstance(result, float) else equal(result, wanted)


def test_every_function_that_looks_back_has_an_example():
    assert {expression.partition("(")[0] for _, expression, _ in SAMPLES} == HISTORY


def test_the_commands_of_the_page_print_what_it_shows():
    (shown,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    commands = re.findall(r"^\$ hub (.*)\n((?:[^$].*\n)+)", shown, re.MULTILINE)
    assert len(commands) == 3
    for command, printed in commands:
        code, out, err = prefork.run(*shlex.split(command), cwd=prefork.ROOT, env=os.environ | {"NO_COLOR": "1"})
        assert out + err == printed
        assert code == printed.startswith("hub: ")


def used(name):
    return any(
        re.search(rf"(?<![\w.]){re.escape(name)}\(" if name[0] != "." else rf"{re.escape(name)}\(", block)
        for block in BLOCKS
    )


def test_every_function_macro_and_type_has_an_example():
    assert [name for name in FUNCTIONS if not used(name)] == []
    assert [name for name in MACROS if not used(f".{name}")] == []
    assert [name for name in TYPES if not any(name in block for block in BLOCKS)] == []


def test_every_text_of_the_table_renders_as_shown():
    fields = {"temperature": -11.53, "door": True, "n": 12345, "tags": ["a", 1]}
    rows = re.findall(
        r"^\| `(.+?)` \| `(.*?)` \|$", PAGE[PAGE.index("## Texts") : PAGE.index("## Bounds")], re.MULTILINE
    )
    assert len(rows) == 5
    for text, shown in rows:
        assert compile_template(text, Scope()).render(fields, (), Context()).text == shown
