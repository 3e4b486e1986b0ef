"""The URL of a webhook: fixed, or with what an event brought in its path and query, or in its host.

A value stays where the template has it: percent-encoded, no separator, no `..`. The scheme, the user and the port are
fixed. Where a value chooses the host, `guarded` says so (see ssrf.py).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from yarl import URL

from hub.documents.document import Node
from hub.documents.secret import Secret
from hub.documents.value_schema import TEXT, with_schema
from hub.errors import CompileError
from hub.expressions.templates.template import Filler, fillers
from hub.fields import Bad, secret
from hub.limits import URL_VALUE_CHARS
from hub.notify.outward.hostname import unusable
from hub.notify.wording.redact import url_secrets
from hub.notify.wording.templating import SCOPE, names

__all__ = ["UnsafeHost", "UrlTarget", "target"]

_HOST_VALUE = re.compile(r"[A-Za-z0-9_.-]{1,253}")


class UnsafeHost(ValueError):
    """What an event brought is no host name."""


@dataclass(frozen=True, slots=True)
class UrlTarget:
    """A compiled URL; two are equal when their texts are. `guarded`: a value is part of the host."""

    text: Secret
    parts: tuple[str | Filler, ...] = field(default=(), compare=False, repr=False)
    authority: int = field(default=0, compare=False)
    """So many of the parts stand before the path."""
    guarded: bool = field(default=False, compare=False)

    def render(self, body: Mapping[str, Any]) -> URL:
        """Return the URL for a notification.

        Raises:
            UnsafeHost: a value cannot be (a part of) a host name.

        """
        if len(self.parts) == 1 and isinstance(self.parts[0], str):
            return URL(self.parts[0])
        known = names(body)
        before, behind = self.parts[: self.authority], self.parts[self.authority :]
        host = [part if isinstance(part, str) else _in_host(part.fill(*known, [])) for part in before]
        rest = [part if isinstance(part, str) else _in_path(part.fill(*known, [])) for part in behind]
        try:
            url = URL("".join(host) + _without_dots("".join(rest)))
        except ValueError as error:
            raise UnsafeHost("is no URL") from error
        if self.guarded and (why := unusable(url.raw_host or "")):
            raise UnsafeHost(f"{(url.raw_host or '')[:80]!r}: {why}")
        return url

    def secrets(self) -> set[str]:
        """Return the parts of the URL that no reason may show: all that is fixed behind the host, and the user."""
        return url_secrets(" ".join(part for part in self.parts if isinstance(part, str)))


def _in_host(value: str) -> str:
    if not _HOST_VALUE.fullmatch(value):
        raise UnsafeHost(f"{value[:80]!r} is no host name")
    return value


def _in_path(value: str) -> str:
    return quote(value[:URL_VALUE_CHARS], safe="") or "_"


def _without_dots(rest: str) -> str:
    """Make `.` and `..`, however written, into names: no value leaves its folder."""
    path, mark, query = rest.partition("?")
    levels = ["_" * len(unquote(level)) if unquote(level) in (".", "..") else level for level in path.split("/")]
    return "/".join(levels) + mark + query


@with_schema(TEXT)
def target(node: Node) -> UrlTarget:
    """Read `url`, which is secret as a whole: a problem shows nothing of it."""
    whole = secret(node)
    try:
        parts = _cut_authority(fillers(whole.reveal(), SCOPE))
    except CompileError as error:
        why = "" if isinstance(node.value, Secret) else f": {error}"
        raise Bad(node, f"its template cannot be read{why}") from None
    before = next((place for place, part in enumerate(parts) if part == ""), len(parts))
    kept = tuple(part for part in parts if part != "")
    guarded = any(isinstance(part, Filler) for part in kept[:before])
    if guarded:
        _check_authority(node, kept[:before])
    _try(node, kept)
    return UrlTarget(whole, kept, before, guarded)


def _cut_authority(parts: list[str | Filler]) -> list[str | Filler]:
    """Cut the parts where the authority ends; an empty part stands at that place."""
    first = parts[0] if parts else ""
    found = re.match(r"https?://", first) if isinstance(first, str) else None
    if found is None or not isinstance(first, str):
        return list(parts)  # what `_try` refuses
    cut: list[str | Filler] = []
    for place, part in enumerate(parts):
        begin = found.end() if place == 0 else 0
        end = re.search(r"[/?#]", part[begin:]) if isinstance(part, str) else None
        if end is not None and isinstance(part, str):
            at = begin + end.start()
            return [*cut, *([part[:at]] if at else []), "", part[at:], *parts[place + 1 :]]
        cut.append(part)
    return cut


def _try(node: Node, parts: tuple[str | Filler, ...]) -> None:
    try:
        url = URL("".join(part if isinstance(part, str) else "x" for part in parts))
        host = url.raw_host or ""
        # what would fail at each look-up, for the length of a name or of a part of it, fails now
        good = url.scheme in ("http", "https") and bool(host and host.encode("idna")) and url.port != 0
    except ValueError:
        good = False
    if not good:
        raise Bad(node, "is no HTTP URL", "write it as https://host/path")


def _check_authority(node: Node, parts: tuple[str | Filler, ...]) -> None:
    """A value may be the host or a part of it, and nothing else before the path."""
    spelled = "".join(part if isinstance(part, str) else "\0" for part in parts).partition("://")[2]
    user, _, host = spelled.rpartition("@")
    name, _, port = host.partition(":")
    if "\0" in user or "\0" in port or "[" in name:
        raise Bad(node, "before the path of a URL only the host may come from the event")
