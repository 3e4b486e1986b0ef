"""Finds the word that was meant by an unknown one: a slip of the fingers, not merely a word that looks alike.

A wrong suggestion costs more than none, because people follow it: so a distant word and a tiny word get none.
"""

from collections.abc import Iterable

__all__ = ["nearest"]

_SHORTEST = 3  # letters in which one that is wrong makes another word
_TWO = 5  # letters from which on two slips may be in a word
_THREE = 10
_PREFIX = 4  # letters of a beginning that is enough
_FAR, _BEGUN = 99, 3
_CLOSE_LOOKS = 2000  # words that are compared letter by letter; of so many none is typed by hand


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is nearest to one; empty where none is near enough."""
    found, least, first = "", _FAR, _bare(word)
    for looks, name in enumerate(known):
        distance = _distance(first, _bare(name)) if looks < _CLOSE_LOOKS else _FAR
        if distance < least:
            found, least = name, distance
    return found


def _bare(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "").replace(" ", "")


def _distance(word: str, name: str) -> int:
    """Return how many slips turn one word into the other; _FAR where there are too many to be slips."""
    shorter, longer = sorted((word, name), key=len)
    if word == name:
        return 0
    if _digits(word) and _digits(name) and _digits(word) != _digits(name):
        return _FAR  # shift1 and shift2 differ on purpose
    if len(shorter) >= _PREFIX and longer.startswith(shorter):
        return _BEGUN
    most = _most(word, name)
    if len(longer) - len(shorter) > most or len(shorter) < 2 or _is_tiny(word, name):
        return _FAR
    slips = _slips(word, name)
    return slips if slips <= most else _FAR


def _most(word: str, name: str) -> int:
    """Return how many slips are plausible: more in a long word, one where the first letters differ."""
    if len(word) < _TWO or (word[:1] != name[:1] and len(word) < _THREE):
        return 1
    return 2 if len(word) < _THREE else 3


def _is_tiny(word: str, name: str) -> bool:
    """Tell whether another letter makes another word: day, bay; letters that are swapped do not."""
    return max(len(word), len(name)) <= _SHORTEST and len(word) == len(name) and sorted(word) != sorted(name)


def _digits(word: str) -> str:
    return "".join(filter(str.isdigit, word))


def _slips(one: str, other: str) -> int:
    """Count the letters that are missing, too many, wrong, or swapped with their neighbour."""
    older, old = list[int](), list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        new = [row]
        for column, wanted in enumerate(other, 1):
            least = min(old[column] + 1, new[-1] + 1, old[column - 1] + (letter != wanted))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == wanted
            new.append(min(least, older[column - 2] + 1) if swapped else least)
        older, old = old, new
    return old[-1]
