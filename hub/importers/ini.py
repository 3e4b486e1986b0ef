"""Reads mqttwarn.ini as mqttwarn does, with the line of each option. Values are Python literals or plain text."""

import ast
import configparser
from collections.abc import Iterator
from typing import Any

from hub.errors import ConfigError, Problem

__all__ = ["Ini"]

_WORDS: dict[str, Any] = {"TRUE": True, "FALSE": False, "NONE": None}
_NO_LITERAL = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


class Ini:
    """The sections of a file, their options, and where these stand."""

    def __init__(self, text: str, path: str) -> None:
        """Read the text of a file.

        Raises:
            ConfigError: it is no INI file; the problem names the line.

        """
        self.path = path
        self._parser = configparser.RawConfigParser()
        try:
            self._parser.read_string(text)
        except configparser.Error as error:
            raise ConfigError(list(_problems(error, path))) from None
        self._lines = _lines(text)

    @property
    def sections(self) -> list[str]:
        """Return the names of the sections, in the order of the file."""
        return self._parser.sections()

    def options(self, section: str) -> list[str]:
        """Return the names of a section's options; none where there is no such section."""
        return self._parser.options(section) if self._parser.has_section(section) else []

    def text(self, section: str, option: str) -> str | None:
        """Return a value as text, without quotes around it; None where the option is absent."""
        if not self._parser.has_option(section, option):
            return None
        raw = self._parser.get(section, option)
        value = self.value(section, option)
        return value if isinstance(value, str) else raw

    def value(self, section: str, option: str) -> Any:
        """Return a value as mqttwarn reads it: a Python literal, else the text; None where the option is absent."""
        if not self._parser.has_option(section, option):
            return None
        raw = self._parser.get(section, option)
        if raw.upper() in _WORDS:
            return _WORDS[raw.upper()]
        try:
            return ast.literal_eval(raw)
        except _NO_LITERAL:
            return raw

    def line(self, section: str, option: str = "") -> int:
        """Return the line of an option; where that is not known, the line of its section, else 0."""
        return self._lines.get((section, option)) or self._lines.get((section, ""), 0)


def _problems(error: configparser.Error, path: str) -> Iterator[Problem]:
    """Say in the hub's words what configparser cannot read, and where."""
    match error:
        case configparser.MissingSectionHeaderError():
            yield Problem(path, error.lineno, 1, "not INI: an option before the first section", "begin with [defaults]")
        case configparser.ParsingError():
            for line, _ in error.errors:
                yield Problem(path, line, 1, "not INI: neither [section] nor option = value")
        case configparser.DuplicateSectionError():
            yield Problem(path, error.lineno or 0, 1, f"section [{error.section}] stands twice")
        case configparser.DuplicateOptionError():
            yield Problem(path, error.lineno or 0, 1, f"option {error.option!r} stands twice in [{error.section}]")
        case _:
            yield Problem(path, 0, 0, f"not INI: {error.message}")


def _lines(text: str) -> dict[tuple[str, str], int]:
    """Find the line, from 1, of each section and option. configparser does not tell it, so its patterns are used."""
    places: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        header = configparser.RawConfigParser.SECTCRE.match(line.rstrip())
        if header:
            section = header["header"]
            places.setdefault((section, ""), number)
            continue
        option = configparser.RawConfigParser.OPTCRE.match(line.strip())
        if option and not line.lstrip().startswith(("#", ";")):
            places.setdefault((section, option["option"].rstrip().lower()), number)
    return places
