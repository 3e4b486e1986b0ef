"""Lengths of time as people write them: `90s`, `5m`, `1h30m`, `7d`, `250ms`."""

import re

__all__ = ["format_duration", "parse_duration", "spoken_duration"]

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[smhdw])")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_LONGEST = 100 * 365 * UNITS["d"]


def parse_duration(text: str) -> float:
    """Return seconds.

    Raises:
        ValueError: it is not a duration, or one of over a hundred years.

    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write it as 90s, 5m, 1h30m or 7d")
    seconds = sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is over a hundred years")
    return seconds


def format_duration(seconds: float) -> str:
    """Write seconds the same way, in at most two units: `5m`, `1h30m`, `2d4h`, `250ms`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    rest, parts = round(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])


_SPOKEN = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def spoken_duration(seconds: float) -> str:
    """Write seconds as people say them, in at most two units: `12 min`, `1 h 30 min`, `2 d 4 h`, `45 s`."""
    rest, parts = round(seconds), list[str]()
    for unit, size in _SPOKEN:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
