"""Places on the earth."""

from math import asin, cos, isfinite, radians, sin, sqrt
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.runtime.functions import cel
from hub.expressions.values import no_overload

__all__ = ["OPERATIONS"]

OPERATIONS: tuple[str, ...] = ()

_RADIUS = 6_371_008.8  # metres: the mean radius of the earth, as the IUGG has it


@cel("geo.distance(number, number, number, number) -> double")
def distance(latitude: Any, longitude: Any, other_latitude: Any, other_longitude: Any) -> float:
    """The way over the ground between two places, in metres; they are given in degrees, latitude first."""
    given = (latitude, longitude, other_latitude, other_longitude)
    if any(each.__class__ is not float and (each.__class__ is bool or not isinstance(each, int)) for each in given):
        raise no_overload("geo.distance", *given)
    if not all(isfinite(each) and abs(each) <= most for each, most in zip(given, (90, 360, 90, 360), strict=True)):
        raise EvaluationError("geo.distance: a latitude is from -90 to 90, a longitude from -180 to 180 (or 360)")
    one, east, other, other_east = map(radians, given)
    half = sin((other - one) / 2) ** 2 + cos(one) * cos(other) * sin((other_east - east) / 2) ** 2
    return 2 * _RADIUS * asin(min(1.0, sqrt(half)))
