"""The pytest plugin that runs the collected tests against each mutant: collect once, then fork for each.

First one child runs all tests without a mutant, to see which statements each test reaches and how long it takes. Then,
for each mutant, a child gets the mutant's code and runs the tests that reach it, the quickest first, up to the first
failure. What survives is asked again in a fresh process.
"""

import json
import time
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.mutants import fresh, kinds
from tests.mutants.children import Children
from tests.mutants.equivalents import EQUIVALENT
from tests.mutants.fresh import ROOT

EXAMPLES = 30  # of a property, at first

fresh.install()


def pytest_addoption(parser):
    for name, default in (
        ("--mutate", ""),
        ("--seed", "1"),
        ("--sample", "10"),
        ("--results", ""),
        ("--only", ""),
        ("--quick", "0"),
    ):
        parser.addoption(name, default=default)


@pytest.hookimpl(trylast=True)
def pytest_configure():
    # the first counter-example is enough: it needs not be the smallest
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", settings.get_profile("same"), phases=phases, database=None)
    settings.load_profile("mutants")


def pytest_collection_modifyitems(session, items):
    """A property is tried less often, but where it decides: what survives is asked again with all its examples."""
    if session.config.getoption("--mutate"):
        for item in items:
            owner, name = item.cls, "settings"
            if not isinstance(getattr(owner, name, None), settings):
                owner, name = item.obj, "_hypothesis_internal_use_settings"
            found = getattr(owner, name, None)
            if isinstance(found, settings) and found.max_examples > EXAMPLES:
                setattr(owner, name, settings(found, max_examples=EXAMPLES))


def pytest_runtestloop(session):
    option = session.config.getoption
    if not option("--mutate"):
        return None
    modules, out = option("--mutate").split(","), Path(option("--results"))
    children = Children(session, modules, out.parent, float(option("--quick")))
    with out.open("a", encoding="utf-8") as results:
        results.write(json.dumps({"red": children.reach()}) + "\n")
        for module in modules:
            for mutant in kinds.sample(module, ROOT, option("--seed"), int(option("--sample"))):
                if option("--only") in f"{mutant.function}: {mutant.after}":
                    results.write(json.dumps(_told(mutant, children)) + "\n")
                    results.flush()
    return True


def _told(mutant, children):
    began = time.monotonic()
    how, by = ("equivalent", EQUIVALENT[mutant.key]) if mutant.key in EQUIVALENT else children.judge(mutant)
    told = {name: getattr(mutant, name) for name in ("module", "function", "line", "kind", "before", "after")}
    return told | {"how": how, "by": by, "seconds": round(time.monotonic() - began, 1)}
