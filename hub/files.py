"""The files a user writes, read together: settings name rules and fleets; `hub check` looks at them all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hub.clock import SystemClock
from hub.config import Settings, read_settings
from hub.devices.registry import Registry, load_fleets
from hub.discovery.homeassistant import check_discovery
from hub.document import Problems, read_document, yaml_files
from hub.errors import ConfigError, Problem
from hub.notify.fallback import check_fallbacks
from hub.notify.settings import read_receivers
from hub.rules.lint import Moment, lint
from hub.rules.loader import RuleSet, Shipped, load_rules
from hub.schedules import local_zone
from hub.selfwatch.settings import RULES
from hub.trial.case import Case
from hub.trial.reading import read_cases

__all__ = ["Files", "check", "load_files", "load_trial"]

_RULES, _FLEET, _SETTINGS = "rules", "fleet", "settings"
_SIGNS = {
    **dict.fromkeys(("rules", "receivers", "defaults", "schedules", "tests"), _RULES),
    **dict.fromkeys(("fleet", "devices", "fields", "faults"), _FLEET),
    **dict.fromkeys(
        ("broker", "state", "http", "publish_prefix", "sources", "discovery", "sparkplug", "self_watch", "heartbeat"),
        _SETTINGS,
    ),
}


@dataclass(frozen=True, slots=True)
class Files:
    """What the rule and fleet files say."""

    rules: RuleSet
    registry: Registry


def load_files(settings: Settings, problems: Problems, *, keep: bool = False) -> Files:
    """Read rules and fleets; look into `problems` before using what comes back. `keep`: see load_rules."""
    registry = Registry(load_fleets(settings.devices, problems))
    shipped = Shipped(RULES, settings.self_watch.notify) if settings.self_watch.enabled else None
    rules = load_rules(settings.rules, problems, read_receivers, settings.publish_prefix, keep=keep, shipped=shipped)
    check_fallbacks(rules.receivers, problems)
    check_discovery(rules.rules, settings.discovery, problems)
    return Files(rules, registry)


def load_trial(config: Path | None, paths: Sequence[Path], devices: Sequence[Path]) -> tuple[Files, list[Case]]:
    """Read the tests of the settings' rules, or of these files; a file below those rules is read together with them.

    Raises:
        ConfigError: with every problem.

    """
    problems = Problems()
    settings = read_settings(config, problems)
    rules = tuple(dict.fromkeys([*paths, *_beside(paths, settings.rules)])) if paths else settings.rules
    settings = replace(settings, rules=rules, devices=tuple(devices) or settings.devices)
    files = load_files(settings, problems, keep=True)
    asked = {str(path) for path in yaml_files(paths, problems)}
    cases = read_cases(files.rules, problems)
    if problems:
        raise ConfigError(problems)
    return files, [case for case in cases if not asked or case.node.path in asked]


def check(config: Path | None, paths: Sequence[Path]) -> list[Problem]:
    """Find every problem of the settings and what they name, or of these files and folders alone.

    What a file is, its keys tell. A rule file below the rules that the settings name is read together with those,
    because names are global; only problems of what was asked for are returned.
    """
    problems = Problems()
    settings = read_settings(config, problems)
    if not paths:
        _look(settings, problems)
        return sorted(set(problems))
    found = _sorted_out(paths, problems)
    for path in found[_SETTINGS]:
        _look(read_settings(path, problems), problems)
    rules = tuple(dict.fromkeys([*found[_RULES], *_beside(found[_RULES], settings.rules)]))
    ours = any(_is_below(rule, settings.rules) for rule in rules)
    devices = tuple(found[_FLEET]) or (settings.devices if ours else ())
    _look(replace(settings, rules=rules, devices=devices), problems)
    asked = {str(path) for path in paths} | {str(path) for kind in found.values() for path in kind}
    if found[_SETTINGS]:
        return sorted(set(problems))
    return sorted({problem for problem in problems if problem.path in asked})


def _look(settings: Settings, problems: Problems) -> None:
    """Read what settings name, and lint what can be read of it."""
    before = len(problems)
    files = load_files(settings, problems, keep=True)
    read_cases(files.rules, problems)
    read = {path.resolve() for path in yaml_files(settings.rules, Problems())}
    folders = {path.parent for path in read}
    # a file alone, of several in its folder, may be named by those that were not read
    whole = len(problems) == before and all(each in read for folder in folders for each in _siblings(folder))
    problems += lint(files.rules, files.registry, Moment(SystemClock().now(), local_zone()), whole=whole)


def _siblings(folder: Path) -> list[Path]:
    """Return the rule files in a folder."""
    found = _sorted_out(sorted(folder.glob("*.yaml")), Problems())[_RULES]
    return [path.resolve() for path in found if not path.name.startswith(".")]


def _sorted_out(paths: Sequence[Path], problems: Problems) -> dict[str, list[Path]]:
    """Tell rules, fleets and settings apart; a file that cannot be read as YAML counts as rules, which say so."""
    found: dict[str, list[Path]] = {_RULES: [], _FLEET: [], _SETTINGS: []}
    for path in yaml_files(paths, problems):
        node = read_document(path, Problems())
        keys = node.value if node is not None and isinstance(node.value, dict) else {}
        kinds = [_SIGNS[key] for key in keys if key in _SIGNS]
        # `rules` and `devices` are also keys of hub.yaml, where they name paths
        kind = _SETTINGS if _SETTINGS in kinds or path.name == "hub.yaml" else (kinds or [_RULES])[0]
        found[kind].append(path)
    return found


def _beside(files: Sequence[Path], folders: Sequence[Path]) -> list[Path]:
    whole = [folder for folder in folders if folder.is_dir()]
    if any(_is_below(file, whole) for file in files):
        known = {file.resolve() for file in files}
        return [path for path in yaml_files(whole, Problems()) if path.resolve() not in known]
    return []


def _is_below(file: Path, folders: Sequence[Path]) -> bool:
    return any(file.resolve().is_relative_to(folder.resolve()) for folder in folders)
