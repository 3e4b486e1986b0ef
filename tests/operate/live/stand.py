"""A stand-in for a hub: it answers what it is told to, and says into the feed what it is told to say."""

import asyncio
from contextlib import asynccontextmanager

from aiohttp import WSCloseCode, web

from hub.operate.live.feed_link import linked
from hub.operate.live.screen import LiveView

NOON = "2026-03-01T12:00:00.000Z"
PATIENCE = 20


def alert(name="TooWarm", state="firing", mark="00000000000000a1", **more):
    return {
        "id": f"{mark}-1-{state}",
        "fingerprint": mark,
        "alertname": name,
        "state": state,
        "severity": "warning",
        "labels": {"alertname": name, "severity": "warning", "site": "berlin", "freezer": "7"},
        "summary": "7 at berlin is -9.0 °C",
        "details": "",
        "since": "2026-03-01T11:54:30.000Z",
        "until": None,
        "episode": 1,
        "acknowledged": None,
        "held": None,
        "shadow": False,
        **more,
    }


def figures(egr=54.0, nsr=3.0, epl=0.00025, npl=0.012, **alerts):
    return {
        "egr": egr,
        "nsr": nsr,
        "epl": {"p50": epl, "p99": 4 * epl},
        "npl": {"p50": npl, "p99": 2 * npl},
        "events": 1000,
        "notifications": 10,
        "outbox": {"queued": 1, "dead": 2, "oldest_seconds": 0.0},
        "alerts": {"firing": 1, "pending": 0, "acknowledged": 0, "held": 0, **alerts},
    }


class Stand:
    """`answers` are the bodies of reads by path; `asked` what was posted; `queries` what was read with a query."""

    def __init__(self):
        self.url, self.token = "", ""
        self.answers = {
            "status": {"ok": True, "client_id": "hub", "version": "0.1.0", "session": "connected", "login": False},
            "alerts": {"ok": True, "alerts": []},
            "rules": {"ok": True, "rules": []},
            "devices": {"ok": True, "devices": [], "heard": 0},
            "receivers": {"ok": True, "receivers": []},
        }
        self.asked, self.queries, self.sinces = [], [], []
        self.refuse, self.warnings = "", []
        self.shut = False
        self.number = 0
        self.sockets = set()

    async def say(self, kind, data, time=NOON):
        """Say it to all who hear; return its id."""
        self.number += 1
        message = {"id": f"1-{self.number}", "type": kind, "time": time, "data": data}
        for socket in set(self.sockets):
            await socket.send_json(message)
        return message["id"]

    async def cut(self):
        """End all feeds."""
        for socket in set(self.sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    def _admit(self, request):
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            raise web.HTTPUnauthorized(text='{"ok": false, "error": "a token is needed"}')

    async def read(self, request):
        self._admit(request)
        name = request.match_info["name"]
        if request.query:
            self.queries.append((name, dict(request.query)))
        return web.json_response(self.answers[name])

    async def post(self, request):
        self._admit(request)
        self.asked.append((request.match_info["name"], await request.json()))
        if self.refuse:
            return web.json_response({"ok": False, "error": self.refuse}, status=400)
        silence = {"id": "5", "endsAt": "2026-03-01T13:00:00.000Z"}
        made = {"alerts": [], "outbox": [{}, {}], "silence": silence, "silenced": 1, "warnings": self.warnings}
        return web.json_response({"ok": True, **made})

    async def feed(self, request):
        self._admit(request)
        if self.shut:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        since = request.query.get("since", "")
        self.sinces.append(since)
        await socket.send_json({"id": f"1-{self.number}", "type": "hello", "time": NOON, "data": {}})
        if since.startswith("0-"):
            await socket.send_json({"id": f"1-{self.number}", "type": "gap", "time": NOON, "data": {}})
        self.sockets.add(socket)
        async for _ in socket:
            pass
        self.sockets.discard(socket)
        return socket


@asynccontextmanager
async def standing(port=0, stand=None):
    """Run a stand-in on a free port."""
    stand = stand or Stand()
    app = web.Application()
    app.router.add_get("/ws", stand.feed)
    app.router.add_get("/api/hub/{name}", stand.read)
    app.router.add_post("/api/hub/{name}", stand.post)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    stand.url = "http://127.0.0.1:{1}".format(*runner.addresses[0])
    try:
        yield stand
    finally:
        await stand.cut()
        await runner.cleanup()


async def until(pilot, true, what=""):
    """Let the view go on until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not true():
            await pilot.pause(0.02)
    assert true(), what


def screen(view):
    """Return what stands on the terminal, as lines without their last blanks."""
    strips = view.screen._compositor.render_strips(view.size)
    return [strip.text.rstrip() for strip in strips]


@asynccontextmanager
async def viewing(stand, size=(80, 24), notes=""):
    """Show a stand-in; yields the view and its pilot when the feed is heard."""
    async with linked(stand.url, None) as link:
        view = LiveView(link, "ada", notes)
        view.head._url = "http://127.0.0.1:8080"
        async with view.run_test(size=size) as pilot:
            await until(pilot, lambda: stand.sockets and not view.model.away)
            yield view, pilot
