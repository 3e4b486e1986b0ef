"""doctor, the broker: what is shipped is good; what Mosquitto does by default, and what an ACL denies, is found."""

from hub.config import Settings
from hub.ingest.mqtt.session import BrokerSettings
from hub.operate.doctor.broker_check import look_at_broker
from hub.operate.doctor.finding import Level
from hub.operate.mosquitto import Mosquitto
from tests.support.brokers import denying
from tests.support.forgetful import forgetful
from tests.support.servers import NatsMqttServer, RabbitMqttServer


def settings(broker, user="hub"):
    return Settings(broker=broker.settings(user))


def grave(findings):
    return {each.subject: (each.level, each.text) for each in findings if each.level is not Level.GOOD}


async def test_the_shipped_broker_is_found_good(broker):
    found = await look_at_broker(settings(broker))
    assert not grave(found)
    assert [each.subject for each in found] == [
        *("broker", "broker", "topics of rules", "topics below hub/", "session"),
        *("backlog", "window", "redelivery", "retained messages"),
    ]
    assert "in mosquitto.conf: persistence true" in found[4].text


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
    assert found.text.count("mqtt://localhost:1") == 1
    assert found.remedy


async def test_a_broker_that_sends_again_only_after_a_while_is_named(tmp_path):
    with NatsMqttServer(tmp_path / "nats") as nats:
        looked = await look_at_broker(settings(nats))
    found, remedies = grave(looked), {each.subject: each.remedy for each in looked}
    assert looked[1].text == "nats-server, by its answers"
    assert "a larger max_ack_pending; at most 65535 divided by" in remedies["window"]
    assert "ack_wait" in remedies["redelivery"]
    assert "mosquitto" not in str(remedies)
    assert found["redelivery"][0] is Level.WARNING
    assert "does not come again at once" in found["redelivery"][1]
    assert found["window"][0] is Level.WARNING


async def test_retained_messages_that_no_wildcard_brings_are_found(tmp_path):
    with RabbitMqttServer(tmp_path / "rabbit") as rabbit:
        looked = await look_at_broker(settings(rabbit))
    assert looked[1].text == "RabbitMQ, by its answers"
    (session,) = [each for each in looked if each.subject == "session"]
    assert session.level is Level.GOOD
    (retained,) = [each for each in looked if each.subject == "retained messages"]
    assert (retained.level, retained.text.split(",")[0]) == (Level.WARNING, "come for an exact topic only")
    assert "name the topics in the rule" in retained.remedy
    (window,) = [each for each in looked if each.subject == "window"]
    assert window.remedy == "in rabbitmq.conf: mqtt.prefetch = 65535"


async def test_a_broker_that_keeps_nothing_in_memory_or_on_disk_is_found_with_its_own_remedies():
    async with forgetful({"$SYS/broker/version": "aMQTT version 0.11.3"}) as broker:
        found = {each.subject: each for each in await look_at_broker(Settings(broker=broker))}
    assert found["broker"].text == "aMQTT version 0.11.3"
    assert (found["session"].level, found["session"].remedy.split(",")[0]) == (
        Level.BAD,
        "run the hub with a broker that keeps sessions on disk",
    )
    assert "backlog" not in found, "what has no session has no queue: one fault is told once"
    assert found["retained messages"].text.startswith("are not kept")


async def test_a_broker_that_keeps_sessions_in_memory_only_is_told_to_be_one():
    async with forgetful({"$SYS/broker/version": "aMQTT version 0.12"}, expiry=604_800) as broker:
        found = [each for each in await look_at_broker(Settings(broker=broker)) if each.subject == "session"]
    assert [each.level for each in found] == [Level.WARNING]
    assert "in memory only" in found[0].text


async def test_a_session_that_is_granted_for_less_than_was_asked_for_is_found():
    said = {"$SYS/brokers/emqx@127.0.0.1/version": "5.8.4", "$SYS/brokers/emqx@127.0.0.1/sysdescr": "EMQX"}
    async with forgetful(said, expiry=7200) as broker:
        found = {each.subject: each for each in await look_at_broker(Settings(broker=broker))}
    assert found["broker"].text == "EMQX 5.8.4"
    assert found["session"].text.startswith("kept for 2h only, though 7d are asked for")
    assert found["session"].remedy.startswith("in emqx.conf: mqtt.session_expiry_interval")
    assert found["backlog"].remedy == "in emqx.conf: mqtt.max_mqueue_len = infinity"


async def test_an_unknown_broker_gets_words_for_any_broker():
    async with forgetful() as broker:
        found = await look_at_broker(Settings(broker=broker))
    (version,) = [each for each in found if each.level is Level.UNKNOWN]
    assert version.text.startswith("unknown broker")
    (session,) = [each for each in found if each.subject == "session"]
    assert session.remedy == "let the broker keep sessions for `session_expiry`; see the manual of your broker"
    assert "mosquitto" not in str(found)
