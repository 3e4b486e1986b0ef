"""trace: what happened to an alert, why it was told or not, and when, as `hub why` reads it."""

import orjson

from tests.alerts.flapper import Site

ALONE = (
    '- {alert: Hot, topic: "t/{site}/{device}", when: v > 5, notify: [chat], mute: service, limit: 2/1h, repeat: 10m}'
)
GROUPED = '- {alert: Hot, topic: "t/{site}/{device}", when: v > 5, notify: [chat], group_by: %s, group_wait: 10s}'


def traced(site):
    """Return the rows since the last call: when, of which device, what, and its details in short."""
    rows, site.world.trace = site.world.trace, []
    devices = {
        fingerprint: dict(alert.instance)["device"] for fingerprint, alert in site.world.core.book.alerts.items()
    }
    found = []
    for at, kind, fingerprint, rule, identity, text in rows:
        data = orjson.loads(text)
        assert rule == "Hot"
        assert not identity or identity.split("-")[0] in (fingerprint, *(group.fingerprint for group in groups(site)))
        said = [data[name] for name in ("phase", "stage", "detail", "step", "command", "by", "comment") if name in data]
        found.append(
            (at - site.begun, devices[fingerprint], kind, " ".join(map(str, [*said, *data.get("receivers", ())])))
        )
    return found


def groups(site):
    return site.world.core.book._conversations.all.values()


def test_an_alert_alone_is_traced_through_all_that_holds_it_back():
    site = Site(ALONE)
    site.send(9, service=True)
    site.wait(5)
    site.send(9, service=False)
    site.wait(600)
    site.wait(600)
    site.silence("device=1", 60)
    site.wait(0)
    site.acknowledge("device=1")
    site.unacknowledge("device=1")
    site.send(1)
    silence = next(iter(site.world.core.book.silences))
    assert traced(site) == [
        (0, "1", "transition", "firing"),
        (0, "1", "held", "mute service"),
        (5, "1", "released", "mute"),
        (5, "1", "notified", "firing chat"),
        (605, "1", "notified", "repeat-1 chat"),
        (1205, "1", "held", "limit 2/1h"),
        (1205, "1", "command", f"silenced ({silence}) ann "),
        (1205, "1", "held", f"silence {silence}"),
        (1205, "1", "command", "acknowledged ann "),
        (1205, "1", "command", "acknowledgement taken back ann "),
        (1205, "1", "transition", "resolved"),
        (1205, "1", "notified", "resolved chat"),
    ]


def test_a_critical_alert_that_a_silence_hides_for_a_day_is_traced_then():
    site = Site(ALONE.replace("limit: 2/1h, repeat: 10m", "severity: critical"))
    site.silence("device=1", 2 * 86400)
    site.send(9)
    traced(site)
    site.wait(86399)
    assert traced(site) == []
    site.wait(86400 - 86399)
    assert traced(site) == [(86400, "1", "held", "silence for over a day, and it is critical")]
    site.wait(86399)
    assert [row[2] for row in traced(site)] == []


def test_of_a_group_each_member_waits_and_is_told_and_is_over():
    for labels, name in (("[site]", "site"), ("[]", "all"), ("[site, device]", "site, device")):
        site = Site(GROUPED % labels)
        site.send(9)
        site.wait(10)
        site.send(1)
        site.wait(300)
        assert traced(site) == [
            (0, "1", "transition", "firing"),
            (0, "1", "held", f"group {name}"),
            (10, "1", "notified", "group chat"),
            (10, "1", "transition", "resolved"),
            (310, "1", "notified", "group chat"),
        ]
