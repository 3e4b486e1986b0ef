"""Fuzzed payload values go into topics, URLs, texts, the log and a terminal: no disconnect, nothing out of its place.

A few thousand in the ordinary run; 100,000 with --long. The seed is printed; FUZZ_SEED plays it again.
"""

import asyncio
import json
import os
import pty
import random
import re
import sys
import unicodedata

from tests.acceptance.scene import scene
from tests.support.ends import Web, watching
from tests.support.hub import ROOT

RULES = """
  - event: Named
    topic: "in/{device}"
    notify: [bus, to, hook]
    summary: "{name}"
    details: "{name} {payload}"
    labels: {who: "{name}", part: "{name.x}"}
  - {alert: Kept, topic: "in/{device}", by: [device, name], when: n % 50 == 0, summary: "{name}", notify: [to]}
"""
RECEIVERS = """\
to: {{mqtt: {{topic: "notify/to/{{payload.name}}/{{who}}/end", payload: "{{summary}} {{details}}"}}}}
hook: {{webhook: {{url: "{url}/hooks/{{payload.name}}/end?who={{who}}"}}}}
"""
PIECES = [
    *("/", "+", "#", "..", "../../hub/command/ack", "$SYS", "%2F", "%00", "{", "}", "{{device}}", "{0.__class__}"),
    *("\0", "\x01", "\x07", "\x08", "\x1b[2J", "\x1b]0;owned\x07", "\x7f", "\x85", "\x9b31m", "\r", "\n", "\r\n", "\t"),
    *("\u2028", "\u2029", "\u202e", "\u2066", "\ufeff", "\ufffe", "\uffff", "\U0010ffff", "\ud83d", "e\u0301" * 30),
    *("[red]", "[/]", "[link=file:///etc/passwd]x[/link]", "<script>", "'; DROP TABLE alerts; --", '"', "\\", "`id`"),
    *("?", "&", "=", "@", ":", "://", "http://127.0.0.1/", " ", "", "a", "ü", "日本", "🔥", "x" * 300),
]
ANSWER = re.compile(r"/hooks/[^/?#]*/end\?who=[^#&\s]*")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TURNING, HARMLESS = set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068"), set("\n\r\t")
TOPIC = re.compile(
    r"in/[0-9]|ask/heard|notify/[A-Z]\w+|notify/to/[^/+#]+/[^/+#]+/end|hub/status|hub/alerts/Kept/[0-9]/[^/+#]+"
    r"|hub/alerts/HubRuleErrors/(Named|Kept)"  # told where all this takes long
)


def value(chance, depth=0):
    """Return any JSON value, most often a text of nasty pieces."""
    kind = chance.random()
    if kind < 0.7 or depth > 3:
        text = "".join(chance.choice(PIECES) for _ in range(chance.randrange(6)))
        if kind < 0.2:
            text += "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randrange(8)))
        return text.encode("utf-8", "replace").decode()  # a lone surrogate is no JSON that is read
    if kind < 0.8:
        return chance.choice([0, -1, 1.5, 10**18, -(10**30), 1e308, True, False, None])
    if kind < 0.9:
        return [value(chance, depth + 1) for _ in range(chance.randrange(3))]
    return {value(chance, 4): value(chance, depth + 1) for _ in range(chance.randrange(3))}


def hurtful(text):
    """Return the characters that move a cursor, start a command or turn text around, but for line ends."""
    return {each for each in text if unicodedata.category(each) in ("Cc", "Zl", "Zp") or each in TURNING} - HARMLESS


async def on_terminal(at, *arguments):
    """Run a command on a terminal; return what it wrote there, colours taken out."""
    ours, theirs = pty.openpty()
    environment = {"PASSWORD": at.hub.broker.settings("hub").password.reveal(), "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub", *arguments),
        cwd=at.hub.folder,
        env=environment | {"TERM": "xterm-256color", "COLUMNS": "200"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    reading = asyncio.create_task(asyncio.to_thread(_read_all, ours))
    assert await process.wait() == 0
    return COLOUR.sub("", await reading)


def _read_all(terminal):
    read = bytearray()
    while True:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not more:
            break
        read += more
    os.close(terminal)
    return read.decode()


async def test_no_value_of_a_payload_leaves_its_place_or_reaches_a_log_or_terminal_raw(tmp_path, broker, long):
    count = 100_000 if long else 2000
    seed = os.environ.get("FUZZ_SEED") or str(random.randrange(10**9))
    chance = random.Random(seed)
    print(f"\n{count} values, seed {seed}")
    async with (
        Web() as hook,
        watching(broker, "#", name="all") as everything,
        scene(tmp_path, broker, RULES, RECEIVERS.format(url=hook.url)) as at,
    ):
        for first in range(0, count, 500):
            batch = [(f"in/{n % 7}", json.dumps({"name": value(chance), "n": n})) for n in range(first, first + 500)]
            assert set(await at._device.publish_all(batch)) == {0}
            await hook.requests.until(lambda items, first=first: len(items) >= first - 500, 120)
        await hook.requests.until(lambda items: len(items) >= count, 15)
        await at.settled()
        assert await at.hub.stop() == 0

        assert not [line for line in at.hub.lines if " disconnected " in line or " dead " in line], seed
        assert at.hub.errors == []
        assert len(at.notifications("Named")) == count
        assert len({each["json"]["id"] for each in hook.requests}) == count
        assert not [each["url"] for each in hook.requests if not ANSWER.fullmatch(each["url"])], seed
        assert not {each.topic for each in everything if not TOPIC.fullmatch(each.topic)}, seed
        told = [each for each in everything if each.topic.startswith("notify/to/")]
        assert len(told) >= count
        for each in told:
            assert not hurtful(each.payload.decode()), (each, seed)
            assert not {char for char in each.topic if unicodedata.category(char) == "Cc"}, (each.topic, seed)
            assert len(each.topic.encode()) <= 512
            assert len(each.payload) <= 2 * 4096 + 1
        for body in at.notifications("Named"):
            assert not hurtful(body["summary"] + body["details"] + "".join(body["labels"].values())), (body, seed)
        assert not [line for line in at.hub.lines if hurtful(line) or "\t" in line or "\r" in line], seed

        await at.hub.start()
        for arguments in (("alerts",), ("why", "Kept"), ("why", "Named"), ("alerts", "--json")):
            assert not hurtful(await on_terminal(at, *arguments)), (arguments, seed)
