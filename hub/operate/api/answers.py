"""Answers as JSON. A refusal is `{"ok": false, "error": "…", "code": "…"}` with the status of its code."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from hub.errors import HubError
from hub.operate.api.front.actor import Refused
from hub.operate.api.statuses import code_of, status_of

__all__ = ["answer", "asked_number", "refusal", "refused", "retry_after"]

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a value as JSON, which nobody keeps: state is old a second later."""
    return Response(orjson.dumps(body), status, {**_HEADERS, **(headers or {})}, media_type="application/json")


def refusal(no: Refused) -> Response:
    """Return the answer to a request that is not carried out."""
    headers = retry_after(no)
    if no.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="hub"'
    return answer({"ok": False, "error": no.message, "code": code_of(no.status)}, no.status, headers)


def retry_after(no: Refused) -> dict[str, str]:
    """Return the header Retry-After, in whole seconds; no header where asking again would change nothing."""
    return {"Retry-After": str(int(no.after) + 1)} if no.after else {}


def refused(error: HubError) -> Refused:
    """Return the refusal for an error. Where the hub is only unavailable, it says to ask again in a second."""
    status = status_of(error)
    return Refused(status, str(error), 1.0 if status == 503 else 0.0)


def asked_number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Read the parameter `name` of a query, a whole number from 0 to `most`; `default` where it is absent.

    Raises:
        Refused: it is no such number.

    """
    if (text := query.get(name)) is None:
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > 18 or int(text) > most:
        raise Refused(400, f"{name!r} must be a whole number from 0 to {most}")
    return int(text)
