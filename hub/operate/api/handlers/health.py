"""/healthz: the process answers. /readyz: it hears its broker and can write its disk; false while deaf. For anybody."""

import contextlib

from starlette.responses import Response

from hub.contracts.json_schema import ok
from hub.operate.api.answers import answer, refusal
from hub.operate.api.front.actor import VIEWER, Refused
from hub.operate.api.site import Asked, Endpoint
from hub.operate.specs.described import Described

__all__ = ["ENDPOINTS"]


async def _alive(_asked: Asked) -> Response:
    """Say that it runs."""
    return answer({"ok": True})


async def _ready(asked: Asked) -> Response:
    """Say whether it hears, 503 where it does not; why is for those with a token: it may name hosts."""
    why = asked.site.deaf()
    if not why:
        return answer({"ok": True})
    with contextlib.suppress(Refused):
        asked.site.guard.admit(asked.request, VIEWER)
        return refusal(Refused(503, why, 1.0))
    return refusal(Refused(503, "deaf", 1.0))


ENDPOINTS = (
    Endpoint("GET", "/healthz", "", _alive, "Whether the process answers", Described(ok())),
    Endpoint("GET", "/readyz", "", _ready, "Whether the hub hears", Described(ok(), refusals=(503,))),
)
