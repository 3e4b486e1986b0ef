r"""Regular expressions as RE2 reads them, written for the Rust engine (`regex`), which reads some of them otherwise.

The engine is asked only whether a text matches: groups capture nothing, and greedy or not makes no difference. For what
asks more (captures.py) the same is written as a tree. Each part of a pattern is translated: what RE2 refuses is refused
here, with what and where; what only Rust knows is a plain character. Texts are characters here, not bytes: `\C`, a
single byte, is refused, and `\B` is not between the bytes of one.
"""

import unicodedata
from typing import NamedTuple, NoReturn

from hub.expressions.patterns.brackets import ANY, CATEGORIES, NOT_NEWLINE, PERL, POSIX, Bracket, is_script
from hub.expressions.patterns.branches import Flags, Part, PatternGroup
from hub.expressions.patterns.nodes import OneOf, PatternNode, Repeated
from hub.limits import REGEX_DEPTH, REGEX_REPEATS, REGEX_SIZE

__all__ = ["PatternError", "Translation", "translate"]

_SPECIAL = frozenset("\\.+*?()|[]{}^$#&-~")
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "f": "\f", "v": "\v"}
_HEX, _OCTAL, _DIGITS = "0123456789abcdefABCDEF", "01234567", "0123456789"
_LAST = 0x10FFFF
_LONGEST_COUNT = 100_000_000
_LOOK_AROUND = ("?=", "?!", "?<=", "?<!")
_ANY_SIZE = 10


class PatternError(ValueError):
    """A text is no pattern; the message says what is wrong, and at which character."""


class Translation(NamedTuple):
    """A pattern for the Rust engine, about how many instructions its automaton has, the same as a tree, its groups."""

    text: str
    size: int
    node: PatternNode
    groups: int


def translate(pattern: str) -> Translation:
    """Write a pattern of RE2's for the Rust engine.

    Raises:
        PatternError: RE2 would refuse it, or it is too large.

    """
    return _Translator(pattern).all()


class _Translator:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.flags = Flags()
        self.group = PatternGroup(0, self.flags)
        self.outer: list[PatternGroup] = []
        self.names: set[str] = set()
        self.groups = 0
        self.repeated = -1
        """Where the last repetition ended: another one there would repeat it."""

    def all(self) -> Translation:
        while self.at < len(self.text):
            self.one()
        if self.outer:
            self.fail("the closing ) is missing for the ( ", self.group.at)
        made = self.group.close()
        if made.size > REGEX_SIZE:
            raise PatternError("its counts and classes make it too large: write shorter ones")
        return Translation(made.text, made.size, made.node, self.groups)

    def one(self) -> None:
        mark = self.text[self.at]
        if mark in "*+?" or (mark == "{" and self.counts() is not None):
            self.repeat()
        elif mark == "(":
            self.open()
        elif mark == ")":
            self.close()
        elif mark == "|":
            self.at += 1
            self.group.alternative()
        elif mark == "[":
            self.bracket()
        elif mark == "\\":
            self.backslash()
        else:
            self.at += 1
            self.plain(mark)

    def plain(self, mark: str) -> None:
        """Take a character that means something by itself, or only itself."""
        if mark == ".":
            self.put(ANY if self.flags.dot_all else NOT_NEWLINE, _ANY_SIZE)
        elif mark == "^":
            self.put("(?m:^)" if self.flags.lines else r"\A", 1)
        elif mark == "$":
            self.put("(?m:$)" if self.flags.lines else r"\z", 1)
        else:
            self.literal(ord(mark))

    def literal(self, code: int) -> None:
        mark = chr(code)
        if "\ud800" <= mark <= "\udfff":
            self.put(str(Bracket()), 1)
            return
        size = len(mark.encode())
        text = f"\\{mark}" if mark in _SPECIAL else mark
        if self.flags.fold and mark.isalpha():
            self.put(f"(?i:{text})", 3 * size)
        else:
            self.put(text, size)

    def put(self, text: str, size: int) -> None:
        self.group.parts.append(Part(text, size, OneOf(text)))

    def put_set(self, found: Bracket) -> None:
        """Put a set of characters; where case does not matter, Rust folds it as RE2 does."""
        self.put(f"(?i:{found})" if self.flags.fold else str(found), found.size)

    # groups

    def open(self) -> None:
        begun = self.at
        self.at += 1
        if self.text.startswith("?", self.at):
            self.question(begun)
        else:
            self.enter(begun, self.flags, captures=True)

    def enter(self, begun: int, inside: Flags, *, captures: bool = False) -> None:
        if len(self.outer) >= REGEX_DEPTH:
            self.fail(f"groups stand more than {REGEX_DEPTH} deep in one another", begun)
        self.outer.append(self.group)
        self.groups += captures
        self.group = PatternGroup(begun, self.flags, self.groups if captures else 0)
        self.flags = inside

    def close(self) -> None:
        if not self.outer:
            self.fail("a ) without its (")
        made, self.flags = self.group.close(), self.group.flags
        self.group = self.outer.pop()
        self.group.parts.append(made)
        self.at += 1

    def question(self, begun: int) -> None:
        """Take what stands behind `(?`: a name, or flags for a group or for the rest of this one."""
        if any(self.text.startswith(each, self.at) for each in ("?P<", "?<")) and not self.looks_around():
            self.named(begun)
            return
        if self.looks_around():
            self.fail("look-around is not known", begun)
        self.at += 1
        flags, negated, seen = self.flags, False, True
        while self.at < len(self.text):
            mark = self.text[self.at]
            self.at += 1
            if mark == "-" and not negated:
                negated, seen = True, False
            elif mark in "imsU":
                seen = True
                flags = flags.switched(mark, on=not negated)
            elif mark in ":)" and seen:
                if mark == ":":
                    self.enter(begun, flags)
                else:
                    self.flags = flags
                return
            else:
                self.fail("no such flag or kind of group", begun)
        self.fail("the closing ) is missing for the ( ", begun)

    def looks_around(self) -> bool:
        return any(self.text.startswith(each, self.at) for each in _LOOK_AROUND)

    def named(self, begun: int) -> None:
        first = self.text.index("<", self.at) + 1
        end = self.text.find(">", first)
        name = self.text[first:end] if end > 0 else ""
        if not name or not all(unicodedata.category(mark)[0] in "LMN" or mark == "_" for mark in name):
            self.fail("a group's name is letters, digits and _ between < and >", begun)
        if name in self.names:
            self.fail(f"two groups have the name {name}", begun)
        self.names.add(name)
        self.at = end + 1
        self.enter(begun, self.flags, captures=True)

    # repetitions

    def counts(self) -> tuple[int, int | None, int] | None:
        """Read `{n}`, `{n,}` or `{n,m}`: the least, the most, where it ends; None where it is plain text."""
        least, at = self.number(self.at + 1)
        if least is None:
            return None
        most: int | None = least
        if self.text.startswith(",", at):
            most, at = (None, at + 1) if self.text.startswith("}", at + 1) else self.number(at + 1)
            if most is None and not self.text.startswith("}", at):
                return None
        return (least, most, at + 1) if self.text.startswith("}", at) else None

    def number(self, at: int) -> tuple[int | None, int]:
        end = at
        while end < len(self.text) and self.text[end] in _DIGITS:
            end += 1
        digits = self.text[at:end]
        if not digits or (digits[0] == "0" and len(digits) > 1) or len(digits) > len(str(_LONGEST_COUNT)):
            return None, at
        return int(digits), end

    def repeat(self) -> None:
        begun, mark = self.at, self.text[self.at]
        counted = self.counts() if mark == "{" else None
        least, most, end = counted or (int(mark == "+"), 1 if mark == "?" else None, begun + 1)
        if counted and (max(least, most or 0) > REGEX_REPEATS or (most is not None and most < least)):
            self.fail(f"a count is at most {REGEX_REPEATS}, and the first of two the lower", begun)
        if not self.group.parts:
            self.fail(f"{self.text[begun:end]} has nothing to repeat", begun)
        lazy = self.text.startswith("?", end)
        end += lazy
        if self.repeated == begun:
            self.fail("a repetition of a repetition: put the inner one in ( )", begun)
        self.at = self.repeated = end
        part = self.group.parts.pop()
        times = (least if most is None else most) or 1
        if counted and part.repeats * times > REGEX_REPEATS:
            self.fail(f"counts of counts come to more than {REGEX_REPEATS}", begun)
        inside = f"(?:{part.text})" if part.unary else part.text
        how = f"{{{least},{'' if most is None else most}}}" if counted else mark
        node = Repeated(part.node, least, 1 if mark == "?" else most, greedy=lazy is self.flags.lazy)
        self.group.parts.append(Part(inside + how, part.size * times + 1, node, part.repeats * times, unary=True))

    # backslashes

    def backslash(self) -> None:
        if self.text.startswith("\\Q", self.at):
            self.quoted()
            return
        mark = self.text[self.at + 1 : self.at + 2]
        if mark and mark in "bB":
            self.skip_put(rf"(?-u:\{mark})")
        elif mark and mark in "Az":
            self.skip_put(f"\\{mark}")
        elif mark == "C":
            self.fail(r"\C, a single byte, is not known: . is a character")
        elif mark and mark in "dswDSWpP":
            found = Bracket()
            self.named_set(found)
            self.put_set(found)
        else:
            self.literal(self.escaped())

    def skip_put(self, text: str) -> None:
        self.at += 2
        self.put(text, 1)

    def quoted(self) -> None:
        r"""Take `\Q…\E` as it stands."""
        end = self.text.find("\\E", self.at + 2)
        inside = self.text[self.at + 2 :] if end < 0 else self.text[self.at + 2 : end]
        self.at = len(self.text) if end < 0 else end + 2
        for mark in inside:
            self.literal(ord(mark))

    def escaped(self) -> int:
        r"""Read an escaped character: `\n`, `\x41`, `\x{1F600}`, `\101`, `\.`."""
        begun = self.at
        mark = self.text[begun + 1 : begun + 2]
        self.at += 2
        following = self.text[self.at : self.at + 1]
        if mark == "0" or (mark and mark in "1234567" and following and following in _OCTAL):
            digits = mark
            while len(digits) < 3 and self.at < len(self.text) and self.text[self.at] in _OCTAL:
                digits += self.text[self.at]
                self.at += 1
            return int(digits, 8)
        if mark == "x":
            return self.hexadecimal(begun)
        if mark in _CONTROLS:
            return ord(_CONTROLS[mark])
        if not mark:
            self.fail("a \\ at the end escapes nothing", begun)
        if mark in "123456789":
            self.fail("back-references are not known", begun)
        if not mark.isascii() or mark.isalnum():
            self.fail(f"no such escape: \\{mark}", begun)
        return ord(mark)

    def hexadecimal(self, begun: int) -> int:
        if self.text.startswith("{", self.at):
            end = self.text.find("}", self.at)
            digits = self.text[self.at + 1 : end] if end > 0 else ""
            end += 1
        else:
            end = self.at + 2
            digits = self.text[self.at : end]
            digits = digits if len(digits) == 2 else ""
        if not digits or any(mark not in _HEX for mark in digits) or int(digits, 16) > _LAST:
            self.fail(r"\x takes two hexadecimal digits, or up to 10FFFF in braces", begun)
        self.at = end
        return int(digits, 16)

    # sets

    def bracket(self) -> None:
        begun = self.at
        self.at += 1
        negated = self.text.startswith("^", self.at)
        self.at += negated
        found, first = Bracket(negated=negated), True
        while self.at < len(self.text) and (first or self.text[self.at] != "]"):
            first = False
            if not self.posix(found) and not self.named_set(found):
                self.range(found, begun)
        if self.at >= len(self.text):
            self.fail("the closing ] is missing for the [ ", begun)
        self.at += 1
        self.put_set(found)

    def posix(self, found: Bracket) -> bool:
        """Take a class like `[:alpha:]` or `[:^alpha:]`, if one stands here."""
        end = self.text.find(":]", self.at + 2)
        if not self.text.startswith("[:", self.at) or end < 0:
            return False
        name = self.text[self.at + 2 : end]
        if name.removeprefix("^") not in POSIX:
            self.fail(f"no class of characters is called [:{name[:20]}:]")
        found.add_all(POSIX[name.removeprefix("^")], negated=name.startswith("^"))
        self.at = end + 2
        return True

    def named_set(self, found: Bracket) -> bool:
        r"""Take `\d`, `\pN` and their like, if one stands here."""
        mark = self.text[self.at + 1 : self.at + 2] if self.text[self.at] == "\\" else ""
        if not mark or mark not in "dswDSWpP":
            return False
        if mark in "pP":
            self.unicode(found, negated=mark == "P")
        else:
            found.add_all(PERL[mark.lower()], negated=mark.isupper())
            self.at += 2
        return True

    def unicode(self, found: Bracket, *, negated: bool) -> None:
        begun = self.at
        name, end = self.text[begun + 2 : begun + 3], begun + 3
        if name == "{":
            end = self.text.find("}", begun) + 1
            name = self.text[begun + 3 : end - 1] if end else ""
        if name.startswith("^"):
            negated, name = not negated, name[1:]
        if name not in CATEGORIES and not is_script(name):
            self.fail(r"\p takes a category or script of Unicode: \pL, \p{Lu}, \p{Greek}", begun)
        found.add_group(CATEGORIES.get(name, f"\\p{{sc={name}}}"), negated=negated)
        self.at = end

    def range(self, found: Bracket, begun: int) -> None:
        at = self.at
        low = high = self.member()
        if self.text.startswith("-", self.at) and self.text[self.at + 1 : self.at + 2] not in ("", "]"):
            self.at += 1
            high = self.member()
            if high < low:
                self.fail(f"the range {self.text[at : self.at]} ends before it begins", at)
        elif self.at >= len(self.text):
            self.fail("the closing ] is missing for the [ ", begun)
        found.add(low, high)

    def member(self) -> int:
        if self.text[self.at] == "\\":
            return self.escaped()
        self.at += 1
        return ord(self.text[self.at - 1])

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        where = self.at if at is None else at
        joint = "" if message.endswith(" ") else " "
        raise PatternError(f"{message}{joint}at character {where + 1}")
