"""Rule files into a RuleSet: all files are read before any problem is told, so a user sees every problem at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hub.documents.document import Node, Problems, read_document, yaml_files
from hub.fields import Bad, Key, KeyTable, Section, late
from hub.ingest.topics import covers
from hub.limits import COVER_COMPARISONS
from hub.model import OWN_TOPICS
from hub.rules.reading.foreign_keys import FILE_KEYS, whole_file
from hub.rules.reading.rule import RULE, Rule
from hub.rules.reading.rule_reader import DEFAULTS, NO_DEFAULTS, Defaults, read_defaults, read_rule
from hub.rules.reading.rule_values import KnownNames, names_of
from hub.rules.reading.subjects import presence_filters
from hub.rules.reading.together import check_together
from hub.schedules import Schedule, read_schedules, schedules_schema

__all__ = ["RULE_FILE", "RuleSet", "Shipped", "load_rules"]

_RULES: Key[Any] = Key(
    "rules",
    late,
    None,
    "What matters, when it begins and ends, who is told.",
    schema={"type": "array", "items": RULE.schema},
)
_RECEIVERS: Key[Any] = Key(
    "receivers",
    late,
    None,
    "Who can be told, by name: an Apprise URL, or a mapping with one kind as its key.",
    {"chat": "slack://…", "board": {"mqtt": {"topic": "notify/{site}"}}},
    schema={"type": "object"},  # a later stage's: hub.describe puts its schema in
)
_SCHEDULES: Key[Any] = Key(
    "schedules",
    late,
    None,
    "Times by which rules pause or are muted, by name; each is true or false in every expression.",
    {"office": {"weekly": "mon-fri 08:00-18:00", "tz": "Europe/Berlin"}, "away": "not office"},
    schema=schedules_schema,
)
_DEFAULTS: Key[Any] = Key(
    "defaults",
    late,
    None,
    "What the rules of this file have where they say nothing; in a file without rules: of all.",
    schema=DEFAULTS.schema,
)
_TESTS: Key[Any] = Key(
    "tests",
    late,
    None,
    "Tests of the rules, which hub test runs.",
    schema={"type": "array"},  # as of receivers
)
RULE_FILE = KeyTable(
    "rule file",
    *(_RULES, _RECEIVERS, _SCHEDULES, _DEFAULTS, _TESTS),
    words="A rule file of the MQTT notification hub: rules, receivers, schedules, defaults, tests.",
)

ReadReceivers = Callable[[Node, Problems], Mapping[str, Any]]
"""Reads a `receivers` mapping into settings by name (notify.receiver.ReceiverSettings, a later stage's)."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules that are enabled, all receivers and schedules, by name; the files' tests as they are written."""

    rules: Mapping[str, Rule] = field(default_factory=dict)
    receivers: Mapping[str, Any] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    tests: Sequence[Node] = ()
    defaults: Defaults = NO_DEFAULTS
    """For alerts that other programs post: `defaults` of a file without rules, or of the only file with `defaults`."""
    nodes: Mapping[str, Node] = field(default_factory=dict, repr=False)
    """Where each rule is written, disabled ones too. `nodes`, `disabled` and `documents` are empty without `keep`."""
    disabled: Mapping[str, Rule] = field(default_factory=dict, repr=False)
    documents: Sequence[Node] = field(default=(), repr=False)
    shipped: frozenset[str] = frozenset()
    """Which of the rules are the hub's own, about itself."""
    unread: frozenset[str] | None = frozenset()
    """The rules that have problems of their own; None: a file could not be read, so its rules are unknown."""
    places: Mapping[str, int | None] = field(default_factory=dict, repr=False)
    """How many rules each non-empty file has, disabled ones too; None: the file has no key `rules`."""
    prefix: str = "hub"
    """The prefix of the topics on which the hub publishes about itself; no rule's wildcard matches these."""

    @property
    def written(self) -> int:
        """How many rules the user has written and enabled."""
        return len(self.rules) - len(self.shipped)

    def filters(self) -> list[str]:
        """Return the filters to subscribe to, each once, without any that another covers, and none of the hub's own."""
        rules = self.rules.values()
        every = [*(pattern.filter for rule in rules for pattern in rule.patterns), *presence_filters(rules)]
        filters = dict.fromkeys(each for each in every if not each.startswith(OWN_TOPICS))
        wild = [name for name in filters if "+" in name or "#" in name]
        if len(filters) * len(wild) > COVER_COMPARISONS:  # to compare so many costs more than it saves
            return list(filters)
        return [name for name in filters if not any(other != name and covers(other, name) for other in wild)]


@dataclass(frozen=True, slots=True)
class Shipped:
    """Files with rules of the hub's own. A later file's rule takes the place of an earlier one's of the same name.

    A user's rule of the same name takes the place of both.
    """

    paths: Sequence[Path]
    notify: Node | None = None
    """Whom these rules tell, as the settings say it; None: `defaults.notify` of the user's files."""


@dataclass(slots=True)
class _File:
    section: Section
    receivers: Mapping[str, Any]
    defaults: Defaults = NO_DEFAULTS


def load_rules(
    paths: Sequence[Path],
    problems: Problems,
    read_receivers: ReadReceivers,
    prefix: str,
    *,
    keep: bool = False,
    shipped: Shipped | None = None,
) -> RuleSet:
    """Read rule files and folders.

    `read_receivers` reads a `receivers` mapping (a later stage's business). No rule may listen below `prefix`, where
    the hub's own topics are. With `keep` the result has the documents and the tests too, for the linter and `hub test`.
    `shipped` are the hub's own rules, read beside the user's. Look into `problems` before using the result.
    """
    files, whole = _open_all(paths, problems, read_receivers)
    receivers: dict[str, Any] = {}
    for file in files:
        _unite(receivers, file.receivers, file.section.get(_RECEIVERS), "receiver", problems)
    shared = _read_defaults(files, KnownNames(receivers, whole=whole))
    known = _known(files, receivers, whole=whole, problems=problems)
    rules: dict[str, Rule] = {}
    nodes: dict[str, Node] = {}
    named: dict[str, Node] = {}
    tests: list[Node] = []
    for file in files:
        _rules(file, known, rules, nodes, named)
        tests += _tests(file)
        file.section.finish()
    ours = frozenset(_shipped(shipped, shared, known, rules, nodes, problems) if shipped else ())
    unread = frozenset(named.keys() - rules.keys()) if whole else None
    check_together(rules, nodes, receivers, prefix, problems, unread)
    enabled = {name: rule for name, rule in rules.items() if rule.enabled}
    places = {file.section.node.path: _count(file) for file in files}
    if not keep:
        return RuleSet(
            enabled,
            receivers,
            known.schedules,
            defaults=shared,
            shipped=ours,
            unread=unread,
            places=places,
            prefix=prefix,
        )
    return RuleSet(
        enabled,
        receivers,
        known.schedules,
        tests,
        shared,
        nodes,
        disabled={name: rule for name, rule in rules.items() if not rule.enabled},
        documents=[file.section.node for file in files if file.section.values],
        shipped=ours,
        unread=unread,
        places=places,
        prefix=prefix,
    )


def _count(file: _File) -> int | None:
    node = file.section.get(_RULES)
    return len(node.value) if node is not None and isinstance(node.value, list) else None


def _open_all(paths: Sequence[Path], problems: Problems, read_receivers: ReadReceivers) -> tuple[list[_File], bool]:
    """Read all files; tell whether none of them hides anything, so that a name in no file does not exist."""
    before = len(problems)
    listed = yaml_files(paths, problems)
    whole = len(problems) == before
    files = []
    for path in listed:
        before = len(problems)
        file = _open(path, problems, read_receivers)
        if file is None:
            whole = whole and not problems.hide(before)
        else:
            files.append(file)
            whole = whole and all(_is_mapping(file.section.get(key)) for key in (_RECEIVERS, _SCHEDULES))
    return files, whole


def _is_mapping(node: Node | None) -> bool:
    return node is None or isinstance(node.value, dict)


def _open(path: Path, problems: Problems, read_receivers: ReadReceivers) -> _File | None:
    node = read_document(path, problems)
    if node is None:
        return None
    if meant := whole_file(node):
        problems.append(node.problem(*meant))
        return None
    section = Section(node, problems, "a rule file", RULE_FILE)
    section.foreign = FILE_KEYS
    receivers = section.get(_RECEIVERS)
    return _File(section, read_receivers(receivers, problems) if receivers is not None else {})


def _known(files: Sequence[_File], receivers: Mapping[str, Any], *, whole: bool, problems: Problems) -> KnownNames:
    """Return the names that rules may use: receivers and schedules of all files."""
    written = [(node, file.defaults.tz) for file in files if (node := file.section.get(_SCHEDULES))]
    schedules = read_schedules(written, problems)
    named = {name for node, _ in written if isinstance(node.value, dict) for name in node.value}
    return KnownNames(receivers, schedules, frozenset(named - schedules.keys()), whole)


def _read_defaults(files: Sequence[_File], known: KnownNames) -> Defaults:
    """Read every file's `defaults`; those of a file without rules hold for all files.

    Return the defaults for alerts that have no rule: Prometheus posts them, and the shipped rules use them too.
    """
    shared = NO_DEFAULTS
    # files without rules first: the others build on what these say
    for file in sorted(files, key=lambda file: file.section.get(_RULES) is not None):
        node = file.section.get(_DEFAULTS)
        file.defaults = shared if node is None else read_defaults(node, file.section.problems, shared, known)
        if file.section.get(_RULES) is None:
            shared = file.defaults
    written = [file.defaults for file in files if file.section.get(_DEFAULTS) is not None]
    return written[0] if len(written) == 1 else shared


def _unite(
    all_named: dict[str, Any], more: Mapping[str, Any], node: Node | None, what: str, problems: Problems
) -> None:
    for name, value in more.items():
        if name in all_named and node is not None:
            problems.append(node.key_problem(name, f"a {what} {name!r} is already in another file", "names are global"))
        else:
            all_named[name] = value


def _rules(
    file: _File, known: KnownNames, rules: dict[str, Rule], nodes: dict[str, Node], named: dict[str, Node]
) -> None:
    """Read the rules of a file; `named` has the rules of all files so far, also those with problems."""
    node, problems = file.section.get(_RULES), file.section.problems
    if node is None:
        return
    if not isinstance(node.value, list):
        problems.append(node.problem("'rules' must be a list", "each rule begins with - alert: or - event:"))
        return
    for item in node.value:
        rule, name = read_rule(item, problems, file.defaults, known), _name_of(item)
        first = named.setdefault(name, item) if name else item
        if first is not item:
            there = f"{first.path}:{first.line}"
            problems.append(item.problem(f"a rule {name!r} is already at {there}", "names are global"))
        elif rule is not None:
            rules[rule.name], nodes[rule.name] = rule, item


def _name_of(item: Node) -> str:
    """Return a rule's name, even where the rest of the rule cannot be read."""
    keys = item.value if isinstance(item.value, dict) else {}
    found = next((keys[key] for key in ("alert", "event") if key in keys), None)
    return "" if found is None else found.text


def _shipped(
    shipped: Shipped,
    shared: Defaults,
    known: KnownNames,
    rules: dict[str, Rule],
    nodes: dict[str, Node],
    problems: Problems,
) -> Sequence[str]:
    """Add the hub's own rules, except those that the user has replaced; return their names."""
    notify = shared.notify
    if shipped.notify is not None:
        try:
            notify = names_of("receiver", known.receivers, whole=known.whole)(shipped.notify)
        except Bad as error:
            problems += [] if error.told else [error.problem, *error.more]
    items: dict[str, Node] = {}
    for path in shipped.paths:
        file = _open(path, problems, lambda *_: {})
        listed = file.section.get(_RULES) if file else None
        items |= {} if listed is None else {item.value["alert"].text: item for item in listed.value}
    ours = [item for name, item in items.items() if name not in rules]  # a user's rule of the name goes first
    read = [read_rule(item, problems, replace(NO_DEFAULTS, notify=notify), known) for item in ours]
    for rule, item in zip(read, ours, strict=True):
        if rule is not None:
            rules[rule.name], nodes[rule.name] = rule, item
    return [rule.name for rule in read if rule is not None]


def _tests(file: _File) -> list[Node]:
    node = file.section.get(_TESTS)
    if node is None:
        return []
    if not isinstance(node.value, list):
        file.section.report(node.problem("'tests' must be a list", "each test begins with - name:"))
        return []
    return list(node.value)
