"""The same expression, the same bindings: the same answer as Google's runtime, or both an error."""

import base64
import contextlib
import importlib.util
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import ExpressionError
from hub.expressions import UInt, evaluate
from tests.expressions.grammar import BINDINGS, KINDS, expression

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("cel_expr_python") is None, reason="cel-expr-python has no wheel for this machine"
)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")
NAMES = {bool: "BOOL", UInt: "UINT", int: "INT", float: "DOUBLE", str: "STRING", type(None): "NULL", bytes: "BYTES"}


def answer(value):
    """Write a value as google.py does."""
    if isinstance(value, list):
        return ["LIST", [answer(item) for item in value]]
    if isinstance(value, dict):
        return ["MAP", len(value)]
    if isinstance(value, datetime):
        return ["time", (value - EPOCH) / timedelta(seconds=1)]
    if isinstance(value, timedelta):
        return ["span", value / timedelta(seconds=1)]
    if type(value) not in NAMES:
        return ["TYPE", str(value)]
    shown = {bytes: lambda: base64.b64encode(value).decode(), float: lambda: repr(value)}.get(
        type(value), lambda: value
    )
    return [NAMES[type(value)], shown()]


def ours(text):
    try:
        return answer(evaluate(text, BINDINGS))
    except ExpressionError:
        return ["error"]


def alike(mine, theirs):
    if mine[0] == theirs[0] == "span":  # below a microsecond theirs is cut towards zero, ours down
        return abs(mine[1] - theirs[1]) < 3e-6
    return mine == theirs


class Google:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.expressions.google"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, text):
        self.process.stdin.write(json.dumps(text) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def google():
    runtime = Google()
    assert runtime.ask("1 + 1") == ["INT", 2]
    yield runtime
    runtime.close()


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(random=st.randoms(use_true_random=False), kind=st.sampled_from(KINDS), depth=st.integers(1, 4))
def test_an_expression_has_the_value_that_googles_runtime_gives_it(google, random, kind, depth):
    text = expression(random, kind, depth)
    theirs = google.ask(text)
    assert alike(ours(text), theirs), f"{text}: ours {ours(text)}, theirs {theirs}"


@pytest.mark.parametrize(
    "text",
    [
        "dyn(9007199254740993) > 9007199254740992.0",
        "dyn(9223372036854775807) == 9223372036854775808.0",
        "-9223372036854775808 % -1",
        "-9223372036854775808 / -1",
        "cel.bind(x, 1 / 0, 2)",
        "cel.bind(x, 1 / 0, x)",
        "[1] in {'a': 1}",
        "timestamp('9999-12-31T23:59:59.999999999Z') + duration('1ns')",
        "timestamp('2024-01-01T00:00:00Z') - timestamp('1700-01-01T00:00:00Z')",
        "timestamp('0001-01-01T00:00:00Z').getFullYear('-01:00')",
        "timestamp('9999-12-31T23:00:00Z').getFullYear('Asia/Tokyo')",
        "string(1234567.0)",
        "string(1e-7)",
        "string(123456.75)",
        "double('Infinity')",
        "math.round(0.49999999999999994)",
        "math.bitShiftRight(-1, 1)",
        "optional.of({'a': 1}).?a.value()",
        "has(optional.of({'a': 1}).a)",
        "'%d'.format([5.5])",
        "'%s'.format([{'b': 1, 'a': [1.5, null]}])",
        "base64.decode('YWI')",
        "base64.decode('r/w==')",
        "'abc'.split('', 2)",
        "''.split('')",
        "'abc'.replace('', '-', 2)",
    ],
)
def test_a_corner_has_the_value_that_googles_runtime_gives_it(google, text):
    assert alike(ours(text), google.ask(text))
