"""/healthz: the process answers. /readyz: it hears its broker and can write its disk; false while deaf. For anybody."""

import contextlib

from starlette.requests import Request
from starlette.responses import Response

from hub.operate.api.actor import VIEWER, Actor, Refused
from hub.operate.api.answers import answer, refusal
from hub.operate.api.described import Described, ok
from hub.operate.api.site import Endpoint, Site

__all__ = ["ENDPOINTS"]


async def _alive(site: Site, request: Request, actor: Actor) -> Response:
    """Say that it runs."""
    del site, request, actor
    return answer({"ok": True})


async def _ready(site: Site, request: Request, actor: Actor) -> Response:
    """Say whether it hears, 503 where it does not; why is for those with a token: it may name hosts."""
    del actor
    why = site.deaf()
    if not why:
        return answer({"ok": True})
    with contextlib.suppress(Refused):
        site.guard.admit(request, VIEWER)
        return refusal(Refused(503, why, 1.0))
    return refusal(Refused(503, "deaf", 1.0))


ENDPOINTS = (
    Endpoint("GET", "/healthz", "", _alive, "Whether the process answers", Described(ok())),
    Endpoint("GET", "/readyz", "", _ready, "Whether the hub hears", Described(ok(), refusals=(503,))),
)
