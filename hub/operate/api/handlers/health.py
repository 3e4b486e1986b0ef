"""/healthz: the process answers. /readyz: the hub hears its broker and can write its disk. Everybody may ask."""

import contextlib

from starlette.responses import Response

from hub.contracts.json_schema import ok
from hub.operate.api.answers import answer, refusal
from hub.operate.api.front.actor import VIEWER, Refused
from hub.operate.api.site import Asked, Endpoint
from hub.operate.specs.described import Described

__all__ = ["ENDPOINTS", "readiness"]


async def _alive(_asked: Asked) -> Response:
    """Say that the process runs."""
    return answer({"ok": True})


async def _ready(asked: Asked) -> Response:
    """Say whether the hub is ready."""
    return readiness(asked, asked.site.deaf(), "deaf")


def readiness(asked: Asked, why: str, otherwise: str) -> Response:
    """Answer that all is well, or 503 with `why` not. Only clients with a token learn that: it may name hosts."""
    if not why:
        return answer({"ok": True})
    with contextlib.suppress(Refused):
        asked.site.guard.admit(asked.request, VIEWER)
        return refusal(Refused(503, why, 1.0))
    return refusal(Refused(503, otherwise, 1.0))


ENDPOINTS = (
    Endpoint("GET", "/healthz", "", _alive, "Whether the process answers", Described(ok())),
    Endpoint(
        "GET",
        "/readyz",
        "",
        _ready,
        "Whether the hub hears its broker and can write its disk",
        Described(ok(), refusals=(503,)),
    ),
)
