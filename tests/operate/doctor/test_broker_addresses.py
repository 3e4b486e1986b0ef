"""doctor, a broker with several addresses: which does not answer, and whether all of them are one broker."""

from dataclasses import replace

from hub.config import Settings
from hub.ingest.mqtt.session import BrokerAddress
from hub.operate.doctor.broker_check import look_at_broker
from hub.operate.doctor.finding import Level
from hub.operate.mosquitto import Mosquitto
from tests.support.proxy import Proxy


def settings(broker, *ports):
    others = tuple(BrokerAddress("127.0.0.1", port) for port in ports)
    return Settings(broker=replace(broker.settings("hub"), others=others))


def grave(findings):
    return [(each.level, each.subject, each.text) for each in findings if each.level is not Level.GOOD]


async def test_addresses_of_one_broker_are_found_to_be_one_and_the_broker_is_tried_out_once(broker):
    async with Proxy(broker.port) as second, Proxy(broker.port) as third:
        found = await look_at_broker(settings(broker, second.port, third.port))
    assert not grave(found)
    texts = [each.text for each in found if each.subject == "broker"]
    assert [text for text in texts if text.startswith("reached at")] == [
        f"reached at mqtt://127.0.0.1:{port}" for port in (broker.port, second.port, third.port)
    ]
    assert [each.text for each in found if each.subject == "one broker"] == [
        "all 3 addresses share sessions and messages"
    ]
    assert [each.subject for each in found].count("backlog") == 1


async def test_an_address_that_does_not_answer_is_named_and_the_next_is_tried_out(broker, tmp_path):
    async with Mosquitto(tmp_path / "gone") as gone:
        pass
    gone._passwords = broker._passwords
    found = await look_at_broker(settings(gone, broker.port))
    ((level, subject, text),) = grave(found)
    assert (level, subject) == (Level.WARNING, "broker")
    assert text.startswith(f"mqtt://127.0.0.1:{gone.port} cannot be reached")
    assert any(each.subject == "backlog" and each.level is Level.GOOD for each in found)


async def test_two_brokers_that_know_nothing_of_each_other_are_bad(broker, tmp_path):
    other = Mosquitto(tmp_path / "other")
    other._passwords = broker._passwords
    async with other:
        found = grave(await look_at_broker(settings(broker, other.port)))
    one, two = (f"mqtt://127.0.0.1:{each.port}" for each in (broker, other))
    assert [(level, subject) for level, subject, _ in found] == [(Level.BAD, "one broker")] * 2
    assert found[0][2].startswith(f"a session that began at {one} is not known at {two}")
    assert found[1][2] == f"what is published at {two} does not come at {one}"


async def test_addresses_of_which_none_answers_are_one_finding_each(broker, tmp_path):
    await broker.stop()
    async with Mosquitto(tmp_path / "gone") as gone:
        pass
    found = await look_at_broker(settings(broker, gone.port))
    assert [each.level for each in found] == [Level.BAD, Level.BAD]
    for each, at in zip(found, (broker, gone), strict=True):
        assert each.text.startswith(f"mqtt://127.0.0.1:{at.port} cannot be reached")
