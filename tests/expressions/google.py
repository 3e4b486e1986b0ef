"""Google's runtime in a process of its own: it evaluates expressions from its input, one JSON string a line.

Of its own, because cel-expr-python 0.1.3 releases None once too often: a process that saw many nulls ends in an abort.
"""

import base64
import datetime as dt
import json
import sys

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional, ext_strings

from tests.expressions.grammar import BINDINGS

EXTENSIONS = [
    ext_bindings.ExtBindings(),
    ext_encoders.ExtEncoders(),
    ext_math.ExtMath(),
    ext_optional.ExtOptional(),
    ext_strings.ExtStrings(),
]
SECOND = dt.timedelta(seconds=1)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def plain(kind, value):
    """Write a value of Python with its kind."""
    if isinstance(value, bytes | bytearray):
        return [kind, base64.b64encode(value).decode()]
    if isinstance(value, dt.datetime):
        return ["time", (value - EPOCH) / SECOND]
    if isinstance(value, dt.timedelta):
        return ["span", value / SECOND]
    if isinstance(value, float):
        return [kind, repr(value)]
    return [kind, value]


def answer(value):
    kind = str(value.type()).partition("<")[0]
    if kind == "ERROR":
        return ["error"]
    if kind == "LIST":
        return [kind, [answer(item) for item in value.value()]]
    if kind == "MAP":
        return [kind, len(value.value())]
    return plain(kind, str(value.value()) if kind in ("TYPE", "optional_type") else value.value())


def main():
    env = cel.NewEnv(variables=dict.fromkeys(BINDINGS, cel.Type.DYN), extensions=EXTENSIONS)
    activation = env.Activation(BINDINGS)
    for line in sys.stdin:
        try:
            result = answer(env.compile(json.loads(line), disable_check=True).eval(activation))
        except Exception:  # noqa: BLE001 - whatever it says, it is an error
            result = ["error"]
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
