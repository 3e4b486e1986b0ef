"""The requests that change something: the desk's commands, reload, login and logout.

POST /api/hub/NAME takes and answers the same JSON as the MQTT topic `hub/command/NAME`.
"""

from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub.commands.contract import COMMANDS
from hub.commands.request import read_request
from hub.contracts.json_schema import TEXT, made_of, ok, one_of
from hub.errors import RequestError
from hub.limits import LOGIN_SECONDS, REQUEST_BYTES
from hub.operate.api.answers import answer, refused
from hub.operate.api.front.actor import ADMIN, OPERATOR, VIEWER, Refused
from hub.operate.api.front.login import COOKIE, Login
from hub.operate.api.site import Asked, Endpoint, Handler, Site
from hub.operate.specs.described import JSON, Described

__all__ = ["ENDPOINTS", "json_of"]


async def json_of(site: Site, request: Request, most: int = REQUEST_BYTES) -> dict[str, object]:
    """Read the body as a JSON object; an empty body is {}.

    Raises:
        Refused: it is no JSON object, is nested too deep, or is larger than `most` bytes.

    """
    try:
        return read_request(await site.bodies.read(request, most))
    except RequestError as error:
        raise refused(error) from None


def _command(name: str) -> Handler:
    async def handle(asked: Asked) -> Response:
        """Carry out a command of the desk in the name of the client, unless the request says who it is for."""
        request = {"by": asked.actor.name, **await json_of(asked.site, asked.request)}
        return answer(await asked.carry_out(name, request))

    return handle


async def _reload(asked: Asked) -> Response:
    """Read rules and fleets again, as SIGHUP does. The answer does not wait for that: the feed says what came of it."""
    asked.site.desk.note(asked.actor.name, "http", "reload", {})
    asked.site.reload()
    return answer({"ok": True}, 202)


async def _login(asked: Asked) -> Response:
    """Log a browser in: it sends a token, as JSON or from a form, and gets a cookie."""
    site, request = asked.site, asked.request
    site.guard.same_site(request)
    body = await site.bodies.read(request, REQUEST_BYTES)
    form = not body.lstrip().startswith(b"{")
    try:
        token = dict(parse_qsl(body.decode())).get("token") if form else orjson.loads(body).get("token")
    except (ValueError, AttributeError):
        token = None
    if not isinstance(token, str):
        raise Refused(400, "'token' is missing")
    known = site.guard.try_token(request, token.strip())
    response = answer({"ok": True, "name": known.name, "role": known.role})
    expires = int(site.clock.now() + LOGIN_SECONDS)
    _put_cookie(site, request, response, site.logins.sign(known, expires), int(LOGIN_SECONDS))
    return response


async def _logout(asked: Asked) -> Response:
    """Log a browser out: its cookie, and every copy of it, is worthless from now on, and the login's feeds end."""
    site, request = asked.site, asked.request
    site.guard.same_site(request)
    login = site.guard.login(request)
    if login is not None:
        await _end(site, login)
    response = answer({"ok": True})
    _put_cookie(site, request, response, "", 0)
    return response


async def _end(site: Site, login: Login) -> None:
    """End a login. That is on disk before the request is answered, so that a restart does not bring the login back."""
    ended = site.logins.end(login, site.clock.now())
    site.audience.end("" if ended.all else login.mark)
    await site.desk.keep(ended.rows)


def _put_cookie(site: Site, request: Request, response: Response, value: str, seconds: int) -> None:
    """Set the login's cookie; `seconds` 0 removes it. A cookie set over TLS is never sent without TLS."""
    secure = site.settings.http.url.startswith("https:") or site.guard.origin.is_https(request)
    response.set_cookie(COOKIE, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="strict")


_FORM = "application/x-www-form-urlencoded"
_LOGIN = Described(
    ok(name=TEXT, role=one_of(VIEWER, OPERATOR, ADMIN)),
    bodies={JSON: made_of(token=TEXT), _FORM: made_of(token=TEXT)},
    refusals=(401, 403, 429),
)

_ROLES = {
    "ack": OPERATOR,
    "unack": OPERATOR,
    "silence": OPERATOR,
    "unsilence": OPERATOR,
    "set": OPERATOR,
    "settings": VIEWER,
    "token": OPERATOR,
    "outbox-retry": OPERATOR,
    "outbox-drop": ADMIN,
    "drill": ADMIN,
    "drill-receipts": ADMIN,
    "push-subscribe": VIEWER,
    "push-unsubscribe": VIEWER,
}
"""The commands that can be posted, and the role that each needs."""


def _posted(name: str, role: str) -> Endpoint:
    contract = COMMANDS[name]
    described = Described(contract.answer, bodies={JSON: contract.request}, bodiless=True, refusals=(404, 409, 410))
    return Endpoint("POST", f"/api/hub/{name}", role, _command(name), contract.summary, described)


ENDPOINTS = (
    *(_posted(name, role) for name, role in _ROLES.items()),
    Endpoint("POST", "/api/hub/reload", ADMIN, _reload, "Read rules and fleets again", Described(ok(), status=202)),
    Endpoint("POST", "/login", "", _login, "Log a browser in with a token", _LOGIN),
    Endpoint("POST", "/logout", "", _logout, "Log a browser out", Described(ok(), refusals=(403,))),
)
