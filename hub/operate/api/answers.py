"""Answers as JSON; what is wrong is `{"ok": false, "error": "…"}` with its status."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from hub.operate.api.actor import Refused

__all__ = ["answer", "asked_number", "refusal"]

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a value as JSON."""
    return Response(orjson.dumps(body), status, {**_HEADERS, **(headers or {})}, media_type="application/json")


def refusal(refused: Refused) -> Response:
    """Return why a request is not carried out."""
    headers = {"Retry-After": str(int(refused.after) + 1)} if refused.after else {}
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="hub"'
    return answer({"ok": False, "error": refused.message}, refused.status, headers)


def asked_number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Read a whole number from 0 to `most` of a query.

    Raises:
        Refused: it is none.

    """
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > 18 or int(text) > most:
        raise Refused(400, f"{name!r} must be a whole number from 0 to {most}")
    return int(text)
