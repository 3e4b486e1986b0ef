r"""Sets of characters as RE2 has them, written for the Rust engine: `[a-z\d]`, `[[:alpha:]]`, `\pN`, `\W`.

RE2's `\d \w \s` and POSIX classes are ASCII, Rust's are Unicode; Rust knows set operations (`&&`, `--`, `~~`) and
nested brackets, which are plain characters to RE2. So nothing of a bracket is passed on as it stands.
"""

from collections.abc import Sequence

__all__ = ["ANY", "CATEGORIES", "NOT_NEWLINE", "PERL", "POSIX", "Bracket", "is_script"]

Range = tuple[int, int]
_LAST, _SURROGATES = 0x10FFFF, (0xD800, 0xDFFF)  # no text holds a surrogate, so no set need
ANY, NOT_NEWLINE = "(?s:.)", r"[^\n]"
_EVERY = rf"\x{{0}}-\x{{{_LAST:X}}}"
_NOTHING = f"[^{_EVERY}]"
_DIGIT, _UPPER, _LOWER = (0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)
_WORD: Sequence[Range] = (_DIGIT, _UPPER, (0x5F, 0x5F), _LOWER)
PERL: dict[str, Sequence[Range]] = {
    "d": (_DIGIT,),
    "s": ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)),  # without the vertical tab
    "w": _WORD,
}
POSIX: dict[str, Sequence[Range]] = {
    "alnum": (_DIGIT, _UPPER, _LOWER),
    "alpha": (_UPPER, _LOWER),
    "ascii": ((0x00, 0x7F),),
    "blank": ((0x09, 0x09), (0x20, 0x20)),
    "cntrl": ((0x00, 0x1F), (0x7F, 0x7F)),
    "digit": (_DIGIT,),
    "graph": ((0x21, 0x7E),),
    "lower": (_LOWER,),
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": ((0x09, 0x0D), (0x20, 0x20)),
    "upper": (_UPPER,),
    "word": _WORD,
    "xdigit": (_DIGIT, (0x41, 0x46), (0x61, 0x66)),
}
_GROUPS = "Cc Cf Co L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs"
CATEGORIES = {
    **{name: f"\\p{{gc={name}}}" for name in _GROUPS.split()},
    "C": r"\p{gc=Cc}\p{gc=Cf}\p{gc=Co}",  # Rust's has also what is not assigned
    "Cs": "",
    "Any": _EVERY,
}
"""Unicode's general categories by RE2's names, as what stands inside a bracket."""
_ASCII = 0x80
_GROUP_SIZE, _RANGE_SIZE, _REST_SIZE = 300, 4, 8
"""Of the automaton, in instructions: a category has hundreds of ranges, one beyond ASCII is bytes, so is a rest."""


def is_script(name: str) -> bool:
    """Tell whether this could be a script's name, as RE2 writes them: `Greek`, `Old_Italic`."""
    return bool(name) and all(word[:1].isupper() and word.isascii() and word.isalpha() for word in name.split("_"))


class Bracket:
    """One set of characters, gathered part by part."""

    def __init__(self, *, negated: bool = False) -> None:
        """Begin empty."""
        self._negated, self._parts = negated, ""
        self.size = _REST_SIZE if negated else 0
        """About how many instructions it takes."""

    def add(self, low: int, high: int) -> None:
        """Add a range of code points."""
        self.size += 1 if high < _ASCII else _RANGE_SIZE
        for first, last in ((low, min(high, _SURROGATES[0] - 1)), (max(low, _SURROGATES[1] + 1), high)):
            if first <= last:
                self._parts += f"\\x{{{first:X}}}-\\x{{{last:X}}}" if first < last else f"\\x{{{first:X}}}"

    def add_all(self, ranges: Sequence[Range], *, negated: bool = False) -> None:
        """Add the ranges, or all that is in none of them.

        What is negated stays a bracket of its own: where case does not matter, it is folded before it is negated.
        """
        inner = Bracket(negated=negated) if negated else self
        for low, high in ranges:
            inner.add(low, high)
        if inner is not self:
            self.add_text(str(inner), inner.size)

    def add_group(self, inside: str, *, negated: bool = False) -> None:
        """Add a category or a script, given as what stands inside a bracket."""
        if not inside:
            self.add_text(_EVERY if negated else "", 1)
        else:
            self.add_text(f"[^{inside}]" if negated else inside, _GROUP_SIZE)

    def add_text(self, inside: str, size: int) -> None:
        """Add what Rust reads as it stands."""
        self._parts += inside
        self.size += size

    def __str__(self) -> str:
        """Write it for the Rust engine.

        A negated set is taken away from all characters: of `[^…]` that engine makes a wrong one where nothing but
        surrogates lies between two of its ranges (U+D7FF and U+E000 would match).
        """
        if not self._parts:  # of surrogates alone
            return ANY if self._negated else _NOTHING
        return f"[{_EVERY}--[{self._parts}]]" if self._negated else f"[{self._parts}]"
