"""link: a firing alert carries a link that acknowledges it and nothing else; the same in each attempt."""

import asyncio

import orjson
import pytest

from hub.clock import SystemClock
from hub.commands.tokens.ack_links import Links
from hub.commands.tokens.token import read_token
from hub.limits import LINK_SECONDS
from hub.model import OWN, Delivered
from hub.notify.dispatcher import Dispatcher
from hub.notify.wording.templating import names
from hub.notify.wording.text import message
from hub.notify.wording.webhook_bodies import alertmanager
from tests.notify.fakes import MemoryOutbox, Remembering, Scripted, notification, settings

KEY = b"k" * 32
LINKS = Links("https://hub.example.org", KEY)
MARK = "74697385e7e8aee7"


def firing(**body):
    return notification(order=MARK, created=1000.0, **({"id": f"{MARK}-3-firing"} | body))


def claim(url, now=1000.0):
    base, token = url.rsplit("/", 1)
    assert base == "https://hub.example.org/ack"
    return read_token(token, KEY, now)


def test_a_firing_alert_gets_a_link_for_its_episode_in_the_name_of_the_receiver():
    dressed = LINKS.dress(firing())
    found = claim(dressed.body["ack_url"])
    assert (found.fingerprint, found.episode, found.by, found.expires) == (MARK, 3, "chat", 1000 + LINK_SECONDS)
    assert dressed.id == firing().id


def test_each_attempt_has_the_same_link():
    assert LINKS.dress(firing()) == LINKS.dress(firing())


def test_a_repetition_and_an_escalation_have_it_too():
    assert claim(LINKS.dress(firing(id=f"{MARK}-3-firing-2")).body["ack_url"]).episode == 3
    assert claim(LINKS.dress(firing(id=f"{MARK}-3-escalate-1")).body["ack_url"]).episode == 3


@pytest.mark.parametrize(
    "body",
    [
        {"state": "resolved", "id": f"{MARK}-3-resolved"},
        {"state": "event", "id": f"{MARK}-3-event"},
        {"acknowledged": {"by": "anna", "comment": ""}},
    ],
    ids=["resolved", "an event", "acknowledged"],
)
def test_what_cannot_be_acknowledged_has_none(body):
    assert LINKS.dress(firing(**body)) == firing(**body)


def test_what_the_hub_publishes_of_itself_has_none():
    own = notification(receiver=OWN, topic="hub/alerts/x", payload={"state": "firing"})
    assert LINKS.dress(own) is own


def test_a_receiver_that_is_not_to_have_it_has_none_also_in_a_group():
    links = Links("https://hub.example.org", KEY, lambda name: name != "chat")
    assert links.dress(firing()) == firing()
    many = group(f"{MARK}-3-firing", "00000000000000aa-1-firing")
    assert links.dress(many) is many
    assert "ack_url" in links.dress(firing(receiver="mail")).body


def group(*ids):
    alerts = [{"id": each, "state": each.split("-")[2], "summary": f"s{place}"} for place, each in enumerate(ids)]
    return firing(id="00000000000000ff-1-group-1", alerts=alerts)


def test_of_a_group_each_alert_that_fires_has_its_own():
    dressed = LINKS.dress(group(f"{MARK}-3-firing", f"{MARK}-2-resolved", "00000000000000aa-1-firing"))
    assert "ack_url" not in dressed.body
    first, second, third = dressed.body["alerts"]
    assert claim(first["ack_url"]).fingerprint == MARK
    assert "ack_url" not in second
    assert claim(third["ack_url"]).fingerprint == "00000000000000aa"


def test_a_group_of_which_one_alert_fires_has_its_link_too():
    dressed = LINKS.dress(group("00000000000000aa-1-resolved", f"{MARK}-3-firing"))
    assert claim(dressed.body["ack_url"]).fingerprint == MARK
    assert dressed.body["ack_url"] == dressed.body["alerts"][1]["ack_url"]
    assert message(dressed.body).splitlines()[-1] == f"Acknowledge: {dressed.body['ack_url']}"


def test_text_ends_with_the_link():
    body = LINKS.dress(firing()).body
    assert message(body).splitlines()[-1] == f"Acknowledge: {body['ack_url']}"
    assert "Acknowledge" not in message(firing().body)


def test_the_text_of_a_group_links_the_three_alerts_that_its_summary_names():
    text = message(LINKS.dress(group(*(f"{place:016x}-1-firing" for place in range(5)))).body)
    assert [line.split(":")[0] for line in text.splitlines()[-3:]] == [f"Acknowledge s{place}" for place in range(3)]
    assert "Acknowledge s3" not in text


def test_templates_have_it_and_it_is_empty_where_there_is_none():
    dressed = LINKS.dress(firing())
    assert names(dressed.body)[2].extra["ack_url"] == dressed.body["ack_url"]
    assert names(firing().body)[2].extra["ack_url"] == ""


def test_alertmanagers_body_has_it_as_an_annotation():
    assert dict_of(alertmanager(LINKS.dress(firing()), "hub"))["alerts"][0]["annotations"]["ack_url"]


def dict_of(data):

    return orjson.loads(data)


async def test_the_dispatcher_puts_it_in_and_the_outbox_knows_nothing_of_it():
    outbox, receiver, seen = MemoryOutbox(), Scripted(Delivered()), []
    send = receiver.send

    async def sent(each):
        seen.append(each)
        return await send(each)

    receiver.send = sent
    one = firing(receiver="chat")
    queued = outbox.put(one)
    dispatcher = Dispatcher({"chat": (settings(), receiver)}, outbox, SystemClock(), Remembering(), dress=LINKS.dress)

    running = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(0)
    dispatcher.offer(queued)
    await dispatcher.idle()
    await dispatcher.drain(1.0)
    await running
    assert claim(seen[0].body["ack_url"]).episode == 3
    assert "ack_url" not in outbox.rows[1][1].notification.body
