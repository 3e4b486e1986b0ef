"""Reasons that are safe to show: without secrets, without control characters, short. Every receiver uses it.

A server may echo what it was sent, and a library may put a whole URL into its error. So whatever is known to be secret
is taken out of the text, whole and in its parts.
"""

import base64
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from hub.limits import REASON_CHARS
from hub.printable import one_line

__all__ = ["Redactor", "url_secrets"]

_PIECES = re.compile(r"[^\w%.~+-]+")
_WORDS = frozenset(
    re.findall(
        r"\w+",
        "access_token alert alerts api api_key apikey auth bot channel channels chat client event events hook hooks id"
        " in incoming index invoke key legacy message messages name notification notifications notify push post publish"
        " query rest room rooms send service services team text title to token topic trigger url user users v0 v1 v2 v3"
        " v4 v5 webhook webhooks workflows xml json",
    )
)
"""Words that every API has in its URLs: they are no secrets, and without them a service's answer could not be read."""


def url_secrets(url: str, *, host: bool = False) -> set[str]:
    """Return all parts of a URL that may be secret: user info, path, query, fragment, and each piece of them.

    With `host` the host is one too: many Apprise URLs have their token there.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return {url}
    user, _, _ = parts.netloc.rpartition("@")
    secrets = {url, user, parts.netloc if host else ""}
    for text in (parts.netloc if host else user, parts.path, parts.query, parts.fragment):
        secrets |= {text, *_PIECES.split(text)}
    secrets |= {unquote(text) for text in secrets}
    known = {text for text in (user, *user.split(":")) if text}  # who logs in as `api` has a secret all the same
    basic = base64.b64encode(unquote(user).encode()).decode()  # as it goes over the wire, and may be echoed
    return {text.strip("/") for text in secrets | {basic}} - (_WORDS - known)


class Redactor:
    """Takes known secrets out of texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the secrets; one of up to three characters is taken out only where it is a word of its own."""
        known = sorted({text for text in secrets if text}, key=len, reverse=True)
        patterns = [re.escape(text) if len(text) > 3 else rf"(?<!\w){re.escape(text)}(?!\w)" for text in known]
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    def __call__(self, text: str, limit: int = REASON_CHARS) -> str:
        """Return the text as one safe line."""
        # the text is shortened after the secrets are gone: half of a secret would not be found any more
        text = text[: limit * 16]
        return one_line(self._pattern.sub("***", text) if self._pattern else text, limit)
