"""The linter of `hub check`: finds rules that load and yet cannot be what was meant. It never stops a hub from running.

Each module finds one kind of mistake. A finding must be certain; in doubt, nothing is said. docs/check.md lists all.
"""

from collections.abc import Iterator

from hub.devices.registry import Registry
from hub.errors import Problem
from hub.rules.lint.conditions import conditions
from hub.rules.lint.crowds import crowds
from hub.rules.lint.devices import Devices
from hub.rules.lint.moment import Moment
from hub.rules.lint.naming.bare_payloads import bare_payloads
from hub.rules.lint.naming.homonyms import homonyms
from hub.rules.lint.naming.misnamed import MisnamedWords
from hub.rules.lint.naming.strangers import strangers
from hub.rules.lint.naming.unfinished import left_out, unfinished, waits
from hub.rules.lint.naming.untold import untold
from hub.rules.lint.naming.unused import names, unused
from hub.rules.lint.overlaps import overlaps
from hub.rules.lint.own_topics import own
from hub.rules.lint.timing import schedules, timers
from hub.rules.lint.traps import traps
from hub.rules.reading.loader import RuleSet

__all__ = ["Moment", "lint"]


def lint(found: RuleSet, registry: Registry, moment: Moment, *, whole: bool) -> Iterator[Problem]:
    """Find what is wrong with rules that `load_rules` has read with `keep`.

    `whole`: these are all files of a hub, so a receiver or schedule that none of them names is unused.
    """
    devices, words = Devices(registry), MisnamedWords.of(found, registry)
    for name, rule in {**found.disabled, **found.rules}.items():
        node = found.nodes[name]
        yield from traps(rule, node)
        yield from own(rule, node, {**found.disabled, **found.rules})
        yield from words.findings(rule, node)
        yield from unfinished(rule, node)
        if not waits(rule):
            yield from conditions(rule, node)
        yield from crowds(rule, node)
        yield from bare_payloads(rule, node)
        yield from homonyms(rule, node)
        yield from timers(rule, node, found.schedules, moment)
        yield from devices.findings(rule, node)
    for document in found.documents:
        yield from left_out(document)
    yield from overlaps(found.rules, found.nodes)
    yield from schedules(found.documents, found.schedules, moment)
    if whole:
        yield from unused(found)
        for name, rule in found.rules.items():
            yield from names(rule, found.nodes[name], found)
            yield from words.gates(rule, found.nodes[name], found.schedules)
        yield from untold(found)
        yield from strangers(found)
