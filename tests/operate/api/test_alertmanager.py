"""Alertmanager's API of a running hub: amtool and Prometheus themselves use it, and requests that they do not send."""

import asyncio
import json
import os
import time
from contextlib import asynccontextmanager

import aiohttp
import pytest
import pytest_asyncio

from hub.operate.mosquitto import Mosquitto
from tests.support import prefork
from tests.support.ends import Web
from tests.support.hub import Hub
from tests.support.mqtt import client
from tests.support.record import PATIENCE
from tests.support.servers import Server, program

RULES = """
defaults: {notify: [chat]}
receivers: {chat: {webhook: {url: "URL"}}, spare: {file: {path: spare.txt}}}
rules:
  - {alert: Down, topic: "down/{site}", when: value > 0, notify: spare}
  - {alert: Hot, topic: "t/{site}/{device}", when: value > 30, unless: Down, summary: "{device} has {value}"}
"""
ENDED = {"endsAt": "2020-01-01T00:00:00Z"}


def iso(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03d}Z"


class Desk:
    """A hub, its API, who is told, and a device."""

    def __init__(self, hub, web, device, url):
        self.hub, self.web, self.device, self.url = hub, web, device, url
        self.headers = {}

    async def ask(self, method, path, body=None, **query):
        """Return status and JSON of an answer."""
        async with aiohttp.ClientSession(headers=self.headers) as session:
            url = f"{self.url}/api/v2{path}"
            async with session.request(method, url, json=body, params=query) as response:
                text = await response.text()
                return response.status, json.loads(text) if text else None

    async def get(self, path, **query):
        status, found = await self.ask("GET", path, **query)
        assert status == 200, found
        return found

    async def post(self, *alerts):
        return await self.ask("POST", "/alerts", list(alerts))

    async def amtool(self, *arguments, code=0):
        """Run it; return what it says, with `-o json` as a value."""
        own = (program("amtool"), f"--alertmanager.url={self.url}", "--no-version-check")
        process = await asyncio.create_subprocess_exec(
            *own, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=os.environ
        )
        out, err = await process.communicate()
        assert process.returncode == code, (arguments, out, err)
        return json.loads(out) if "json" in arguments else (out or err).decode()

    async def cli(self, *arguments):
        """Run a command beside the hub; return what it says."""
        env = {"PASSWORD": self.hub.broker.settings("hub").password.reveal(), "NO_COLOR": "1"}
        process = await prefork.start(*arguments, cwd=self.hub.folder, env=env)
        out, _ = await process.communicate()
        assert process.returncode == 0
        return out.decode()

    async def send(self, topic, value):
        assert await self.device.publish(topic, str(value).encode()) < 0x80

    async def told(self, alertname, state, number=1):
        def look(requests):
            found = [r["json"] for r in requests if (r["json"]["alertname"], r["json"]["state"]) == (alertname, state)]
            return found[number - 1] if len(found) >= number else None

        return await self.web.requests.until(look, PATIENCE, f"{alertname} {state}")

    async def fires(self, alertname, value=35):
        """Let a device cause it, and wait until the API shows it; return it."""
        await self.send({"Hot": "t/a/1", "Down": "down/a"}[alertname], value)
        async with asyncio.timeout(PATIENCE):
            while not (found := await self.get("/alerts", filter=f"alertname={alertname}")):
                await asyncio.sleep(0.02)
        return found[0]


@asynccontextmanager
async def running(folder, broker, http="{listen: '127.0.0.1:0'}", **more):
    async with Web() as web, client(broker.settings("device"), "device") as device:
        rules = RULES.replace("URL", web.url)
        async with Hub(folder / "hub", broker, rules, http=http, **more) as hub:
            yield Desk(hub, web, device, await hub.url())


@pytest.fixture
async def desk(tmp_path, broker):
    async with running(tmp_path, broker) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory):
    """One hub for all tests that change nothing."""
    folder = tmp_path_factory.mktemp("shared")
    async with Mosquitto(folder / "broker") as broker, running(folder, broker) as made:
        yield made


# amtool


async def test_amtool_shows_adds_and_ends_alerts(desk):
    await desk.fires("Hot")
    assert "1 has 35" in await desk.amtool("alert", "query")
    added = ("HighCpu", "instance=a:9100", "severity=critical", "--annotation=summary=cpu is high")
    await desk.amtool("alert", "add", *added, "--generator-url=http://prometheus/x")
    told = await desk.told("HighCpu", "firing")
    assert (told["summary"], told["severity"]) == ("cpu is high", "critical")
    assert told["labels"] == {"alertname": "HighCpu", "instance": "a:9100", "severity": "critical"}
    (shown,) = await desk.amtool("alert", "query", "-o", "json", "HighCpu", 'instance=~"a:.*"')
    assert shown["labels"] == told["labels"]
    assert shown["annotations"] == {"summary": "cpu is high"}
    assert shown["generatorURL"] == "http://prometheus/x"
    assert shown["fingerprint"] == told["id"].partition("-")[0]
    assert shown["status"] == {"state": "active", "silencedBy": [], "inhibitedBy": []}
    await desk.amtool("alert", "add", *added, "--end=2020-01-01T00:00:00Z")
    assert (await desk.told("HighCpu", "resolved"))["reason"] == "posted as over"
    assert [each["labels"]["alertname"] for each in await desk.amtool("alert", "query", "-o", "json")] == ["Hot"]
    assert "is the name of one of the hub's own rules" in await desk.amtool("alert", "add", "Hot", code=1)


async def test_amtool_makes_changes_and_ends_silences_which_are_the_desks_own(desk):
    await desk.fires("Hot")
    told = ("alertname=Hot", 'site=~"a|b"', "--author=anna", "--comment=works", "--duration=2h")
    identity = (await desk.amtool("silence", "add", *told)).strip()
    own = json.loads(await desk.cli("alerts", "--silences", "--json"))[0]
    assert (own["id"], own["createdBy"], own["comment"]) == (identity, "anna", "works")
    assert identity in await desk.amtool("silence", "query", "alertname=Hot")
    assert identity not in await desk.amtool("silence", "query", "alertname=Cold")
    assert await desk.amtool("alert", "query", "-o", "json") == []
    (hidden,) = await desk.amtool("alert", "query", "--silenced", "-o", "json")
    assert hidden["status"] == {"state": "suppressed", "silencedBy": [identity], "inhibitedBy": []}
    await desk.amtool("silence", "update", identity, "--duration=5h", "--comment=more works")
    (updated,) = await desk.amtool("silence", "query", "-o", "json")
    assert (updated["id"], updated["comment"]) == (identity, "more works")
    assert updated["endsAt"] > own["endsAt"]
    await desk.amtool("silence", "expire", identity)
    assert await desk.amtool("silence", "query", "-o", "json") == []
    (ended,) = await desk.amtool("silence", "query", "--expired", "-o", "json")
    assert (ended["id"], ended["status"]["state"]) == (identity, "expired")
    assert len(await desk.amtool("alert", "query", "-o", "json")) == 1
    assert "404" in await desk.amtool("silence", "expire", "nope", code=1)


async def test_amtool_shows_the_configuration_and_who_is_told_of_what(desk):
    assert 'name: "chat"' in await desk.amtool("config", "show")
    assert (await desk.amtool("config", "routes", "test", "alertname=Down")).strip() == "spare"
    assert (await desk.amtool("config", "routes", "test", "alertname=HighCpu")).strip() == "chat"
    assert "disabled" in await desk.amtool("cluster", "show")


async def test_amtool_gives_its_password_where_there_are_tokens(tmp_path, broker):
    tokens = (
        "[{name: ann, role: operator, token: the-secret-of-ann}, {name: eve, role: viewer, token: eve-only-looks-on}]"
    )
    async with running(tmp_path, broker, f"{{listen: '127.0.0.1:0', tokens: {tokens}}}") as desk:
        for name, password in (("ann", "the-secret-of-ann"), ("eve", "eve-only-looks-on")):
            (tmp_path / name).write_text(f"basic_auth: {{username: {name}, password: {password}}}\n")
        ann, eve = (f"--http.config.file={tmp_path / name}" for name in ("ann", "eve"))
        assert (await desk.amtool("silence", "add", "a=b", "-c", "works", ann)).strip()
        assert "403" in await desk.amtool("silence", "add", "a=c", "-c", "works", eve, code=1)
        assert "403" in await desk.amtool("alert", "add", "HighCpu", eve, code=1)
        assert len(await desk.amtool("silence", "query", "-o", "json", eve)) == 1
        assert "401" in await desk.amtool("silence", "query", code=1)


# Prometheus


class Prometheus(Server):
    ready = "Server is ready to receive web requests"

    def __init__(self, folder, target, until):
        super().__init__(folder)
        expression = f"vector(time()) < {until}"
        rule = {
            "alert": "Short",
            "expr": expression,
            "labels": {"team": "ops"},
            "annotations": {"summary": "at {{$value}}"},
        }
        (self.folder / "rules.json").write_text(json.dumps({"groups": [{"name": "g", "rules": [rule]}]}))
        settings = {
            "global": {"evaluation_interval": "1s"},
            "rule_files": ["rules.json"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [target]}]}]},
        }
        (self.folder / "prometheus.yml").write_text(json.dumps(settings))

    def command(self):
        where = (f"--web.listen-address=127.0.0.1:{self.port}", f"--storage.tsdb.path={self.folder / 'data'}")
        often = ("--rules.alert.resend-delay=1s", "--log.level=info")
        return (program("prometheus", "/usr/bin"), "--config.file=prometheus.yml", *where, *often)


async def test_prometheus_sends_its_alerts_through_the_hub(desk, tmp_path):
    program("prometheus", "/usr/bin")
    until = time.time() + 15  # its first word takes up to six seconds, and more under load
    prometheus = Prometheus(tmp_path / "prometheus", desk.url.removeprefix("http://"), until)
    await asyncio.to_thread(prometheus.start)
    try:
        told = await desk.told("Short", "firing")
        assert told["labels"] == {"alertname": "Short", "severity": "warning", "team": "ops"}
        assert told["summary"].startswith("at ")
        (shown,) = await desk.get("/alerts", filter="team=ops")
        assert shown["generatorURL"].startswith("http://")
        over = await desk.told("Short", "resolved")
        assert (over["episode"], over["reason"]) == (1, "posted as over")
        assert len([r for r in desk.web.requests if r["json"]["state"] == "firing"]) == 1
    finally:
        prometheus.kill()


# alerts


async def test_what_was_posted_survives_a_crash_behind_its_200_and_ends_when_it_says(desk):
    ends = time.time() + 60
    posted = {"labels": {"alertname": "A", "n": "1"}, "annotations": {"summary": "one"}, "endsAt": iso(ends)}
    assert await desk.post(posted) == (200, None)
    await desk.hub.kill()
    await desk.hub.start()
    desk.url = await desk.hub.url()
    (shown,) = await desk.get("/alerts")
    assert (shown["labels"]["n"], shown["annotations"], shown["endsAt"]) == ("1", {"summary": "one"}, iso(ends))
    await desk.told("A", "firing")
    await desk.post(posted | {"endsAt": iso(time.time() + 0.5)})
    assert (await desk.told("A", "resolved"))["reason"] == "not posted again in time"


async def test_it_is_on_the_desk_as_all_others_are(desk):
    await desk.post({"labels": {"alertname": "A", "site": "a"}, "annotations": {"summary": "one"}})
    (listed,) = json.loads(await desk.cli("alerts", "--json"))
    assert (listed["alertname"], listed["state"], listed["summary"]) == ("A", "firing", "one")
    await desk.cli("ack", "A", "--by", "ann", "-m", "seen")
    (shown,) = await desk.get("/alerts")
    assert shown["annotations"] == {"summary": "one", "acknowledged": "by ann: seen"}
    assert "posted" in await desk.cli("why", "A")


async def test_what_is_wrong_with_one_alert_keeps_no_other_from_being_taken(desk):
    status, said = await desk.post(
        {"labels": {"alertname": "A"}}, {"labels": {"site": "a"}}, {"labels": {"alertname": "Hot"}}
    )
    assert status == 400
    assert "needs the label alertname" in said
    assert "'Hot' is the name of one of the hub's own rules" in said
    assert [each["labels"]["alertname"] for each in await desk.get("/alerts")] == ["A"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"labels": {}}, "a JSON list"),
        ([1], "a JSON object"),
        ([{}], "needs the label alertname"),
        ([{"labels": {"alertname": ""}}], "needs the label alertname"),
        ([{"labels": {"alertname": 1}}], "'labels' must be an object of texts"),
        ([{"labels": {"alertname": "A", "a\nb": "c"}}], "is no name for a label"),
        ([{"labels": {"alertname": "A", "b": "c" * 5000}}], "longer than 4096 bytes"),
        ([{"labels": {"alertname": "A"} | {f"a{n}": "b" for n in range(64)}}], "more than 64 entries"),
        ([{"labels": {"alertname": "A"}, "endsAt": "tomorrow"}], "'endsAt' must be a time"),
        ([{"labels": {"alertname": "A"}, "startsAt": 5}], "'startsAt' must be a time"),
        ([{"labels": {"alertname": "A"}, "generatorURL": 5}], "'generatorURL' must be text"),
        ([{"labels": {"alertname": "A"}, "annotations": [1]}], "'annotations' must be an object"),
    ],
)
async def test_alerts_that_are_none_are_refused_with_why(shared, body, says):
    status, said = await shared.ask("POST", "/alerts", body)
    assert status == 400
    assert says in said
    assert await shared.get("/alerts") == []


async def test_a_post_of_too_many_alerts_is_refused(tmp_path, broker):
    async with running(tmp_path, broker, limits={"POSTED_BATCH": 2, "POSTED_ALERTS": 1}) as desk:
        alerts = [{"labels": {"alertname": name}} for name in "ABC"]
        assert await desk.post(*alerts) == (400, "3 alerts at once; the most are 2")
        status, said = await desk.post(*alerts[:2])
        assert (status, said) == (400, "1 posted alerts that are not over are there already")
        assert len(await desk.get("/alerts")) == 1


async def test_an_alert_that_another_explains_is_inhibited_by_it(desk):
    down = await desk.fires("Down", 1)
    hot = await desk.fires("Hot")
    assert hot["status"] == {
        "state": "suppressed", "silencedBy": [], "inhibitedBy": [down["fingerprint"]], "mutedBy": [],
    }  # fmt: skip
    assert [each["labels"]["alertname"] for each in await desk.get("/alerts", inhibited="false")] == ["Down"]
    assert [each["labels"]["alertname"] for each in await desk.get("/alerts", active="false")] == ["Hot"]
    assert [each["labels"]["alertname"] for each in await desk.get("/alerts", receiver="ch.*")] == ["Hot"]
    assert await desk.get("/alerts", receiver="ch") == []


async def test_groups_are_by_receiver_and_alertname(desk):
    await desk.fires("Down", 1)
    await desk.post({"labels": {"alertname": "A", "n": "1"}}, {"labels": {"alertname": "A", "n": "2"}})
    groups = await desk.get("/alerts/groups")
    assert [(g["receiver"]["name"], g["labels"], len(g["alerts"])) for g in groups] == [
        ("chat", {"alertname": "A"}, 2),
        ("spare", {"alertname": "Down"}, 1),
    ]


@pytest.mark.parametrize(
    ("path", "query", "says"),
    [
        ("/alerts", {"filter": "alertname"}, "bad matcher"),
        ("/alerts", {"filter": 'a=~"("'}, "bad matcher"),
        ("/alerts", {"active": "maybe"}, "'active' must be true or false"),
        ("/alerts/groups", {"receiver": "("}, "is not a pattern"),
        ("/silences", {"filter": "="}, "bad matcher"),
    ],
)
async def test_a_query_that_cannot_be_read_is_refused_with_why(shared, path, query, says):
    status, said = await shared.ask("GET", path, **query)
    assert status == 400
    assert says in said


# silences


def _silence(**changes):
    now = time.time()
    matcher = {"name": "site", "value": "a", "isRegex": False}
    made = {"matchers": [matcher], "startsAt": iso(now), "endsAt": iso(now + 3600), "createdBy": "ann", "comment": ""}
    return made | changes


async def test_a_silence_is_made_changed_into_another_and_ended(desk):
    status, made = await desk.ask("POST", "/silences", _silence())
    assert status == 200
    first = await desk.get(f"/silence/{made['silenceID']}")
    assert (first["status"], first["matchers"]) == (
        {"state": "active"},
        [{"name": "site", "value": "a", "isRegex": False, "isEqual": True}],
    )
    hot = {"name": "alertname", "value": "Hot", "isRegex": False}
    other = [hot, {"name": "site", "value": "b|c", "isRegex": True, "isEqual": False}]
    status, changed = await desk.ask("POST", "/silences", first | {"matchers": other})
    assert changed["silenceID"] != made["silenceID"]
    assert [(each["id"], each["status"]["state"]) for each in await desk.get("/silences")] == [
        (changed["silenceID"], "active"),
        (made["silenceID"], "expired"),
    ]
    (found,) = await desk.get("/silences", filter='site!~"b|c"')
    assert found["id"] == changed["silenceID"]
    assert await desk.ask("DELETE", f"/silence/{changed['silenceID']}") == (200, None)
    status, said = await desk.ask("DELETE", f"/silence/{changed['silenceID']}")
    assert (status, said) == (400, f"no silence '{changed['silenceID']}' is active")


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"matchers": []}, 400, "at least one matcher"),
        ({"matchers": [1]}, 400, "a matcher is a JSON object"),
        ({"matchers": [{"name": "", "value": "x"}]}, 400, "the name of a label"),
        ({"annotations": {"a": 1}}, 400, "'annotations' must be an object of texts"),
        ({"annotations": {"a": "x" * 20000}}, 400, "'annotations' has more than"),
        ({"matchers": [{"name": "a", "value": "(", "isRegex": True}]}, 400, "is not a pattern"),
        ({"matchers": [{"name": "a", "value": "b", "isEqual": 1}]}, 400, "must be true or false"),
        ({"endsAt": None}, 400, "needs 'startsAt' and 'endsAt'"),
        (ENDED, 400, "over already"),
        ({"startsAt": "2100-01-01T00:00:00Z"}, 400, "would end before it starts"),
        ({"matchers": [{"name": "zone", "value": ""}]}, 400, "must not match the empty string"),
        ({"matchers": [{"name": "zone", "value": ".*", "isRegex": True}]}, 400, "must not match the empty string"),
        ({"comment": 1}, 400, "'comment' must be text"),
        ({"id": "nope"}, 404, "no silence 'nope' is known"),
    ],
)
async def test_silences_that_are_none_are_refused_with_why(shared, changes, status, says):
    found, said = await shared.ask("POST", "/silences", _silence(**changes))
    assert found == status
    assert says in said
    assert await shared.get("/silences") == []


async def test_what_is_not_known_is_not_found(shared):
    for method in ("GET", "DELETE"):
        assert await shared.ask(method, "/silence/nope") == (404, "no silence 'nope' is known")


async def test_amtool_is_told_why_a_silence_that_would_hide_everything_is_refused(shared):
    said = await shared.amtool("silence", "add", "zone=~.*", "--comment=works", code=1)
    assert "at least one matcher must not match the empty string" in said
    assert "name a label that is meant" in said
    assert await shared.get("/silences") == []


async def test_who_changes_a_silence_is_in_the_audit_log_by_the_name_of_the_token(desk):
    _, made = await desk.ask("POST", "/silences", _silence())
    await desk.ask("DELETE", f"/silence/{made['silenceID']}")
    rows = desk.hub.rows("SELECT actor, via, action FROM audit ORDER BY row")
    assert rows == [("local", "http", "silence"), ("local", "http", "unsilence")]  # ann is whom the silence shows


async def test_a_large_post_is_taken_whole_in_slices(desk):
    alerts = [{"labels": {"alertname": "Many", "n": str(n)}} for n in range(300)]
    alerts[120] = {"labels": {"alertname": "Hot"}}
    status, said = await desk.post(*alerts)
    assert (status, said) == (400, "'Hot' is the name of one of the hub's own rules; give the alert another name")
    assert len(await desk.get("/alerts", filter="alertname=Many")) == 299
    rows = desk.hub.rows("SELECT count(*) FROM desk WHERE kind = 'posted'")
    assert rows == [(299,)]


async def test_annotations_of_a_silence_are_kept_over_a_restart_and_given_back(desk):
    noted = {"ticket": "OPS-7", "why it is": "the door is mended — “Tür”"}
    _, made = await desk.ask("POST", "/silences", _silence(annotations=noted))
    assert (await desk.get(f"/silence/{made['silenceID']}"))["annotations"] == noted
    _, plain = await desk.ask("POST", "/silences", _silence())
    assert plain != made
    await desk.hub.kill()
    await desk.hub.start()
    desk.url = await desk.hub.url()
    found = {each["id"]: each["annotations"] for each in await desk.get("/silences")}
    assert found == {made["silenceID"]: noted, plain["silenceID"]: {}}
    known = await desk.get(f"/silence/{made['silenceID']}")
    status, changed = await desk.ask("POST", "/silences", known | {"annotations": {"ticket": "OPS-8"}})
    assert (status, changed) == (200, made)
    assert (await desk.get(f"/silence/{made['silenceID']}"))["annotations"] == {"ticket": "OPS-8"}


@pytest.mark.parametrize(
    ("matchers", "found"),
    [
        (['name="chat"'], {"Hot"}),
        (['name=~"ch.*"', "kind=webhook"], {"Hot"}),
        (['{name="spare",kind="file"}'], {"Down"}),
        (["kind=file", "name=chat"], set()),
        (["kind!=file"], {"Hot"}),
        (["team=x"], set()),
    ],
)
async def test_alerts_groups_and_receivers_are_chosen_by_the_labels_of_receivers(tmp_path, broker, matchers, found):
    async with running(tmp_path, broker) as desk:
        await desk.fires("Hot")
        await desk.send("down/b", 1)
        async with asyncio.timeout(PATIENCE):
            while len(await desk.get("/alerts")) < 2:
                await asyncio.sleep(0.02)
        query = [("receiver_matchers", each) for each in matchers]
        async with aiohttp.ClientSession() as session:
            for path in ("/alerts", "/alerts/groups"):
                async with session.get(f"{desk.url}/api/v2{path}", params=query) as answer:
                    names = {each["labels"]["alertname"] for each in await answer.json()}
                    assert names == found, path
            async with session.get(f"{desk.url}/api/v2/receivers", params=query) as answer:
                told = {each["name"] for each in await answer.json()}
                assert told - {"nobody"} == {{"Hot": "chat", "Down": "spare"}[each] for each in found}


async def test_receivers_say_by_which_labels_they_are_chosen(shared):
    assert await shared.get("/receivers", receiver_matchers="kind=~.+") == [
        {"name": "chat", "labels": {"name": "chat", "kind": "webhook"}},
        {"name": "spare", "labels": {"name": "spare", "kind": "file"}},
    ]
    status, said = await shared.ask("GET", "/receivers", receiver_matchers="kind")
    assert (status, "bad matcher" in said) == (400, True)


async def test_names_of_labels_may_be_any_text_from_the_post_to_the_silence_and_back(desk):
    labels = {"alertname": "Door", "my label": "x y", "größe": "1", "a.b": "2", '"{,}"': "3"}
    assert (await desk.post({"labels": labels}))[0] == 200
    assert (await desk.told("Door", "firing"))["labels"].items() >= labels.items()
    for wanted in ('"my label"="x y"', "größe=1", '{"a.b"=~"2|3","my label"!=""}', '"\\"{,}\\""="3"'):
        (shown,) = await desk.get("/alerts", filter=wanted)
        assert shown["labels"].items() >= labels.items()
    assert await desk.get("/alerts", filter='"my label"="z"') == []
    named = {"name": "my label", "value": "x y", "isRegex": False, "isEqual": True}
    _, made = await desk.ask("POST", "/silences", _silence(matchers=[named]))
    assert (await desk.get(f"/silence/{made['silenceID']}"))["matchers"] == [named]
    (shown,) = await desk.get("/alerts", filter='"my label"="x y"')
    assert shown["status"]["silencedBy"] == [made["silenceID"]]
    assert '"my label"="x y"' in await desk.cli("alerts", "--silences")
    await desk.amtool("silence", "expire", made["silenceID"])
    assert "until" in await desk.cli("silence", '"my label"="x y"', "--for", "1h")
    assert "Door" in await desk.cli("ack", '"my label"=~"x.*"')
    assert "Door" in await desk.cli("why", "Door", "my label=x y")
