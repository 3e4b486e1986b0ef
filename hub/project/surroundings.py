"""Finds the settings and the devices that belong to rule files given by path: they lie beside or above these.

`hub check PATH` and `hub test PATH` use it. So rules are checked together with the devices that a hub with these files
would have, from whatever folder the command is started.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hub.config import Settings, read_settings
from hub.documents.document import Problems, read_document, yaml_files
from hub.documents.listing import is_folder
from hub.settings.reach_settings import DEFAULT_FILE

__all__ = ["is_below", "real", "settings_around"]

_ABOVE = 3  # folders above a file that are looked into: rules/site/a.yaml lies two below its hub.yaml
_DEVICES = "devices"


def settings_around(settings: Settings, paths: Sequence[Path]) -> Settings:
    """Return the settings whose rules these files are, or these settings with the devices that lie near the files.

    `settings` are those of the folder in which the command was started. Problems of settings that are found here are
    not told: `hub check` tells them when it is asked about those settings.
    """
    if all(is_below(path, settings.rules) for path in paths):
        return settings
    for file in (folder / DEFAULT_FILE for folder in _folders(paths)):
        if file.is_file():
            found = read_settings(file, Problems(secrets=False))
            if any(is_below(path, found.rules) for path in paths):
                return found
    near = dict.fromkeys(folder / _DEVICES for folder in _folders(paths) if _has_fleets(folder / _DEVICES))
    return replace(settings, devices=tuple(near), optional=tuple(near))


def is_below(path: Path, folders: Sequence[Path]) -> bool:
    """Tell whether a path is one of these, or lies below a folder that is."""
    return any(real(path).is_relative_to(real(folder)) for folder in folders)


def real(path: Path) -> Path:
    """Resolve links; unlike Path.resolve it does not raise where they lead in a circle."""
    return Path(os.path.realpath(path))


def _folders(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the folders of the files and those above, the nearest first, each once, as far as a hub's would lie."""
    seen: set[Path] = set()
    for path in paths:
        whole = real(path)
        first = [whole] if is_folder(path) else []
        for folder in [*first, *list(whole.parents)[:_ABOVE]]:
            if folder not in seen and folder != Path(folder.anchor):
                seen.add(folder)
                yield _short(folder)


def _short(folder: Path) -> Path:
    """Return a folder as people name it: from where they are, if it is below."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _has_fleets(folder: Path) -> bool:
    """Tell whether a folder holds the hub's devices: other programs have folders of that name too."""
    if not is_folder(folder):
        return False
    nodes = (read_document(path, Problems(secrets=False)) for path in yaml_files([folder], Problems()))
    return any(node is not None and isinstance(node.value, dict) and "fleet" in node.value for node in nodes)
