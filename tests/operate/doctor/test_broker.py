"""doctor, the broker: what is shipped is good; what Mosquitto does by default, and what an ACL denies, is found."""

from hub.broker import Mosquitto
from hub.config import Settings
from hub.ingest.session import BrokerSettings
from hub.operate.doctor.broker import look_at_broker
from hub.operate.doctor.finding import Level
from tests.support.brokers import denying
from tests.support.servers import NatsMqttServer


def settings(broker, user="hub"):
    return Settings(broker=broker.settings(user))


def grave(findings):
    return {each.subject: (each.level, each.text) for each in findings if each.level is not Level.GOOD}


async def test_the_shipped_broker_is_found_good(broker):
    found = await look_at_broker(settings(broker))
    assert not grave(found)
    assert {"broker", "topics below hub/", "topics of rules", "backlog", "redelivery", "window"} == {
        each.subject for each in found
    }


async def test_a_broker_with_mosquittos_own_limits_loses_a_backlog_and_keeps_the_window_small(tmp_path):
    limits = {"max_queued_messages": None, "max_queued_bytes": None, "max_inflight_messages": None}
    async with Mosquitto(tmp_path / "broker", replace=limits) as broker:
        found = grave(await look_at_broker(settings(broker)))
    assert found["backlog"][0] is Level.BAD
    assert found["backlog"][1].startswith("200 of 1200 events are lost")
    assert found["window"][0] is Level.WARNING
    assert "sends 20 events at most before the first is acknowledged" in found["window"][1]


async def test_a_user_that_may_not_write_below_the_prefix_is_found(broker):
    found = grave(await look_at_broker(settings(broker, "viewer")))
    assert found["topics below hub/"][0] is Level.BAD


async def test_a_subscription_that_is_denied_is_found(tmp_path):
    async with denying(tmp_path / "denying", "hub/#") as broker:
        found = await look_at_broker(Settings(broker=broker.settings()))
    assert any(each.subject == "topics of rules" and each.level is Level.WARNING for each in found)


async def test_a_broker_that_is_not_there_is_one_finding_with_its_address():
    (found,) = await look_at_broker(Settings(broker=BrokerSettings(port=1)))
    assert found.level is Level.BAD
    assert "mqtt://localhost:1" in found.text
    assert found.remedy


async def test_a_broker_that_sends_again_only_after_a_while_is_named(tmp_path):
    with NatsMqttServer(tmp_path / "nats") as nats:
        found = grave(await look_at_broker(settings(nats)))
    assert found["redelivery"][0] is Level.WARNING
    assert "does not come again at once" in found["redelivery"][1]
