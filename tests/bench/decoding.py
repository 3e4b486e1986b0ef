"""What a payload costs that is no JSON: each decoder beside orjson, and rules with `decode` beside plain ones.

`python -m tests.bench.decoding`; figures of a shared machine vary, quote ratios of one run.
"""

import gzip
import struct
from timeit import repeat
from types import SimpleNamespace

import cbor2
import msgpack
import orjson

from hub.ingest.decode import decode_all
from hub.ingest.decoding.decoder import decoder
from hub.ingest.decoding.packed import packed_reader, packed_struct
from hub.rules.running.engine import Engine
from tests.rules.making import rules

READING = {"temperature": -9.5, "humidity": 55, "battery": 3.05}
RULE = "- {{alert: A{0}, topic: 'a/{{d}}', {1}when: temperature > {0}}}"


def microseconds(function, number=5000):
    return min(repeat(function, number=number, repeat=5)) / number * 1e6


def packets(payload, count=1000):
    about = {"packet_id": None, "retain": False, "content_type": None, "qos": 0}
    return [SimpleNamespace(topic=f"a/{n % 100}", payload=payload, **about) for n in range(count)]


def engine_of(decode, count):
    return Engine(rules("\n".join(RULE.format(n, decode) for n in range(count))))


def process(engine, sent):
    events, _ = decode_all(sent, 1000.0, is_encoded=engine.is_encoded)
    return microseconds(lambda: engine.process(events, 1000.0), 20) / len(events)


def main():
    layout = packed_struct("<fBf")
    frames = {
        "JSON (orjson)": (orjson.loads, orjson.dumps(READING)),
        "cbor": (decoder("cbor").read, cbor2.dumps(READING)),
        "msgpack": (decoder("msgpack").read, msgpack.packb(READING)),
        "packed": (packed_reader(layout, list(READING)), struct.pack("<fBf", *READING.values())),
        "gzip of JSON": (decoder("gzip").read, gzip.compress(orjson.dumps(READING))),
    }
    for name, (read, data) in frames.items():
        print(f"{name:>16}: {microseconds(lambda read=read, data=data: read(data)):6.2f} µs")
    sent = packets(orjson.dumps(READING))
    print(f"   ingest, plain: {microseconds(lambda: decode_all(sent, 1000.0), 20) / len(sent):6.2f} µs a message")
    plain = process(engine_of("", 10), sent)
    decoded = process(engine_of("decode: cbor, ", 10), packets(cbor2.dumps(READING)))
    one = process(engine_of("decode: cbor, ", 1), packets(cbor2.dumps(READING)))
    print(f"  10 plain rules: {plain:6.2f} µs an event; 10 with decode: cbor {decoded:.2f} µs, one {one:.2f} µs")


if __name__ == "__main__":
    main()
