"""The page that an acknowledge link opens: the alert and one button. Only the button changes something.

Mail filters, chat servers and browsers open links by themselves, with GET or HEAD: that acknowledges nothing. The page
needs no login, script or cookie: whoever has the link may acknowledge this one episode until the link expires.
"""

from collections.abc import Callable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from hub.alerts.alert import Alert
from hub.clock import PEOPLE, rfc3339
from hub.commands.seams import Desk
from hub.commands.tokens.token import Claim
from hub.errors import Code, HubError, RequestError
from hub.model import Phase
from hub.operate.api.answers import refused, retry_after
from hub.operate.web.assets import HEADERS
from hub.printable import visible

__all__ = ["routes"]

_PRIVATE = HEADERS | {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
<link rel="icon" href="../assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="../assets/style.css">
</head>
<body class="single">
<main id="main">
{content}
</main>
</body>
</html>
"""


def routes(desk: Callable[[], Desk]) -> list[Route]:
    """Return the routes of acknowledge links; they need no login. `desk` is called for each request."""

    async def look(request: Request) -> Response:
        try:
            claim, alert = await desk().claimed(request.path_params["token"])
        except HubError as error:
            return _no(error)
        over = alert is None or alert.state is not Phase.FIRING
        return _page("It is over" if over else "Acknowledge", _shown(claim, alert))

    async def press(request: Request) -> Response:
        token = request.path_params["token"]
        try:
            _, alert = await desk().claimed(token)
            if alert is not None and alert.ack is None:  # the first who acknowledges stays the one who cares
                answer = await desk().answer("ack", {"token": token}, "link")
                if answer.get("code") == Code.UNAVAILABLE:  # after any other refusal the page says that it is over
                    return _no(RequestError.of(answer))
        except HubError as error:
            return _no(error)
        return RedirectResponse(token, 303, headers=_PRIVATE)  # relative: a proxy may serve the hub below a path

    return [Route("/ack/{token}", look, methods=["GET"]), Route("/ack/{token}", press, methods=["POST"])]


def _no(error: HubError) -> Response:
    """Say why a link does nothing. One that this hub did not make is 404, whatever is wrong with its letters."""
    no = refused(error)
    if error.code is Code.UNAVAILABLE:  # the link itself is good: the user may try it again
        page = _page("Not now", f"<h1>Not now</h1>\n<p>{_text(str(error))}.</p>", no.status)
        page.headers.update(retry_after(no))
        return page
    words = f"<h1>This link does not work</h1>\n<p>{_text(str(error))}.</p>"
    return _page("This link does not work", words, 404 if error.code is Code.INVALID else no.status)


def _shown(claim: Claim, alert: Alert | None) -> str:
    """Write the alert, and the button while nobody has acknowledged it."""
    if alert is None or alert.state is not Phase.FIRING:
        name = alert.summary or alert.alertname if alert else "The alert"
        return f"<h1>It is over</h1>\n<p>{_text(name)}: nothing is left to acknowledge.</p>"
    labels = "".join(
        f'<li><span class="name">{_text(name)}</span> <span class="value">{_text(value)}</span></li>'
        for name, value in alert.labels.items()
        if name not in ("alertname", "severity")
    )
    since = rfc3339(alert.since)
    head = (
        f'<article class="alert" data-severity="{_text(alert.severity)}" data-state="firing">\n'
        f'<p class="when"><span class="pill">{_text(alert.severity)}</span> firing since'
        f' <time datetime="{since}">{PEOPLE.told(alert.since)}</time></p>\n'
        f"<h1>{_text(alert.summary or alert.alertname)}</h1>\n"
        f'<p class="rule">{_text(alert.alertname)}</p>\n'
        f'<ul class="labels" aria-label="Labels">{labels}</ul>\n'
    )
    if alert.ack is not None:
        said = f": {_text(alert.ack.comment)}" if alert.ack.comment else ""
        return f'{head}<p class="note" role="status">Acknowledged by {_text(alert.ack.by)}{said}.</p>\n</article>'
    button = f'<button type="submit">Acknowledge as {_text(claim.by)}</button>'
    return f'{head}<form method="post"><p class="actions">{button}</p></form>\n</article>'


def _text(text: str) -> str:
    """Write a text as HTML. It may come from a device, so control characters are made visible."""
    return escape(visible(text))


def _page(title: str, content: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=title, content=content), status, headers=_PRIVATE)
