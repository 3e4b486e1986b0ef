"""The alert desk from outside: over MQTT by any client, and by the command line; why, and why not."""

import asyncio
import json

import mqtt5
import pytest

from tests.acceptance.scene import scene
from tests.support import prefork
from tests.support.ends import watching
from tests.support.mqtt import client

RULES = """
  - alert: Hot
    topic: t/{site}/{device}
    when: value > 30
    repeat: 10s until ack
    summary: "{device} has {value}"
"""


@pytest.fixture
async def hub(tmp_path, broker):
    async with scene(tmp_path, broker, RULES) as made:
        yield made


async def cli(scene, *arguments):
    """Run a command where the hub's own hub.yaml is; return exit code, stdout, stderr."""
    env = {"PASSWORD": scene.hub.broker.settings("hub").password.reveal(), "NO_COLOR": "1"}
    process = await prefork.start(*arguments, cwd=scene.hub.folder, env=env)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def command(broker, name, request, user="operator"):
    """Publish a request as any MQTT 5 client does, and return the answer with its correlation data."""
    settings = broker.settings(user)
    reader, writer = await asyncio.open_connection(settings.host, settings.port)
    async with watching(broker, "hub/answers/me", user="operator", name="answers") as answers:
        connect = mqtt5.ConnectPacket(
            "asker", username=user, password=settings.password.reveal().encode(), clean_start=True
        )
        writer.write(connect.write())
        await reader.readexactly(2)
        packet = mqtt5.PublishPacket(
            f"hub/command/{name}",
            request if isinstance(request, bytes) else json.dumps(request).encode(),
            response_topic="hub/answers/me",
            correlation_data=b"42",
        )
        writer.write(packet.write())
        answer = await answers.until(lambda heard: heard[0] if heard else None)
        writer.close()
    return json.loads(answer.payload)


async def test_an_alert_is_acknowledged_over_mqtt_and_that_is_shown_in_its_retained_topic(hub, broker):
    await hub.send("t/a/1", "35")
    told = await hub.notified("Hot", "firing")
    answer = await command(broker, "ack", {"id": told["id"], "by": "ann", "comment": "on my way"})
    assert answer["ok"]
    assert [each["acknowledged"]["by"] for each in answer["alerts"]] == ["ann"]
    shown = await hub.states.first(lambda m: m.payload and json.loads(m.payload)["acknowledged"], 5, "acknowledged")
    assert json.loads(shown.payload)["acknowledged"]["comment"] == "on my way"


async def test_a_token_acknowledges_its_episode_and_outlives_a_restart(hub, broker):
    await hub.send("t/a/1", "35")
    told = await hub.notified("Hot", "firing")
    token = (await command(broker, "token", {"id": told["id"], "by": "link in chat"}))["token"]
    await hub.hub.stop()
    await hub.hub.start()
    answer = await command(broker, "ack", {"token": token})
    assert answer["alerts"][0]["acknowledged"]["by"] == "link in chat"
    await hub.send("t/a/1", "20")
    await hub.notified("Hot", "resolved")
    await hub.send("t/a/1", "36")
    await hub.notified("Hot", "firing", 2)
    answer = await command(broker, "ack", {"token": token})
    assert answer["error"] == "that was episode 1, which is over; the alert fires anew"


@pytest.mark.parametrize(
    ("name", "request_", "says"),
    [
        ("ack", {"matchers": ["alertname=Hot"]}, "no firing alert matches"),
        ("ack", {}, "which alerts?"),
        ("ack", {"matchers": "alertname"}, "one of = != =~ !~ is expected"),
        ("ack", b"{", "not JSON"),
        ("ack", [1], "a request is a JSON object"),
        ("ack", {"id": "xyz"}, "is not the id of an alert"),
        ("silence", {"matchers": "a=b", "for": "long"}, "not a duration"),
        ("silence", {"matchers": "a=b", "until": "2020-01-01T00:00:00Z"}, "is over already"),
        ("silence", {"matchers": 'zone=~".*"'}, "must not match the empty string"),
        ("silence", {"labels": {"zone": ""}}, "must not match the empty string"),
        ("unsilence", {"id": "nope"}, "no silence 'nope' is active"),
        ("ack", {"token": "forged.1.2.x.y"}, "not a token of this hub"),
        ("akc", {}, "did you mean 'ack'?"),
        ("outbox-drop", {"all": "false"}, "'all' must be true or false"),
        ("why", {"alert": "Hto"}, "did you mean 'Hot'?"),
        ("why-not", {"rule": "Hto"}, "did you mean 'Hot'?"),
    ],
)
async def test_a_request_that_cannot_be_done_is_answered_with_why(hub, broker, name, request_, says):
    answer = await command(broker, name, request_)
    assert answer["ok"] is False
    assert says in answer["error"]


async def test_who_may_not_write_to_the_desk_changes_nothing(hub, broker):
    await hub.send("t/a/1", "35")
    await hub.notified("Hot", "firing")
    async with client(broker.settings("device"), "forger") as forger:
        assert await forger.publish("hub/command/ack", json.dumps({"alertname": "Hot"})) >= 0x80
    code, out, _ = await cli(hub, "alerts", "--json")
    assert code == 0
    assert json.loads(out)[0]["acknowledged"] is None


async def test_an_acknowledgement_outlives_a_crash_and_ends_what_repeats_until_it(hub):
    await hub.send("t/a/1", "35")
    await hub.notified("Hot", "firing")
    code, out, _ = await cli(hub, "ack", "Hot", "--by", "ann", "-m", "seen")
    assert (code, out) == (0, "acknowledged: Hot site=a device=1\n")
    await hub.hub.kill()
    await hub.hub.start()
    code, out, _ = await cli(hub, "alerts")
    assert code == 0
    assert "ann" in out
    code, out, _ = await cli(hub, "ack", "Hot", "--undo")
    assert (code, out) == (0, "taken back: Hot site=a device=1\n")


async def test_a_silenced_alert_is_told_when_its_silence_ends(hub):
    code, out, _ = await cli(hub, "silence", "site=~a|b", "--for", "1h", "-m", "works", "--json")
    assert code == 0
    silence = json.loads(out)
    await hub.send("t/a/1", "35")
    await hub.shown("Hot/a/1", "firing")
    await hub.settled()
    assert not hub.notifications("Hot")
    code, out, _ = await cli(hub, "alerts", "--silences")
    assert "works" in out
    code, out, _ = await cli(hub, "unsilence", silence["id"])
    assert code == 0
    assert (await hub.notified("Hot", "firing"))["labels"]["site"] == "a"


async def test_a_silence_is_planned_from_the_shell_for_so_long_from_its_start(hub):
    code, out, err = await cli(hub, "silence", "site=a", "--start", "2100-12-24T22:00:00+01:00", "--for", "4h")
    assert (code, err) == (0, "")
    assert " from 2100-12-24 21:00:00 until 2100-12-25 01:00:00; 0 firing alerts match" in out
    code, out, _ = await cli(hub, "alerts", "--silences")
    assert "pending" in out


@pytest.mark.parametrize("matcher", ['zone=""', 'zone=~".*"', 'zone!~"x.+"', "zone!=x"])
async def test_a_silence_that_would_hide_everything_is_refused_with_what_to_do(hub, matcher):
    code, out, err = await cli(hub, "silence", matcher)
    assert (code, out) == (1, "")
    assert "at least one matcher must not match the empty string" in err
    assert "name a label that is meant" in err
    assert (await cli(hub, "alerts", "--silences"))[1] == "no silences\n"


async def test_a_silence_for_a_label_that_nothing_has_is_made_and_warned_of(hub):
    code, out, err = await cli(hub, "silence", "siet=a", "--json")
    assert (code, err) == (0, "warning: no alert or rule has a label 'siet'; did you mean 'site'?\n")
    assert json.loads(out)["matchers_text"] == ['siet="a"']


async def test_a_silence_by_an_id_is_refused_before_it_silences_nobody(hub):
    code, _, err = await cli(hub, "silence", "0123456789abcdef-1-firing")
    assert code == 1
    assert "a silence is for labels, not for one id" in err


async def test_why_tells_the_way_from_the_message_to_the_delivery(hub):
    await hub.send("t/a/1", "35")
    await hub.notified("Hot", "firing")
    await hub.settled()
    code, out, _ = await cli(hub, "why", "Hot", "device=1")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "Hot site=a device=1: firing"
    assert "firing: condition; value was 35; by t/a/1 35" in lines[1]
    assert "told to bus" in lines[2]
    assert "bus: delivered, attempt 1" in lines[3]
    code, out, _ = await cli(hub, "why", "Hot", "--json")
    way = [each["kind"] for each in json.loads(out)[0]["trace"]]
    assert way[:3] == ["transition", "notified", "delivery"]  # ten seconds later it is told again


async def test_why_not_tells_which_part_does_not_hold_with_the_latest_value(hub):
    await hub.send("t/a/1", "25")
    await hub.settled()
    code, out, _ = await cli(hub, "why-not", "Hot", "site=a", "device=1")
    assert code == 0
    assert "`value > 30` does not hold: value is 25" in out
    code, out, _ = await cli(hub, "why-not", "Hot", "device=9")
    assert "no message with device=9 has come" in out


async def test_why_of_what_nobody_knows_says_so(hub):
    code, _, err = await cli(hub, "why", "Hto")
    assert code == 1
    assert "did you mean 'Hot'?" in err
    code, _, err = await cli(hub, "why", "Hot")
    assert code == 1
    assert "hub why-not Hot" in err


async def test_without_a_hub_the_command_line_says_so_and_ends_with_3(hub):
    await hub.hub.stop()
    code, _, err = await cli(hub, "ack", "Hot")
    assert code == 3
    assert "start `hub run`" in err
