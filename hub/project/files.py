"""Reads all files of a user together: the settings name rules and fleets; `hub check` looks at all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path

from hub.clock import SystemClock
from hub.config import SETTINGS, Settings, read_settings
from hub.devices.fleet import FLEET
from hub.devices.known.device_table import TABLE_ENDING
from hub.devices.registry import Registry, load_fleets
from hub.discovery.homeassistant import check_discovery
from hub.documents.document import Problems, read_document, yaml_files
from hub.documents.listing import is_folder
from hub.documents.written import Written, written_below
from hub.errors import ConfigError, Problem
from hub.notify.fallback import check_fallbacks
from hub.notify.receiver_settings import read_receivers
from hub.project.strays import deaf, strays
from hub.project.surroundings import is_below, real, settings_around
from hub.rules.lint import Moment, lint
from hub.rules.reading.loader import RULE_FILE, RuleSet, Shipped, load_rules
from hub.schedules import local_zone
from hub.selfwatch.heartbeat_settings import CLUSTER_RULES, RULES
from hub.trial.case import Case
from hub.trial.trial_reading import read_cases

__all__ = ["Files", "check", "load_files", "load_trial", "look", "people_of", "read_files"]

_BEGIN = "write one there, as `hub init` does; where none is wanted, let a file there say so: rules: []"
_RULES, _FLEET, _SETTINGS = "rules", "fleet", "settings"
_SIGNS = {
    sign: kind for kind, table in ((_RULES, RULE_FILE), (_FLEET, FLEET), (_SETTINGS, SETTINGS)) for sign in table.signs
}
"""The kind of a file by a key at its top."""


@dataclass(frozen=True, slots=True)
class Files:
    """The rules and devices of a user's files."""

    rules: RuleSet
    registry: Registry
    written: Written = field(default_factory=Written)
    """How much each of the files has, for written.py."""


def load_files(settings: Settings, problems: Problems, *, keep: bool = False) -> Files:
    """Read rules and fleets; look into `problems` before using what comes back. `keep`: see load_rules."""
    fleets = load_fleets(settings.fleets(), problems)
    registry = Registry(fleets)
    ours = (RULES,) if settings.cluster is None else (RULES, CLUSTER_RULES)
    shipped = Shipped(ours, settings.self_watch.notify) if settings.self_watch.enabled else None
    rules = load_rules(settings.rules, problems, read_receivers, settings.publish_prefix, keep=keep, shipped=shipped)
    check_fallbacks(rules.receivers, problems, whole=rules.unread is not None)
    check_discovery(rules.rules, settings.discovery, problems)
    places = {**dict.fromkeys([fleet.path for fleet in fleets], 1), **rules.places}
    return Files(rules, registry, written_below(settings.rules, settings.devices, places, problems.bare))


def read_files(settings: Settings) -> Files:
    """Read rules and fleets for a run.

    Raises:
        ConfigError: with every problem of every file.

    """
    problems = Problems()
    files = load_files(settings, problems)
    if problems:
        raise ConfigError(problems)
    return files


def people_of(rules: RuleSet) -> tzinfo:
    """Return the zone of times that people are told: `defaults.tz`, else the machine's zone."""
    return rules.defaults.tz or local_zone()


def load_trial(config: Path | None, paths: Sequence[Path], devices: Sequence[Path]) -> tuple[Files, list[Case]]:
    """Read the tests of the settings' rules, or of these files; a file among the settings' rules is read with all.

    Tests notify nobody, so secrets need not exist.

    Raises:
        ConfigError: with every problem.

    """
    problems = Problems(secrets=False)
    settings = read_settings(config, problems)
    if paths:
        found = _sorted_out(paths, problems, settings.devices)
        if config is None:
            settings = read_settings(found[_SETTINGS][0], problems) if found[_SETTINGS] else settings
            settings = settings_around(settings, found[_RULES])
        settings = _with(settings, found)
    settings = replace(settings, devices=tuple(devices) or settings.devices)
    files = load_files(settings, problems, keep=True)
    asked = {str(path) for path in yaml_files(paths, problems)}
    cases = read_cases(files.rules, problems)
    if problems:
        raise ConfigError(problems)
    return files, [case for case in cases if not asked or case.node.path in asked]


def _with(settings: Settings, found: Mapping[str, Sequence[Path]]) -> Settings:
    """Return settings that name these files: rules together with the others of their folder, fleets alone."""
    rules = tuple(dict.fromkeys([*found[_RULES], *_beside(found[_RULES], settings.rules)]))
    return replace(settings, rules=rules, devices=tuple(found[_FLEET]) or settings.devices)


def check(config: Path | None, paths: Sequence[Path], *, secrets: bool = True, notes: bool = False) -> list[Problem]:
    """Find every problem of the settings and what they name, or of these files and folders alone.

    The keys of a file tell its kind. A rule file among the rules that the settings name is read together with those,
    because names are global, but only problems of the files that were asked for are returned. Without `secrets`, the
    secrets of `!env` and `!file` need not exist. With `notes`, findings that may be intended are returned too.
    """
    return [each for each in _checked(config, paths, Problems(secrets=secrets)) if notes or not each.note]


def look(settings: Settings) -> list[Problem]:
    """Find every problem and note of what settings name."""
    problems = Problems()
    _look(settings, problems, all_of_it=True)
    return sorted(set(problems))


def _checked(config: Path | None, paths: Sequence[Path], problems: Problems) -> list[Problem]:
    settings = read_settings(config, problems)
    if not paths:
        _look(settings, problems, all_of_it=True)
        return sorted(set(problems))
    found = _sorted_out(paths, problems, settings.devices)
    problems += _empty(paths)
    problems += strays(paths)
    for path in found[_SETTINGS]:
        _look(read_settings(path, problems), problems, all_of_it=True)
    if config is None:
        settings = settings_around(settings, found[_RULES])
    _look(_with(settings, found), problems)
    asked = {str(path) for path in paths} | {str(path) for kind in found.values() for path in kind}
    if found[_SETTINGS]:
        return sorted(set(problems))
    return sorted({each for each in problems if asked & {each.path, *map(str, Path(each.path).parents)}})


def _look(settings: Settings, problems: Problems, *, all_of_it: bool = False) -> None:
    """Read the files that settings name, and lint those that can be read; `all_of_it`: no rules at all is a problem."""
    before = len(problems)
    files = load_files(settings, problems, keep=True)
    unread = len(problems) > before
    read_cases(files.rules, problems)
    read = {real(path) for path in yaml_files(settings.rules, Problems())}
    folders = {path.parent for path in read}
    # names in a single file of a folder may be used by the others, which were not read
    whole = not problems.hide(before) and all(each in read for folder in folders for each in _siblings(folder))
    problems += lint(files.rules, files.registry, Moment(SystemClock().now(), local_zone()), whole=whole)
    if all_of_it:
        problems += strays((*settings.rules, *settings.devices))
        problems += () if unread else deaf(settings, files.rules)
        if not unread and all(count is None for count in files.rules.places.values()):
            where = str(settings.rules[0]) if settings.rules else "rules"
            problems.append(Problem(where, 0, 0, "0 rules: a hub with these files tells nobody of any event", _BEGIN))


def _empty(paths: Sequence[Path]) -> list[Problem]:
    """Find folders that were asked for and have no file to read."""
    found = Problems()
    empty = [path for path in paths if is_folder(path) and not yaml_files([path], found)]
    wrong = {problem.path for problem in found}
    return [Problem(str(p), 0, 0, "no *.yaml file below this folder", _BEGIN) for p in empty if str(p) not in wrong]


def _siblings(folder: Path) -> list[Path]:
    """Return the rule files in a folder."""
    beside = [path for path in yaml_files([folder], Problems()) if path.parent == folder]
    return [real(path) for path in _sorted_out(beside, Problems())[_RULES]]


def _sorted_out(paths: Sequence[Path], problems: Problems, tables: Sequence[Path] = ()) -> dict[str, list[Path]]:
    """Sort files into rules, fleets and settings; one that is no YAML counts as rules, whose reader reports it."""
    found: dict[str, list[Path]] = {_RULES: [], _FLEET: [], _SETTINGS: []}
    for path in yaml_files(paths, problems, tables):
        if path.suffix == TABLE_ENDING:
            found[_FLEET].append(path)
            continue
        node = read_document(path, Problems())
        keys = node.value if node is not None and isinstance(node.value, dict) else {}
        kinds = [_SIGNS[key] for key in keys if key in _SIGNS]
        # `rules` and `devices` are also keys of hub.yaml, where they name paths
        kind = _SETTINGS if _SETTINGS in kinds or path.name == "hub.yaml" else (kinds or [_RULES])[0]
        found[kind].append(path)
    return found


def _beside(files: Sequence[Path], folders: Sequence[Path]) -> list[Path]:
    whole = [folder for folder in folders if is_folder(folder)]
    if any(is_below(file, whole) for file in files):
        known = {real(file) for file in files}
        return [path for path in yaml_files(whole, Problems()) if real(path) not in known]
    return []
