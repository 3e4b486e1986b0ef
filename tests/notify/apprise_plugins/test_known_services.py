"""apprise_services: what the hub knows of Apprise's services is true of the Apprise that is installed."""

import re
from pathlib import Path

import orjson
import pytest
from apprise import Apprise as Library
from apprise.manager_plugins import NotificationManager
from apprise.plugins import url_to_dict

from hub.documents.secret import Secret
from hub.limits import SMS_CHARS
from hub.model import Delivered
from hub.notify.apprise_plugins import known_services as services
from hub.notify.apprise_plugins.known_services import loudness, message_of
from hub.notify.receivers.apprise import Apprise, AppriseOptions
from hub.notify.wording.level import LEVELS
from tests.notify.fakes import notification, toolbox
from tests.notify.listener import Listener

MANAGER = NotificationManager()
PLUGINS = {MANAGER[schema].__name__: MANAGER[schema] for schema in MANAGER.schemas()}
ACK = "https://hub.example.org/ack/74697385e7e8aee7.3.1000.Y2hhdA.K7_x-_yAbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
KEY = "a" * 30
# a URL of each service that is told by an argument how grave a notification is
URLS = {
    "NotifyNtfy": "ntfy://localhost/topic",
    "NotifyGotify": "gotify://localhost/token",
    "NotifyPushover": f"pover://{KEY}@{KEY}",
    "NotifyProwl": f"prowl://{'a' * 40}",
    "NotifyJoin": f"join://{'a' * 32}/device",
    "NotifyPushSafer": f"psafer://{'a' * 20}",
    "NotifyGrowl": "growl://localhost",
    "NotifyLauther": "lauther://lpt_abcdef",
    "NotifyFCM": "fcm://apikey/device",
    "NotifyGorush": "gorush://localhost/token",
    "NotifyExotel": "exotel://sid:token@15551231234/15551231235",
    "NotifySMSEagle": "smseagle://token@localhost/15551231234",
    "NotifyDapnet": "dapnet://user:pass@DF1ABC",
    "NotifyBark": "bark://localhost/key",
    "NotifyPinglet": "pinglet://token@localhost/space/topic",
    "NotifyTrigv": f"trigv://trgv_{'a' * 8}_{'a' * 32}",
    "NotifySimplePush": "spush://abcdef",
    "NotifyOpsgenie": "opsgenie://apikey",
    "NotifyJira": "jira://apikey",
    "NotifySquadcast": "squadcast://token",
    "NotifyILert": f"ilert://{KEY}",
    "NotifyFireHydrant": "firehydrant://token",
    "NotifyPagerTree": "pagertree://int_abcdefgh",
    "NotifyDBus": "dbus://",
    "NotifyGLib": "glib://",
    "NotifyGnome": "gnome://",
}
DESKTOP = {"NotifyDBus", "NotifyGLib", "NotifyGnome", "NotifyGrowl"}  # their libraries are not here


def plugin(url, level="critical"):
    given = url_to_dict(url)
    return Library.instantiate({**given, **loudness(MANAGER[given["schema"]], given, level)})


@pytest.fixture
async def listener():
    async with Listener().listening() as running:
        running.answers = [200] * 20  # 204 is no answer that ntfy or Gotify give
        yield running


def made(url):
    return Apprise(AppriseOptions(Secret(url)), toolbox())


def test_each_service_that_is_named_is_one_of_apprise_s():
    named = [
        *services._DATA,
        *services._MAIL,
        *services._SMS,
        *services._MARKED,
        *services._MEASURED,
        *services._LOUDNESS,
    ]
    assert not set(named) - set(PLUGINS)


def test_who_takes_the_length_of_an_sms_is_known_as_sms_or_pager_or_shown_elsewhere():
    short = {name for name, each in PLUGINS.items() if each.body_maxlen in (140, 160)}
    assert short - services._SMS == {"NotifyPushed"}


@pytest.mark.parametrize("name", sorted(services._LOUDNESS))
def test_an_argument_for_how_grave_it_is_exists_and_takes_each_level(name):
    argument, values = services._LOUDNESS[name]
    assert set(values) == set(LEVELS)
    known = PLUGINS[name].template_args[argument]
    allowed = [str(value) for value in known.get("values", ())]
    assert values["critical"] != values["resolved"]
    if name in DESKTOP:
        assert argument == "urgency" or allowed
        return
    made_of = [plugin(URLS[name], level) for level in LEVELS]
    assert all(made_of), "Apprise does not take it"
    told = [str(getattr(each, argument)) for each in made_of]
    assert told[0] != told[3]
    if allowed:
        assert set(told) <= set(allowed), (told, allowed)


@pytest.mark.parametrize("name", sorted(set(services._LOUDNESS) - DESKTOP))
def test_the_users_own_argument_wins(name):
    argument, values = services._LOUDNESS[name]
    own = str(values["resolved"])
    url = URLS[name]
    each = plugin(f"{url}{'&' if '?' in url else '/?' if url.count('/') < 3 else '?'}{argument}={own}")
    assert str(getattr(each, argument)) == str(getattr(plugin(url, "resolved"), argument))


def test_pushover_is_high_for_what_is_critical_and_an_emergency_only_where_the_user_says_so():
    pushed = URLS["NotifyPushover"]
    assert [plugin(pushed, level).priority for level in LEVELS] == [1, 0, 0, 0]
    assert plugin(f"{pushed}?priority=emergency").priority == 2


SEVERITIES = [{"severity": "critical"}, {"severity": "warning"}, {"severity": "info"}, {"state": "resolved"}]


async def test_severity_reaches_ntfy_as_priority_and_tag(listener):
    receiver = made(f"ntfy://127.0.0.1:{listener.port}/topic")
    for number, body in enumerate(SEVERITIES):
        assert await receiver.send(notification(number, **body)) == Delivered()
    told = [(headers.get("X-Priority"), headers["X-Tags"]) for *_, headers, _ in listener.requests]
    assert told == [
        ("max", "rotating_light"),
        ("high", "warning"),
        (None, "information_source"),  # ntfy's default
        (None, "white_check_mark"),
    ]


async def test_severity_reaches_gotify_as_priority(listener):
    receiver = made(f"gotify://127.0.0.1:{listener.port}/token")
    for number, body in enumerate(SEVERITIES):
        assert await receiver.send(notification(number, **body)) == Delivered()
    assert [orjson.loads(content)["priority"] for *_, content in listener.requests] == [8, 5, 5, 5]


async def test_the_users_priority_and_tags_reach_ntfy_and_gotify_as_they_stand_in_the_url(listener):
    assert (
        await made(f"ntfy://127.0.0.1:{listener.port}/topic?priority=low&tags=ice").send(notification()) == Delivered()
    )
    assert await made(f"gotify://127.0.0.1:{listener.port}/token?priority=low").send(notification()) == Delivered()
    (*_, headers, _), (*_, content) = listener.requests
    assert (headers["X-Priority"], headers["X-Tags"]) == ("low", "ice")
    assert orjson.loads(content)["priority"] == 0


LONG = {"details": "freezer " * 600, "ack_url": ACK}


async def test_a_long_text_is_one_message_within_the_limit_with_the_link(listener):
    assert await made(f"mmost://127.0.0.1:{listener.port}/token").send(notification(**LONG)) == Delivered()
    ((*_, content),) = listener.requests
    text = orjson.loads(content)["text"]
    assert len(text) <= 4000
    assert re.search(r"… \(\d+ characters cut\)\n", text)
    assert text.endswith(ACK)


@pytest.mark.parametrize(
    ("url", "limit"),
    [
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", 2000),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", 4096),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?blocks=yes", 3000),
        ("rocket://4vT7mGGn/ab@localhost/%23channel", 1000),
        ("pover://" + KEY + "@" + KEY, 1024),
        ("bulksms://user:password@15551231234", 160),
        ("smseagle://token@localhost/15551231234", SMS_CHARS),
    ],
)
def test_the_room_of_a_service_is_what_it_takes_and_of_an_sms_what_is_worth_paying_for(url, limit):
    assert message_of(plugin(url), asked=False).room.text == limit


async def test_ntfy_makes_no_attachment_of_a_text_in_any_alphabet(listener):
    for number, letter in enumerate("aж冷🧊\\"):
        sent = notification(number, **{**LONG, "details": letter * 6000})
        assert await made(f"ntfy://127.0.0.1:{listener.port}/topic").send(sent) == Delivered()
    for method, path, _, content in listener.requests:
        assert (method, path) == ("POST", "/")  # an attachment is a PUT
        text = orjson.loads(content)
        assert len((text["title"] + text["message"]).encode()) <= 4096
        assert text["message"].endswith(ACK)


async def test_overflow_split_in_the_url_is_several_messages_and_upstream_is_one_whole(listener, monkeypatch):
    monkeypatch.setattr("apprise.plugins.base.NotifyBase.throttle", lambda *_, **__: None)
    for overflow in ("split", "upstream", "truncate"):
        receiver = made(f"mmost://127.0.0.1:{listener.port}/token?overflow={overflow}")
        assert await receiver.send(notification(**LONG)) == Delivered()
    texts = [orjson.loads(content)["text"] for *_, content in listener.requests]
    *split, upstream, truncated = texts
    assert len(split) > 1
    assert max(len(text) for text in split) <= 4000 < len(upstream)
    assert len(truncated) <= 4000
    assert all(ACK in text for text in (split[-1], upstream, truncated))


async def test_what_programs_read_arrives_as_it_was_said(listener):
    said = "@everyone [x](http://example.org) <b>"
    assert (
        await made(f"json://127.0.0.1:{listener.port}/").send(notification(summary=said, details=said)) == Delivered()
    )
    ((*_, content),) = listener.requests
    assert orjson.loads(content)["title"].endswith(said)
    assert orjson.loads(content)["message"].startswith(said)


def test_the_docs_name_the_limits_and_priorities_that_there_are():
    part = (
        (Path(__file__).parents[3] / "docs" / "receivers.md")
        .read_text("utf-8")
        .split("## `apprise`")[1]
        .split("\n## ")[0]
    )
    rows = re.findall(r"^\| `(\w+)://` \| (\d+)[^|]* \| ([^|]*) \|$", part, re.MULTILINE)
    assert len(rows) >= 8
    urls = {url.partition("://")[0]: url for url in [*URLS.values(), *DOCUMENTED]}
    for schema, limit, critical in rows:
        assert message_of(plugin(urls[schema]), asked=False).room.text == int(limit)
        name = MANAGER[schema].__name__
        told = services._LOUDNESS[name][1]["critical"] if name in services._LOUDNESS else None
        assert (f"`{told}`" in critical) if told else "`" not in critical


DOCUMENTED = [
    "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/",
    "rocket://4vT7mGGn/ab@localhost/%23channel",
    "mmost://localhost/token",
    "gchat://workspace/key/token",
    "twilio://AC" + "a" * 32 + ":" + "b" * 32 + "@15551231234/15551231235",
]
