"""`hub drill` against a running hub: each receipt, the fallback, what is taken back, and how it ends."""

import asyncio
import json

import pytest

from tests.acceptance.scene import scene
from tests.acceptance.test_commands import cli, command
from tests.support.ends import Web
from tests.support.record import PATIENCE

RULES = '  - {alert: Hot, topic: "t/{device}", when: value > 30, notify: [chat]}\n'
RECEIVERS = """\
chat: {{webhook: {{url: "{url}/chat"}}}}
mail: {{webhook: {{url: "{url}/mail"}}, fallback: sms}}
sms: {{webhook: {{url: "{url}/sms"}}}}
slow: {{webhook: {{url: "{url}/slow"}}}}
down: {{webhook: {{url: "{url}/down"}}, retry: {{first: 20ms, longest: 20ms}}}}
paced: {{webhook: {{url: "{url}/paced"}}, rate: 1/h}}
"""


@pytest.fixture
async def at(tmp_path, broker):
    freed = asyncio.Event()

    async def answer(each):
        if each["path"] == "/slow":
            await freed.wait()
        return {"/mail": 410, "/down": 503}.get(each["path"], 204)

    async with Web(answer) as hook:
        receivers = RECEIVERS.format(url=hook.url)
        settings = "self_watch: {enabled: false}\n"
        async with scene(tmp_path, broker, RULES, receivers, settings=settings) as made:
            made.hook, made.freed = hook, freed
            yield made
            freed.set()


async def test_what_arrives_says_that_it_is_a_test_and_ends_with_0(at):
    code, out, err = await cli(at, "drill", "chat", "bus", "--by", "ann")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["receiver", "receipt", "attempts", "fallback"]
    assert [line[:3] for line in lines[1:]] == [["chat", "delivered", "in"], ["bus", "delivered", "in"]]
    (seen,) = at.hook.requests
    body = seen["json"]
    assert body["drill"] is True
    assert (body["alertname"], body["state"]) == ("HubDrill", "event")
    assert body["summary"] == "TEST of the receiver chat: nothing is the matter"
    assert "ann has sent it" in body["details"]
    assert seen["key"] == body["id"] == "drill-1-1"
    assert (await at.notified("HubDrill", "event"))["drill"] is True
    await at.send("t/1", 31)
    await at.hook.requests.until(lambda items: len(items) == 2)
    assert at.hook.requests[1]["json"].keys() == body.keys() - {"drill"}  # fields are only ever added


async def test_every_receipt_is_told_and_what_has_not_arrived_is_taken_back(at):
    begun = asyncio.get_running_loop().time()
    await cli(at, "drill", "paced")  # which uses up its rate
    code, out, err = await cli(at, "drill", "--wait", "2s", "--json")
    assert asyncio.get_running_loop().time() - begun < 30
    assert code == 1, err
    found = {each["receiver"]: each for each in json.loads(out)}
    assert set(found) == {"bus", "chat", "mail", "sms", "slow", "down", "paced"}
    outcomes = {name: each["outcome"] for name, each in found.items()}
    assert outcomes == {
        **dict.fromkeys(("bus", "chat", "sms"), "delivered"),
        **dict.fromkeys(("slow", "paced"), "waiting"),
        "mail": "rejected",
        "down": "retry",
    }
    assert 0 < found["chat"]["milliseconds"] < 10_000
    assert found["mail"]["reason"].endswith("; 'sms' is told instead")
    taken = found["mail"]["fallback"]
    assert (taken["receiver"], taken["outcome"], taken["id"]) == ("sms", "delivered", found["mail"]["id"])
    assert "503" in found["down"]["reason"]
    assert found["down"]["attempts"] > 1
    assert err.startswith("slow: it is being sent at this moment")
    at.freed.set()
    async with asyncio.timeout(PATIENCE):
        while at.hub.rows("SELECT 1 FROM outbox"):
            await asyncio.sleep(0.02)
    count = sum(each["path"] == "/down" for each in at.hook.requests)
    await asyncio.sleep(0.3)
    assert sum(each["path"] == "/down" for each in at.hook.requests) == count
    actions = at.hub.rows("SELECT action, via FROM audit WHERE action = 'drill'")
    assert actions == [("drill", "mqtt"), ("drill", "mqtt")]


async def test_a_number_never_comes_again_after_a_kill_and_receipts_of_before_are_not_known(at, broker):
    await cli(at, "drill", "chat")
    await at.hub.kill()
    await at.hub.start()
    answer = await command(broker, "drill-receipts", {"drill": 1})
    why = "no drill 1 is known: it was long ago, or the hub was started anew"
    assert answer == {"ok": False, "error": why, "code": "missing"}
    await cli(at, "drill", "chat")
    assert at.hook.ids("/chat") == ["drill-1-1", "drill-2-1"]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"receivers": ["chatt"]}, "no receiver 'chatt' (did you mean 'chat'?)"),
        ({"receivers": ["$hub"]}, "no receiver '$hub'"),
        ({"receivers": "chat"}, "'receivers' must be a list of names"),
        ({"receivers": [1]}, "'receivers' must be a list of names"),
    ],
)
async def test_what_cannot_be_meant_is_answered(at, broker, request_, error):
    answer = await command(broker, "drill", request_)
    assert not answer["ok"]
    assert answer["error"].startswith(error)
    assert not at.hook.requests


async def test_wrong_words_and_a_hub_that_is_not_there_end_with_their_codes(at):
    code, _, err = await cli(at, "drill", "nobody")
    assert (code, err.startswith("hub: no receiver 'nobody' (there are: bus, chat")) == (1, True)
    code, _, err = await cli(at, "drill", "--wait", "soon")
    assert code == 2
    assert "'soon' is not a duration" in err
    code, _, err = await cli(at, "drill", "--broker", "mqtt://127.0.0.1:1")
    assert code == 3
