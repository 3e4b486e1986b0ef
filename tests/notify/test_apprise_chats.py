"""Apprise's chats at a real listener: the very bytes that arrive mention nobody and hold no link but the hub's own."""

import asyncio
import html
import re
import unicodedata
from urllib.parse import parse_qs

import orjson
import pytest
from aiohttp import web
from apprise.manager_plugins import NotificationManager
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.documents.secret import Secret
from hub.model import Delivered
from hub.notify.receivers.apprise import Apprise, AppriseOptions
from tests.notify.fakes import notification, toolbox
from tests.notify.listener import Listener

ACK = "https://hub.example.org/ack/74697385e7e8aee7.3.1000.Y2hhdA.K7_x-_yAbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
HOOK = "JHMHI8qBe7bk2ZwO5U711o3dV_js"
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/%23general"
TELEGRAM = "tgram://123456789:abcdefg_hijklmnop/12315544/"
# where a service has one host for all the world: the attribute of its plug-in that names it
CHATS = {
    "mattermost": ("mmost://127.0.0.1:{port}/3ccdd113474722377935511fc85d3dd4", None),
    "rocketchat": ("rocket://4vT7mGGn/ab@127.0.0.1:{port}/%23channel", None),
    "matrix": ("matrix://token@127.0.0.1:{port}/?mode=matrix", None),
    "matrix as html": ("matrix://token@127.0.0.1:{port}/?mode=matrix&format=html", None),
    "nextcloud talk": ("nctalk://user:password@127.0.0.1:{port}/room", None),
    "synology": ("synology://127.0.0.1:{port}/token", None),
    "misskey": ("misskey://token@127.0.0.1:{port}", None),
    "ntfy": ("ntfy://127.0.0.1:{port}/topic", None),
    "gotify": ("gotify://127.0.0.1:{port}/token", None),
    "discord": (f"discord://4174216298/{HOOK}", "notify_url"),
    "discord as embed": (f"discord://4174216298/{HOOK}?format=markdown", "notify_url"),
    "guilded": (f"guilded://4174216298/{HOOK}", "notify_url"),
    "slack": (SLACK, "webhook_url"),
    "slack as blocks": (f"{SLACK}?blocks=yes", "webhook_url"),
    "slack as markdown": (f"{SLACK}?format=markdown", "webhook_url"),
    "telegram": (TELEGRAM, "notify_url"),
    "telegram as markdown": (f"{TELEGRAM}?format=markdown&mdv=2", "notify_url"),
    "google chat": ("gchat://workspace/key/token", "notify_url"),
    "webex": (f"wxteams://{'abcd' * 20}", "notify_url"),
}
LIMITS = {
    "discord": 2000,
    "guilded": 2000,
    "rocketchat": 1000,
    "mattermost": 4000,
    "google chat": 4000,
    "misskey": 512,
    "telegram": 4096,
    "ntfy": 4096,
    "webex": 7439,
}
PIECES = [
    *("@everyone", "@here", "@all", "@channel", "@room", "<!channel>", "<!here>", "<@U123>", "<@&77>", "<users/all>"),
    *("<at id=all></at>", "&#64;room", "[tap](http://evil.example/x)", "<http://evil.example|tap>", "@**all**"),
    *("<a href='http://evil.example'>tap</a>", "<b>bold</b>", "[ref][1]", "```", "*star*", "||hidden", "\\"),
    *(
        "@",
        "<",
        "!",
        "[",
        "]",
        "(",
        "everyone",
        "room",
        "http://",
        " ",
        "\u200b",
        "\u200d",
        "\u2060",
        "\ufeff",
        "\u00ad",
    ),
]
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
LIVE = re.compile(
    r"@(?:everyone|here|all|channel|room|user|\*\*|&|U123)|<[!@#]|<users/|<at\b|&#64;|\][(\[]|://|<a\b|<b>bold|```|\|\|",
    re.IGNORECASE,
)


def accepted():
    return web.Response(text="ok")  # what Slack demands; who wants JSON is content with it


def texts(value):
    """Yield all texts of a body."""
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(each)


def arrived(content):
    """Return what people are shown: texts of JSON, or of a form."""
    if not content.startswith(b"{"):
        fields = parse_qs(content.decode())
        content = fields["payload"][0].encode() if "payload" in fields else orjson.dumps(fields)
    return [text for text in texts(orjson.loads(content)) if not text.startswith("https://github.com/caronc/")]


def foreign(text):
    """Return a text without the hub's own link and its notation, and without what has no width."""
    for own in (ACK, '<a href="">', "</a>", "[Acknowledge]()", "<|Acknowledge>"):
        text = text.replace(own, "")
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


async def tell(chat, told):
    """Send each text as all that a device can say; yield what the chat got of it."""
    url, override = CHATS[chat]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("apprise.plugins.base.NotifyBase.throttle", lambda *_, **__: None)  # up to 5 s between two
        async with Listener().listening() as listener:
            if override:
                plugin = NotificationManager()[url.partition("://")[0]]
                patch.setattr(plugin, override, f"http://127.0.0.1:{listener.port}/")
            receiver = Apprise(AppriseOptions(Secret(url.format(port=listener.port))), toolbox())
            for number, text in enumerate(told):
                listener.answers = [accepted()]
                more = {"summary": text, "details": f"{text}\n{text}", "labels": {"device": text}, "ack_url": ACK}
                assert await receiver.send(notification(number, **more)) == Delivered()
                assert len(listener.requests) == number + 1
                yield text, arrived(listener.requests[-1][3])


@pytest.mark.parametrize("chat", CHATS)
@settings(max_examples=3, deadline=None)
@given(told=st.lists(HOSTILE, min_size=5, max_size=5))
@example(told=[" ".join(PIECES), "".join(PIECES)])
def test_of_hostile_texts_nothing_is_alive_but_the_hub_s_own_link(chat, told):
    async def look():
        async for text, shown in tell(chat, told):
            found = [LIVE.search(foreign(each)) for each in shown]
            assert not any(found), (text, shown, found)
            assert any(ACK in each for each in shown), shown

    asyncio.run(look())


@pytest.mark.parametrize("chat", CHATS)
async def test_what_a_device_says_stays_to_be_read(chat):
    async for _, shown in tell(chat, ["hi everyone, see evil.example & look: 2 < 3"]):
        readable = " ".join(shown).replace("\\", "").replace("&lt;", "<").replace("&amp;", "&").replace("&nbsp;", " ")
        assert "hi everyone, see evil.example & look: 2 < 3" in readable


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("said", ["Door open? ", "<@U1> & *so* "])
async def test_a_long_text_is_one_message_within_the_limit_with_the_link(chat, said):
    limit = LIMITS.get(chat.partition(" as ")[0], 35000) if chat != "slack as blocks" else 3000
    async for _, told in tell(chat, [said * 1000]):
        # Telegram's limit is for what is left when escapes are taken out
        shown = [re.sub(r"\\(.)", r"\1", each) for each in told] if chat == "telegram as markdown" else told
        assert max(len(each) for each in shown) <= limit
        assert sum(ACK in each for each in shown) == 1
        if 512 < limit < 4096:  # 4096 is what texts are cut to anyway; below there is room for "…"
            assert any("characters cut)" in html.unescape(each).replace("\\", "") for each in shown)
