"""hub record and hub replay: from a real broker into a file, and through the rules again."""

import asyncio
import gzip
import json
import sys

from hub.operate.cli.record import Writer
from tests.operate.test_cli import hub
from tests.support.hub import ROOT
from tests.support.mqtt import client

RULES = """
receivers: {chat: json://localhost:1/chat}
rules:
  - {alert: Hot, topic: "t/{device}", when: value > 30, notify: [chat]}
"""


async def record(folder, broker, *arguments):
    settings = broker.settings("hub")
    url = f"mqtt://hub:{settings.password.reveal()}@127.0.0.1:{broker.port}"
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub", "record", *arguments, "--broker", url),
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        stderr=asyncio.subprocess.PIPE,
    )


async def test_what_comes_is_recorded_and_replayed_through_the_rules(tmp_path, broker):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yaml").write_text(RULES)
    process = await record(tmp_path, broker, "events.ndjson.gz", "--count", "3")
    async with client(broker.settings("device"), "device") as device:
        while process.returncode is None:
            for value in ("20", "35", "off"):
                await device.publish("t/1", value)
            await asyncio.sleep(0.1)
        _, said = await process.communicate()
    assert process.returncode == 0, said
    assert "3 messages recorded" in said.decode()
    lines = gzip.decompress((tmp_path / "events.ndjson.gz").read_bytes()).splitlines()
    assert len(lines) == 3
    code, out, _ = hub("replay", "events.ndjson.gz", "--rules", "rules", "--json", cwd=tmp_path)
    assert code == 0
    assert [each["state"] for each in json.loads(out)["alerts"]].count("firing") == 1


def test_lines_that_are_no_records_are_named_and_the_others_played(tmp_path):
    (tmp_path / "r.yaml").write_text(RULES)
    (tmp_path / "e.ndjson").write_text('{"time": 5, "topic": "t/1", "payload": 35}\nnonsense\n')
    code, out, err = hub("replay", "e.ndjson", "--rules", "r.yaml", cwd=tmp_path)
    assert code == 0
    assert "line 2: not JSON" in err
    assert "1 fired, 0 resolved, 1 notifications; 1 events" in out


def test_a_difference_is_told_in_one_line_and_each_part_with_its_reason(tmp_path):
    (tmp_path / "old.yaml").write_text(RULES)
    (tmp_path / "new.yaml").write_text(RULES.replace("> 30", "> 40"))
    (tmp_path / "e.ndjson").write_text('{"time": 5, "topic": "t/1", "payload": 35}\n')
    code, out, _ = hub(
        "replay", "e.ndjson", "--rules", "new.yaml", "--against", "old.yaml", "--tz", "UTC", cwd=tmp_path
    )
    assert code == 0
    first, last = out.splitlines()
    assert first == "1970-01-01 00:00:05  missed  firing Hot device=1 -> chat: `value > 40` did not hold"
    assert last.startswith("1 notification fewer, 0 new, 1 missed (0 the same")


def test_a_file_that_is_not_there_is_told_without_a_traceback(tmp_path):
    (tmp_path / "r.yaml").write_text(RULES)
    code, _, err = hub("replay", "no.ndjson", "--rules", "r.yaml", cwd=tmp_path)
    assert code in (1, 2)
    assert "no.ndjson" in err


def test_a_file_gives_way_at_its_size_and_so_many_are_kept(tmp_path):
    writer = Writer(tmp_path / "e.ndjson", 10, float("inf"), 2)
    for number in range(4):
        writer.write(b"%d23456789\n" % number)
        writer.flush(0.0)
    writer.close()
    found = {path.name: path.read_bytes()[:1] for path in tmp_path.iterdir()}
    assert found == {"e.ndjson": b"", "e.ndjson.1": b"3", "e.ndjson.2": b"2"}
