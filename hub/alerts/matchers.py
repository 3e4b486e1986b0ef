"""Matchers say which alerts a person means: by labels, as in Alertmanager: `alertname=X, site=~"a|b"`, or in braces."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.expressions.patterns.dialect import PatternError
from hub.expressions.patterns.linear import Linear
from hub.limits import REGEX_CHARS

__all__ = ["NARROWER", "Matcher", "match_all", "parse_matchers", "why_too_wide"]

_OPERATORS = ("=~", "!~", "!=", "=")
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
NARROWER = """name a label that is meant, as in alertname=FreezerTooWarm; alertname=~".+" means all alerts"""
"""The hint beside `why_too_wide`."""
_SHOWN = 3  # matchers of such a silence that the message names
_PLAIN = set("{}!=~,\\\"'` \t\n")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One matcher; `operator` is =, !=, =~ or !~.

    A label that an alert does not have equals "". A pattern must match the whole value.
    """

    name: str
    operator: str
    value: str
    _pattern: Linear | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Compile a pattern.

        Raises:
            ValueError: the value is no pattern, or is too long.

        """
        if self.operator not in _OPERATORS:
            raise ValueError(f"{self.operator!r} is no operator; write one of = != =~ !~")
        if "~" not in self.operator:
            return
        if len(self.value) > REGEX_CHARS:
            raise ValueError(f"the pattern of {self.name} is longer than {REGEX_CHARS} characters")
        try:
            object.__setattr__(self, "_pattern", Linear(self.value, whole=True))
        except PatternError as error:
            raise ValueError(f"{self.value!r} is not a pattern: {error}") from None

    def matches(self, labels: Mapping[str, str], unfilled: Collection[str] = ()) -> bool:
        """Tell whether an alert with these labels is meant; `unfilled` names those whose text had no value."""
        if self.name in unfilled:
            return self.operator.startswith("!")  # what could not be filled in equals nothing, neither "?" nor ""
        value = labels.get(self.name, "")
        if self._pattern is None:
            return (value == self.value) is (self.operator == "=")
        return self._pattern.matches(value) is (self.operator == "=~")

    def __str__(self) -> str:
        """Write the matcher so that `parse_matchers` reads it again; a name is quoted only where it has to be."""
        plain = self.name and not any(each in _PLAIN or each.isspace() for each in self.name)
        name = self.name if plain else _quoted(self.name)
        return f"{name}{self.operator}{_quoted(self.value)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def match_all(matchers: Iterable[Matcher], labels: Mapping[str, str], unfilled: Collection[str] = ()) -> bool:
    """Tell whether all of them match."""
    return all(matcher.matches(labels, unfilled) for matcher in matchers)


def why_too_wide(matchers: Sequence[Matcher]) -> str:
    """Say why a silence with these matchers is refused; "" where it is good.

    A label that an alert does not have equals "". Where every matcher matches "", they match each alert that has none
    of the labels that they name. With a misspelt name that is every alert, so somebody who silences one device would
    silence the site. Alertmanager has refused such silences since 0.20.
    """
    if not match_all(matchers, {}):
        return ""
    shown = ", ".join(str(each) for each in matchers[:_SHOWN]) + (", …" if len(matchers) > _SHOWN else "")
    return f"at least one matcher must not match the empty string: {shown} means every alert without such a label, too"


def parse_matchers(text: str) -> list[Matcher]:
    """Read a comma-separated list of matchers, in braces or not; values in double quotes or plain.

    Raises:
        ValueError: what is wrong, and at which character (from 1).

    """
    return _Reader(text).all()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def all(self) -> list[Matcher]:
        self.skip()
        braces = self.accept("{")
        found: list[Matcher] = []
        while self.at < len(self.text) and not (braces and self.text[self.at] == "}"):
            found.append(self.one())
            if not self.accept(","):
                break
        if braces and not self.accept("}"):
            self.fail("'}' or ',' is expected")
        if self.at < len(self.text):
            self.fail("',' is expected")
        if not found:
            self.fail("a matcher is expected, as in alertname=FreezerTooWarm")
        return found

    def one(self) -> Matcher:
        name = self.word("a label's name")
        if not name:
            self.fail("a label's name is not empty")
        operator = next((each for each in _OPERATORS if self.accept(each)), "")
        if not operator:
            self.fail(f"one of = != =~ !~ is expected behind {name!r}")
        return Matcher(name, operator, self.word("a value", empty=True))

    def word(self, what: str, *, empty: bool = False) -> str:
        self.skip()
        if self.accept('"'):
            return self.quoted()
        begun = self.at
        while self.at < len(self.text) and self.text[self.at] not in _PLAIN:
            self.at += 1
        if self.at == begun and not empty:
            self.fail(f"{what} is expected")
        found = self.text[begun : self.at]
        self.skip()
        return found

    def quoted(self) -> str:
        made: list[str] = []
        while self.at < len(self.text):
            mark = self.text[self.at]
            self.at += 1
            if mark == '"':
                self.skip()
                return "".join(made)
            if mark == "\\" and self.at < len(self.text):
                escaped = self.text[self.at]
                self.at += 1
                made.append(_ESCAPES.get(escaped, "\\" + escaped))
            else:
                made.append(mark)
        self.fail('the closing " is missing')
        return ""

    def accept(self, word: str) -> bool:
        if not self.text.startswith(word, self.at):
            return False
        self.at += len(word)
        if word != '"':
            self.skip()
        return True

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\n":
            self.at += 1

    def fail(self, message: str) -> None:
        raise ValueError(f"{self.text!r}: {message} at character {self.at + 1}")
