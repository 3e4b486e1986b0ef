"""/metrics of a running hub: promtool accepts it, its names are documented, and it is bounded whatever devices send."""

import asyncio
import re
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from hub.operate.api.handlers.metrics import OTHER
from tests.acceptance.scene import scene
from tests.support.servers import program

ROOT = Path(__file__).parents[4]
DOCS = (ROOT / "docs" / "metrics.md").read_text("utf-8")
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
RULES = """
  - alert: Hot
    topic: t/{site}/{device}
    when: celsius > 30
    summary: "{device} has {celsius}"
"""


@asynccontextmanager
async def watched(folder, broker, rules=RULES, **options):
    """Yield a running scene and a function that scrapes it, into {(name, labels): value}."""
    http = options.pop("http", "{listen: '127.0.0.1:0'}")
    async with scene(folder, broker, rules, http=http, **options) as made, aiohttp.ClientSession() as session:
        url = await made.hub.url()

        async def scrape(accept="text/plain", status=200, **headers):
            async with session.get(f"{url}/metrics", headers={"accept": accept, **headers}) as answer:
                assert answer.status == status
                return answer.headers["content-type"], await answer.text()

        yield made, scrape


def values(text, parse=parse_text):
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value for family in parse(text) for each in family.samples
    }


def of(found, name, **labels):
    return found.get((name, tuple(sorted(labels.items()))))


async def promtool(*arguments, text=""):
    process = await asyncio.create_subprocess_exec(
        program("promtool"), *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate(text.encode())
    return process.returncode, out.decode()


async def test_what_happens_is_counted_and_promtool_finds_no_fault(tmp_path, broker):
    async with watched(tmp_path, broker) as (made, scrape):
        await made.send("t/a/1", {"celsius": 35})
        await made.send("t/a/2", {"celsius": 35})
        await made.send("t/a/1", {"celsius": 5})
        await made.send("t/a/1", {"other": 5})
        await made.send("t/a/1", "{broken")
        await made.notified("Hot", "resolved", device="1")
        await made.settled()
        async with asyncio.timeout(30):  # conditions are timed, and the outbox is looked at, once a second
            while "hub_rule_cost_seconds{" not in (await scrape())[1]:
                await asyncio.sleep(0.1)
        kind, text = await scrape()
        found = values(text)
        assert kind.startswith("text/plain; version=0.0.4")
        assert await promtool("check", "metrics", text=text) == (0, "")
        assert of(found, "hub_events_total") == of(found, "hub_event_latency_seconds_count") == 6
        assert of(found, "hub_event_latency_seconds_bucket", le="+Inf") == 6
        assert of(found, "hub_notifications_total") == of(found, "hub_notification_latency_seconds_count") == 5
        assert of(found, "ALERTS", alertname="Hot", severity="warning", alertstate="firing") == 1
        assert of(found, "hub_alerts", state="firing") == 1
        assert of(found, "hub_rule_evaluations_total", rule="Hot") == 4
        assert of(found, "hub_rule_matches_total", rule="Hot") == 2
        assert of(found, "hub_rule_errors_total", rule="Hot") == 1
        assert 0 < of(found, "hub_rule_cost_seconds", rule="Hot") < 0.01
        assert of(found, "hub_decode_errors_total") == 1
        assert of(found, "hub_deliveries_total", receiver="bus", outcome="delivered") == 5
        assert of(found, "hub_outbox", receiver="bus", state="queued") == 0
        assert of(found, "hub_receiver_circuit_open", receiver="bus") == 0
        assert of(found, "hub_ready") == of(found, "hub_session_connected") == of(found, "hub_connections_total") == 1
        assert of(found, "hub_commit_seconds_count") > 0
        assert of(found, "process_resident_memory_bytes") > 0


async def test_whoever_prefers_openmetrics_gets_it_and_whoever_has_no_token_gets_nothing(tmp_path, broker):
    http = "{listen: '127.0.0.1:0', tokens: [{name: prometheus, role: viewer, token: scrape-it-each-15s}]}"
    async with watched(tmp_path, broker, http=http) as (_, scrape):
        await scrape(status=401)
        kind, text = await scrape(OPENMETRICS, authorization="Bearer scrape-it-each-15s")
        assert kind.startswith("application/openmetrics-text; version=1.0.0")
        assert text.endswith("# EOF\n")
        assert of(values(text, parse_openmetrics), "hub_events_total") == 0


async def test_10_000_devices_under_1_000_rules_and_100_receivers_make_at_most_500_series(tmp_path, broker):
    receivers = "".join(f"w{n}: {{file: {{path: out.txt}}}}\n" for n in range(100))
    rules = "".join(
        f"  - {{alert: A{n}, topic: 't{n}/{{site}}/{{device}}', when: v > 1, severity: {severity}, shadow: true}}\n"
        for n in range(1000)
        for severity in [("info", "warning", "critical")[n % 3]]
    )
    async with watched(tmp_path, broker, rules, receivers=receivers) as (made, scrape):
        for n in range(10_000):
            await made.send(f"t{n % 1000}/s{n % 7}/d{n}", {"v": 2 if n % 2 else 0}, qos=0)
        await made.settled()
        _, text = await scrape()
    found = values(text)
    hubs = [key for key in found if not key[0].startswith(("process_", "python_"))]
    assert len(found) <= 500
    assert len(hubs) > 350  # all bounds are reached
    assert sum(value for (name, _), value in found.items() if name == "ALERTS") >= 5000
    assert (
        sum(value for (name, _), value in found.items() if name == "hub_rule_matches_total") == 5002
    )  # settled, twice
    assert of(found, "hub_rule_evaluations_total", rule="A0") == 10
    assert of(found, "hub_rule_evaluations_total", rule=OTHER) >= 9700
    assert of(found, "ALERTS", alertname=OTHER, severity=OTHER, alertstate="firing") > 0


def names(text):
    return set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))


async def test_every_metric_is_documented_and_what_is_documented_is_there(tmp_path, broker):
    async with watched(tmp_path, broker) as (made, scrape):
        await made.send("t/a/1", {"celsius": 35})
        await made.hub.says("firing")
        async with asyncio.timeout(30):
            while "hub_broker_dropped" not in (text := (await scrape())[1]):
                await asyncio.sleep(0.2)
    told = set(re.findall(r"^\| `(\w+)` \| \w+ \|[^|]*\| (?!in a cluster:)", DOCS, re.MULTILINE))
    there = {name for name in names(text) if not name.startswith("process_")}
    assert there == told


@pytest.mark.parametrize("name", ["alerts.yml", "prometheus.yml"])
async def test_the_shipped_example_is_valid_and_asks_for_metrics_that_exist(name):
    path = ROOT / "docs" / "examples" / "prometheus" / name
    code, out = await promtool("check", "config" if name == "prometheus.yml" else "rules", str(path))
    assert code == 0, out
    told = set(re.findall(r"^\| `(\w+)`", DOCS, re.MULTILINE))
    asked = set(re.findall(r"\b(hub_\w+)\b", yaml.safe_dump(yaml.safe_load(path.read_text("utf-8")))))
    assert {re.sub("_(bucket|count|sum)$", "", each) for each in asked} <= told
