"""Finds the schedule that was meant by a misspelt name: a slip of the fingers, not merely a word that looks alike.

Any bare name may be a field of the payload, so only what is surely a slip is refused: `nihgt`, `Night`, `nigt` beside a
schedule `night`, but neither `light` nor `service`, nor `clear` beside a schedule `clean`.
"""

from collections.abc import Iterable

__all__ = ["misspelt"]

_SHORTEST = 4  # letters; of three, one slip leaves another word: day, bay
_MIDDLE = 6  # letters below which one letter in place of another mostly makes another word: clean, clear
_LONG = 8  # letters from which on two slips may be in a word


def misspelt(word: str, known: Iterable[str]) -> str:
    """Return the known name that a word misspells; empty where there is none, or where the word itself is known."""
    if word in known:
        return ""
    return next((name for name in sorted(known) if _is_slip(word, name)), "")


def _is_slip(word: str, name: str) -> bool:
    """Tell whether the words differ only in case, in `_`, or by one or two slips after the first letter."""
    one, other = (each.casefold().replace("_", "") for each in (word, name))
    if one == other:
        return True
    shorter = min(len(one), len(other))
    if shorter < _SHORTEST or one[0] != other[0] or _digits(one) != _digits(other):
        return False  # shift1 and shift2 differ on purpose
    return _slips(one, other, 1 if shorter >= _MIDDLE else 2) <= (2 if shorter >= _LONG else 1)


def _digits(word: str) -> str:
    return "".join(filter(str.isdigit, word))


def _slips(one: str, other: str, wrong: int) -> int:
    """Count the letters that are missing, too many, swapped with their neighbour, or wrong, which counts as `wrong`."""
    older, old = list[int](), list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        new = [row]
        for column, wanted in enumerate(other, 1):
            least = min(old[column] + 1, new[-1] + 1, old[column - 1] + wrong * (letter != wanted))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == wanted
            new.append(min(least, older[column - 2] + 1) if swapped else least)
        older, old = old, new
    return old[-1]
