"""What conditions ask of a slot that moves by the clock, and with which bounds they compare it."""

from math import inf
from typing import NamedTuple

from hub.limits import CLOCK_LOOKS, CLOCK_STEP

__all__ = ["Watch", "after", "look_again"]


class Watch(NamedTuple):
    """A function of a slot and its arguments; `bound`, in seconds or as a number, is what it is compared with.

    None stands for a comparison with what is known only at run time, and for any other use.
    """

    function: str
    arguments: tuple[float, ...]
    bound: float | None


def look_again(end: float, seconds: float) -> float:
    """Return when a window of `seconds` is judged again where its bound is not known."""
    return end + max(1.0, seconds / CLOCK_LOOKS)


def after(end: float, rate: float, missing: float) -> float:
    """Return when what changes by `rate` a second has changed by `missing`; inf for never.

    What is at its bound already will be beyond it a moment later.
    """
    if not rate or (missing and (missing < 0) is not (rate < 0)):
        return inf
    return end + max(missing / rate, CLOCK_STEP)
