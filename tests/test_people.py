"""Times for people are in one zone, the hub's; those for programs are RFC 3339 in UTC."""

import json
import os
import pty
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hub.clock import PEOPLE, ManualClock, People
from hub.expressions import Scope, compile_template
from hub.notify.wording.templating import SCOPE, names
from hub.notify.wording.text import message
from hub.operate.terminal.log import LogObserver
from tests.acceptance.scene import scene
from tests.support import prefork

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()
RULES = """
  - alert: Hot
    topic: t/{site}/{device}
    when: value > 30
    summary: "{device} since {since:%H:%M}, told {now:%Z}, {since}"
"""


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setattr(PEOPLE, "zone", ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize("at", [NOON + 0.75, "2026-07-01T12:00:00.750Z", "2026-07-01T15:00:00.750+03:00"])
def test_a_time_for_people_is_in_their_zone_to_the_second(at):
    assert People(ZoneInfo("Europe/Berlin")).told(at) == "2026-07-01 14:00:00"


def test_a_text_that_is_no_time_stays_as_it_is():
    assert People().told("None") == "None"


@pytest.mark.usefixtures("berlin")
def test_templates_of_rules_and_of_receivers_write_times_in_the_zone_and_programs_get_utc():
    rule = compile_template("{ts:%H:%M} {timestamp(ts)} {string(timestamp(ts))}", Scope())
    told = rule.render({"ts": "2026-07-01T12:00:00.25Z"}, (), None).text
    assert told == "14:00 2026-07-01 14:00:00 2026-07-01T12:00:00.250Z"
    body = {"id": "a-1-firing", "state": "firing", "since": "2026-07-01T12:00:00.000Z", "event": {}}
    receiver = compile_template("{since:%H:%M} {since}", SCOPE)
    assert receiver.render(*names(body)).text == "14:00 2026-07-01T12:00:00.000Z"
    assert message(body).startswith("State: firing since 2026-07-01 14:00:00")


@pytest.mark.usefixtures("berlin")
def test_the_log_has_the_zone_on_a_terminal_and_utc_in_a_file(tmp_path):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, (tmp_path / "log").open("w+") as file:
        for stream in (terminal, file):
            log = LogObserver(stream, ManualClock(NOON))
            log.note("start", "x")
            log.close()
        assert os.read(ours, 100).decode().startswith("2026-07-01 14:00:00 start x")
        file.seek(0)
        assert file.read().startswith("2026-07-01T12:00:00.000Z start x")
    os.close(ours)


async def test_the_hubs_zone_is_that_of_its_defaults_in_texts_tables_and_answers(tmp_path, broker):
    async with scene(tmp_path, broker, RULES, http="{listen: '127.0.0.1:0'}") as made:
        rules = made.hub.rules.read_text("utf-8")
        made.hub.rules.write_text(rules.replace("defaults: {", "defaults: {tz: Asia/Kolkata, "), "utf-8")
        await made.hub.says(" reloaded ")
        await made.send("t/a/1", "35")
        told = await made.notified("Hot", "firing")
        local = datetime.fromisoformat(told["since"]).astimezone(ZoneInfo("Asia/Kolkata"))
        assert told["since"].endswith("Z")
        assert told["summary"] == f"1 since {local:%H:%M}, told IST, {local:%Y-%m-%d %H:%M:%S}"
        url = await made.hub.url()
        for way in ([], ["--url", url]):
            assert f"{local:%Y-%m-%d %H:%M:%S}" in await _said(made.hub, "alerts", *way)
        assert json.loads(await _said(made.hub, "alerts", "--json"))[0]["since"] == told["since"]
        assert f"{local:%Y-%m-%d %H:%M}" in await _said(made.hub, "why", "Hot")


async def _said(hub, *arguments):
    """Return what a command says on a machine that is elsewhere."""
    env = {"PASSWORD": hub.broker.settings("hub").password.reveal(), "TZ": "America/New_York"}
    process = await prefork.start(*arguments, cwd=hub.folder, env=env)
    out, _ = await process.communicate()
    return out.decode()


@pytest.mark.parametrize(
    ("tz", "says"), [("", "times are told in Asia/Tokyo, this machine's zone"), ("tz: Europe/Berlin, ", "")]
)
async def test_check_names_the_machines_zone_where_no_file_names_one(tmp_path, tz, says):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(
        f"receivers: {{a: json://localhost}}\ndefaults: {{{tz}notify: [a]}}\n"
        "rules: [{alert: A, topic: a, when: v > 1}]\n"
    )
    process = await prefork.start("check", cwd=tmp_path, env={"TZ": "Asia/Tokyo"})
    out, err = await process.communicate()
    assert (process.returncode, out.decode()) == (0, "no problems\n")
    assert says in err.decode()
    assert bool(says) == bool(err)
