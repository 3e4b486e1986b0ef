"""Requests that are none, by HTTP and by MQTT: each is refused in a sentence, none is half done, the log has no bug."""

import json

import pytest

from tests.attacks.test_http import PATIENCE, ROOT, UPGRADE, besieged, over
from tests.support.mqtt import client

DEEP = b'{"matchers": ["a=b"], "by": "eve", "x": ' + b"[" * 300 + b"]" * 300 + b"}"


def said(line, *headers, body=b""):
    head = [line + b" HTTP/1.1", *headers, b"Connection: close", b"Content-Length: %d" % len(body)]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (said(b"POST /login", b"Host: h", b"Origin: http://[", body=b'{"token": "x"}'), b"403"),
        (said(b"POST /logout", b"Host: h", b"Origin: http://[::"), b"403"),
        (said(b"POST /api/hub/ack", b"Host: h", b"Origin: //]", body=b"{}"), b"403"),
        (UPGRADE.replace(b"Upgrade: ", b"Origin: http://[\r\nUpgrade: "), b"403"),
        (said(b"GET /api/hub/status", b"Host: ["), b"401"),
        (said(b"GET /readyz", b"Host: ["), b"200"),
    ],
    ids=range(6),
)
async def test_a_host_or_origin_that_is_none_is_refused_and_is_no_bug(tmp_path, broker, asked, status):
    async with besieged(tmp_path, broker) as at:
        assert (await over(at.open(asked)))[9:12] == status
        assert not any("bug" in line or "Traceback" in line for line in [*at.hub.lines, *at.hub.errors])


async def test_without_tokens_a_host_that_is_none_is_refused(tmp_path, broker):
    async with besieged(tmp_path, broker, http="{listen: '127.0.0.1:0'}") as at:
        assert (await over(at.open(said(b"GET /api/hub/status", b"Host: ["))))[9:12] == b"403"
        assert (await over(at.open(said(b"GET /api/hub/status", b"Host: evil.example"))))[9:12] == b"403"


async def test_a_command_that_the_audit_log_could_not_write_is_refused_before_it_is_done(tmp_path, broker):
    async with besieged(tmp_path, broker) as at:
        told = b"Authorization: " + ROOT["Authorization"].encode()
        answer = await over(at.open(said(b"POST /api/hub/silence", b"Host: h", told, body=DEEP)))
        assert answer[9:12] == b"400"
        assert b"nested no deeper than 32" in answer
        async with client(broker.settings("operator"), "desk") as desk:
            await desk.publish("hub/command/silence", DEEP)
        await at.hub.says("silence: a request is JSON nested no deeper than 32", seconds=PATIENCE)
        assert json.loads((await at.ask("/api/hub/silences"))[1])["silences"] == []
        assert json.loads((await at.ask("/api/hub/audit"))[1])["entries"] == []
        await at.works()
