"""Messages that are no JSON in tests beside rules, and in recordings."""

import os

import cbor2
import orjson
import pytest

from hub.model import Delivery
from hub.trial.records import BadLine, line_of, read_line
from tests.support import prefork

RULES = """
rules:
  - {alert: Cbor, topic: a, decode: cbor, when: t > 5, notify: []}
  - {alert: Typed, topic: b, when: t > 5, notify: []}
tests:
  - name: bytes
    topic: a
    send:
      - {at: 0m, hex: "a1 61 74 06"}
      - {at: 1m, hex: ff}
      - {at: 0m, topic: b, base64: oWF0Bg==, content_type: application/cbor}
      - {at: 2m, base64: oWF0AQ==}
    expect:
      - {at: 1m, alert: Cbor, state: firing}
      - {at: 1m, alert: Typed, state: firing}
      - {at: 2m, alert: Cbor, state: resolved}
"""


def test_a_test_sends_bytes_and_content_types(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    code, out, err = prefork.run("test", "rules.yaml", cwd=tmp_path, env=os.environ)
    assert (code, err) == (0, ""), out


def test_a_message_has_one_payload_and_its_digits_are_digits(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES.replace("hex: ff", "hex: ff, payload: 1").replace("06", "6"))
    _, out, err = prefork.run("test", "rules.yaml", cwd=tmp_path, env=os.environ)
    assert "a message has one payload" in out + err
    assert "no hexadecimal digits" in out + err


class Packet(Delivery):
    packet_id = 1


@pytest.mark.parametrize("payload", [cbor2.dumps({"t": 6}), b" 5", b"1.50", b"{broken", b"\xff\x00", b'{"t": 6}'])
def test_what_was_recorded_comes_back_as_it_came(payload):
    record = line_of(Packet("a", payload), 1000.0)
    event = read_line(record, 1, lambda _: True)
    assert event.raw in (payload, orjson.dumps({"t": 6}))
    typed = line_of(Packet("a", payload, content_type="application/cbor"), 1000.0)
    assert orjson.loads(typed)["content_type"] == "application/cbor"


def test_a_recorded_content_type_counts():
    record = line_of(Packet("a", cbor2.dumps({"t": 6}), content_type="application/cbor"), 1000.0)
    assert read_line(record, 1).value == {"t": 6}
    broken = line_of(Packet("a", b"\xff", content_type="application/cbor"), 1000.0)
    assert isinstance(read_line(broken, 1), BadLine)
