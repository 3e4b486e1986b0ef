"""Each role at each endpoint of a running hub, and at each kind of message of the feed: what it may, and no more.

The table stands here once more on purpose: a role that is changed by mistake where an endpoint is declared fails.
"""

import inspect

import aiohttp
import orjson
import pytest
import pytest_asyncio

from hub.clock import ManualClock
from hub.model import Delivered
from hub.observer import Observer
from hub.operate.api.feed.feed import Feed, for_role
from hub.operate.api.front.actor import ADMIN, OPERATOR, ROLES, VIEWER
from hub.operate.api.front.server import ENDPOINTS
from hub.operate.mosquitto import Mosquitto
from tests.notify.fakes import notification
from tests.notify.test_webpush import Browser
from tests.operate.api.test_alertmanager import running
from tests.rules.making import event
from tests.support.hub import Hub

TOKENS = {role: f"the-secret-token-of-{role}" for role in ROLES}
_LISTED = ", ".join(f"{{name: {role}, role: {role}, token: {token}}}" for role, token in TOKENS.items())
HTTP = f"{{listen: '127.0.0.1:0', tokens: [{_LISTED}]}}"
NOBODY = ""
MAY = {
    NOBODY: "GET /healthz|GET /readyz|POST /login|POST /logout",
    VIEWER: "GET /api/hub/status|GET /api/hub/alerts|GET /api/hub/silences|GET /api/hub/outbox|GET /api/hub/push"
    "|GET /api/hub/receivers|GET /api/hub/why?alert=Hot|GET /api/hub/why-not?rule=Hot|GET /api/hub/history"
    "|GET /api/hub/rules|GET /api/hub/rules/Hot|GET /api/hub/devices|GET /api/hub/events|GET /api/hub/values?rule=Hot"
    "|GET /api/hub/openapi.json|GET /metrics|GET /sse|GET /api/v2/status|GET /api/v2/receivers|GET /api/v2/alerts"
    "|GET /api/v2/alerts/groups|GET /api/v2/silences|GET /api/v2/silence/x"
    "|POST /api/hub/settings|POST /api/hub/push-subscribe|POST /api/hub/push-unsubscribe",
    OPERATOR: "POST /api/hub/ack|POST /api/hub/unack|POST /api/hub/silence|POST /api/hub/unsilence|POST /api/hub/token"
    "|POST /api/hub/set"
    "|POST /api/hub/outbox-retry|POST /events|POST /events/a|POST /api/v2/alerts|POST /api/v2/silences"
    "|DELETE /api/v2/silence/x",
    ADMIN: "GET /api/hub/audit|POST /api/hub/outbox-drop|POST /api/hub/drill|POST /api/hub/drill-receipts"
    "|POST /api/hub/reload",
}
TABLE = [(needed, *each.split(" ")) for needed, all_ in MAY.items() for each in all_.split("|")]
SOCKET = {"Upgrade": "websocket", "Connection": "Upgrade"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("roles")
    async with Mosquitto(folder / "broker") as broker, running(folder, broker, HTTP) as desk:
        yield desk


def test_each_endpoint_stands_in_the_table():
    spelled = {("GET", "/api/hub/rules/{name}"): "Hot", ("GET", "/api/v2/silence/{id}"): "x"}
    spelled |= {("DELETE", "/api/v2/silence/{id}"): "x", ("POST", "/events/{topic:path}"): "a"}
    known = set()
    for each in ENDPOINTS:
        begin, brace, _ = each.path.partition("{")
        known.add((each.method, begin + spelled[each.method, each.path] if brace else begin))
    assert known == {(method, path.partition("?")[0]) for _, method, path in TABLE}


@pytest.mark.parametrize("role", [NOBODY, *ROLES])
@pytest.mark.parametrize(("needed", "method", "path"), [*TABLE, (VIEWER, "GET", "/ws")])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_role_is_let_in_where_it_may_and_nowhere_else(hub, role, needed, method, path):
    headers = {"Authorization": f"Bearer {TOKENS[role]}"} if role else {}
    async with aiohttp.ClientSession(headers=headers) as session:
        if path == "/ws":
            try:
                async with session.ws_connect(hub.url + path):
                    status = 101
            except aiohttp.WSServerHandshakeError as error:
                status = error.status
        else:
            async with session.request(method, hub.url + path, data=None if method == "GET" else b"[") as answer:
                status = answer.status
    ranks = [NOBODY, *ROLES]
    if ranks.index(role) >= ranks.index(needed):
        assert status not in (401, 403, 500)
    else:
        assert status == (403 if role else 401)


async def test_a_viewer_cannot_subscribe_to_push_in_the_name_of_somebody_who_may_acknowledge(tmp_path, broker):
    rules = "receivers: {browsers: {webpush: {}}}\nrules: [{event: E, topic: t, notify: [browsers]}]\n"
    asked = Browser("https://push.example.org/x").says | {"by": "operator"}
    async with Hub(tmp_path, broker, rules, http=HTTP) as hub:
        url = f"{await hub.url()}/api/hub/push-subscribe"
        headers = {"Authorization": f"Bearer {TOKENS[VIEWER]}"}
        async with aiohttp.ClientSession() as session, session.post(url, json=asked, headers=headers) as answer:
            assert answer.status == 200
        ((_, kept),) = hub.rows("SELECT * FROM subscribers")
    assert orjson.loads(kept)[2] == VIEWER


SAID = {
    "events": ([event("t", 1)], 1001.0),
    "decode_error": ("t", b"x", "no JSON"),
    "rule_error": ("Hot", "t", "no field"),
    "alert": ({"id": "ab-1-firing"},),
    "delivery": (notification(), Delivered(), 1, 1001.0),
    "dead": (notification(), "refused"),
    "superseded": (notification(), "newer"),
    "fallback": (notification(), "sms", "refused"),
    "dropped": (notification(), "olga"),
    "receiver": ("ops", "open", "refused"),
    "session": ("connected", ""),
    "cluster": ("owner", "node a owns main"),
    "clock_set": (5.0,),
    "command": ("olga", "http", "ack", {"id": "ab"}),
    "trouble": ("rules", "hub.yaml:3:1: this cannot be read\n  password: secret"),
    "reloaded": ("3 rules",),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", SAID)
async def test_who_is_no_administrator_hears_no_command_and_no_line_of_a_file(role, kind):
    feed = Feed(ManualClock(1000.0))
    getattr(feed, kind)(*SAID[kind])
    (said,) = feed.since(0, 10)
    heard = for_role(said, role)
    assert (heard is None) is (kind == "command" and role != ADMIN)
    if heard is not None:
        assert (b"secret" in heard.text) is (kind == "trouble" and role == ADMIN)
        assert orjson.loads(heard.text)["type"] == said.type


def test_all_that_the_feed_passes_on_was_looked_at():
    told = {name for name, _ in inspect.getmembers(Observer, inspect.isfunction) if name in vars(Feed)}
    assert told == set(SAID)
