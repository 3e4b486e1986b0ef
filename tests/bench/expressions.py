"""`python -m tests.bench.expressions`: one condition on a decoded payload, beside two other CEL runtimes.

Google's (cel-expr-python, C++) and the Rust one (common-expression-language) are measured where they are installed
(`pip install -e .[bench]`). Each event is a new payload, so their activation or context is made per event and shared by
the rules of that event. Quote the ratios of one run: absolute times vary with the machine.
"""

import importlib
import timeit

from hub.expressions import EvaluationError, Scope, compile_condition, compile_together, evaluate

CONDITION = "temperature > 30.0 && battery < {limit}"
PAYLOAD = {"temperature": 31.5, "battery": 12, "humidity": 48.2, "door": "closed", "uptime": 93251}
SECONDS = 0.3


def hub(rules):
    """Return what evaluates these rules for one payload."""
    runs = [compile_condition(rule, Scope()).run for rule in rules]

    def event(payload):
        for run in runs:
            run(payload, (), None)

    return event


def together(rules):
    """Return the same, compiled into one function."""
    run = compile_together([compile_condition(rule, Scope()) for rule in rules])

    def event(payload):
        run(payload, (), None)

    return event


def google(rules):
    cel = importlib.import_module("cel_expr_python.cel")
    types = {bool: cel.Type.BOOL, int: cel.Type.INT, float: cel.Type.DOUBLE, str: cel.Type.STRING}
    env = cel.NewEnv(variables={name: types[type(value)] for name, value in PAYLOAD.items()})
    programs = [env.compile(rule) for rule in rules]
    assert all(program.eval(env.Activation(PAYLOAD)).value() is True for program in programs)

    def event(payload):
        activation = env.Activation(payload)
        for program in programs:
            program.eval(activation).value()

    return event


def rust(rules):
    cel = importlib.import_module("cel")
    programs = [cel.compile(rule) for rule in rules]
    assert all(program.execute(cel.Context(PAYLOAD)) is True for program in programs)

    def event(payload):
        context = cel.Context(payload)
        for program in programs:
            program.execute(context)

    return event


def microseconds(event):
    timer = timeit.Timer(lambda: event(PAYLOAD))
    number = max(1, int(SECONDS / 5 / (timer.timeit(200) / 200)))
    return min(timer.repeat(5, number)) / number * 1e6


def missing():
    """Return the microseconds of a condition whose field is missing, error and all."""
    run = compile_condition(CONDITION.format(limit=20), Scope()).run

    def event(payload):
        try:
            run(payload, (), None)
        except EvaluationError:
            return

    timer = timeit.Timer(lambda: event({"battery": 12}))
    return min(timer.repeat(5, 20_000)) / 20_000 * 1e6


def loading(count=8000):
    """Return the seconds that so many conditions of rules take to compile, and the microseconds of each."""
    timer = timeit.Timer(
        lambda: [
            compile_condition(f'device == "d{n}" && temperature > {n / 7}', Scope(("device",))) for n in range(count)
        ]
    )
    seconds = timer.timeit(1)
    return seconds, seconds / count * 1e6


def main():
    assert evaluate(CONDITION.format(limit=20), PAYLOAD) is True
    print(f"{CONDITION.format(limit=20)}, µs per event, and how many times ours")
    for count in (1, 10):
        rules = [CONDITION.format(limit=13 + number) for number in range(count)]
        ours = microseconds(hub(rules))
        fused = microseconds(together(rules))
        print(f"  {count:2} rules  hub, a function for each     {ours:8.3f}")
        print(f"            hub, compiled together       {fused:8.3f}")
        for name, peer in (("cel-expr-python", google), ("common-expression-language", rust)):
            try:
                theirs = microseconds(peer(rules))
            except ImportError:
                print(f"            {name:28} not installed")
                continue
            print(f"            {name:28} {theirs:8.3f}  {theirs / ours:5.1f} x, {theirs / fused:5.1f} x")
    print(f"a missing field, error and all: {missing():.3f} µs")
    print("8,000 conditions compiled: {:.2f} s, {:.0f} µs each".format(*loading()))


if __name__ == "__main__":
    main()
