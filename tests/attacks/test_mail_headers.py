"""A device that writes mail headers into its values, through a real broker, hub and mail server."""

import base64

import pytest

from tests.acceptance.scene import scene
from tests.support.mailbox import Mailbox
from tests.support.record import PATIENCE

RULES = """
  - {event: Seen, topic: "t/{device}", by: [device], notify: [bus, mail, other], summary: "{payload.v}",
     details: "{payload.v}", severity: critical, labels: {said: "{payload.v}"}}
"""
RECEIVERS = """\
mail: {{smtp: {{host: 127.0.0.1, port: {port}, tls: none, from: Hub <hub@example.org>, to: ops@example.org,
  subject: "{{summary}} {{said}}"}}}}
other: "mailto://127.0.0.1:{port}/?from=hub@example.org&to=ops@example.org&mode=insecure&format=text"
"""
EVIL = "x\r\nBcc: evil@example.org\r\n\r\n--part"
SAID = [
    "=?utf-8?q?x=0D=0ABcc:_evil@example.org?=",
    f"=?utf-8?b?{base64.b64encode(EVIL.encode()).decode()}?=",
    "=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3D0D=3D0ABcc:a=3F=3D?= ä",
    "=?utf-8?q?a?= =?utf-8?q?=0D=0A=0D=0A--part?=",
    EVIL,
    "a\nBcc: evil@example.org\n.\nMAIL FROM:<evil@example.org>",
    "a\u2028Bcc: evil@example.org",
]
OURS = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version", "From", "To", "Subject", "Date", "Message-ID"}
MORE = {"References", "In-Reply-To", "Auto-Submitted", "X-Application"}


@pytest.mark.parametrize("said", SAID, ids=range(len(SAID)))
async def test_it_writes_no_header_no_recipient_and_no_part(tmp_path, broker, said):
    mailbox = Mailbox()
    async with mailbox.serving() as port, scene(tmp_path, broker, RULES, RECEIVERS.format(port=port)) as at:
        await at.send("t/7", {"v": said})
        await mailbox.mails.until(lambda mails: len(mails) >= 2, PATIENCE, "both mails")
        await at.settled()
        assert await at.hub.stop() == 0
    assert [to for to, _, _ in mailbox.mails] == [["ops@example.org"]] * 2
    for _, mail, _ in mailbox.mails:
        assert set(mail.keys()) - MORE == OURS
        assert len(mail.keys()) == len(set(mail.keys()))
        assert mail.get_content_type() == "text/plain"
        assert "\n" not in mail["Subject"]
        assert "=?" not in mail["Subject"]
