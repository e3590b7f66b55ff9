#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets by hand: fuzz/seeds/TARGET/NAME, one a case worth starting from.

What fuzzers found since stands beside them: fuzz/run.py --minimize keeps what covers something new, under names that are
hashes. Run this after a change to what an input of a target means.
"""

import base64
import pathlib
import struct
import subprocess
import sys

SEEDS = pathlib.Path(__file__).resolve().parent / "seeds"


# ---- protobuf by hand ----


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def field(number_, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(number_ << 3 | 2) + varint(len(value)) + value


def entry(key, value):
    return field(1, key) + field(2, value)


def message(data=b"", attributes=(), message_id="", seconds=0, nanos=0, key=""):
    out = field(1, data) if data else b""
    out += b"".join(field(2, entry(k, v)) for k, v in attributes)
    out += field(3, message_id) if message_id else b""
    out += field(4, number(1, seconds) + number(2, nanos)) if seconds or nanos else b""
    return out + (field(5, key) if key else b"")


def received(ack_id, body, attempt=0):
    return field(1, ack_id) + field(2, body) + (number(3, attempt) if attempt else b"")


def response(*messages, properties=None):
    out = b"".join(field(1, m) for m in messages)
    return out + (field(4, properties) if properties is not None else b"")


PLAIN = received("ack-1", message(b"payload", [("k", "v"), ("k", "w")], "17", 1700000000, 999999999, "key"), 2)
MANY = received("ack-2", message(b"", [(f"key{i % 17}", f"value{i}") for i in range(40)], "18"))
BROKEN_TEXT = received(b"\xff\xfe", message(b"\x00\x01", [(b"\xc3", b"\xe2\x82")], b"\xf0\x9f\x98", key=b"a\x80b"))
FAR = received("a", message(b"x", (), "1", -(1 << 62), -1))
UNKNOWN = b"".join(
    [number(9, 1), varint(10 << 3 | 1) + b"8bytes!!", varint(11 << 3 | 5) + b"4by!", field(12, b"skipped")]
)
PROPERTIES = field(9, "newer") + number(1, 1) + number(2, 1)

RESPONSES = {
    "empty": b"",
    "one": response(PLAIN),
    "several": response(PLAIN, MANY, BROKEN_TEXT, FAR, properties=number(1, 1)),
    "properties": response(properties=PROPERTIES),
    "confirmations": field(5, field(1, "ack-1") + field(3, "ack-2")) + field(3, field(1, "ack-1")),
    "unknown": response(PLAIN + UNKNOWN + field(2, UNKNOWN)) + UNKNOWN,
    "long": response(received("ack", message(b"d" * 20000, [("k", "v")], "1", 5, 0, "key"), 1), PLAIN),
    "two_bodies": response(field(2, field(1, b"a" * 9000)) + field(2, field(1, b"bb")) + field(1, "late")),
    "cut": response(PLAIN)[:-3],
    "group": response(PLAIN) + b"\x0b\x0c",
}


def pull_decoder():
    for name, body in RESPONSES.items():
        yield name, b"\x00" + body
        yield name + "_cut_up", b"\x01" + body
        yield name + "_in_parts", b"\x05" + body
    yield "fields_of_a_long_one", b"\x81" + field(2, message(b"d" * 40, [("k", "v")], "1", 5)) + number(3, 7) + UNKNOWN
    yield "field_beyond_a_long_one", b"\x81" + field(2, b"\x0a\x7f")
    yield "number_in_a_long_one", b"\x83" + number(7, 1 << 63) + field(2, number(6, 1) + field(9, b"u"))


def chunk():
    for name, body in RESPONSES.items():
        for columns, rows, drop, mode in [(0x3F, 255, 1, 0), (0x3F, 0, 0, 1), (0x24, 1, 3, 9), (0, 255, 2, 0)]:
            yield f"{name}_{columns}_{rows}", bytes([columns, rows, drop, mode]) + body
    many = response(*[received(f"ack-{i}" * 3, message(b"p" * i, [("k", str(i))], str(i), i, i, "k" * (i % 3)), i % 2) for i in range(150)])
    yield "many_rows", bytes([0x3F, 99, 5, 0]) + many


def packed_chunk():
    """Packed by the library itself: fuzz/tools/pack_chunk.c, built by `make fuzz`."""
    tool = SEEDS.parent.parent / "build/fuzz/fuzz_tool_pack_chunk"
    several = received("b", message(b"y" * 9, [("k", "v"), ("l", "")], "2", 1700000001, 5, "key"), 0)
    for name, body in {"one": response(PLAIN), "three": response(PLAIN, several, PLAIN), "many": response(*[several, PLAIN, MANY] * 30)}.items():
        for columns in (0x3F, 0x24, 1, 2, 4, 8, 16, 32, 0):
            yield f"{name}_{columns}", subprocess.run([tool, str(columns)], input=body, capture_output=True, check=True).stdout


def grpc_frame():
    def frame(body, flag=0):
        return struct.pack(">BI", flag, len(body)) + body

    yield "one", b"\x00" + frame(b"hello")
    yield "empty_ones", b"\x01" + frame(b"") * 3 + frame(b"x", 1)
    yield "cut_up", b"\x02" + frame(b"a" * 300) + frame(b"b" * 20)
    yield "too_long", b"\x00" + frame(b"a" * 513)
    yield "half", b"\x00" + frame(b"abcdef")[:-2]
    yield "stopped", b"\x00" + frame(b"\xeestop") + frame(b"never")
    yield "bad_flag", b"\x00" + frame(b"x", 2)


def header(kind, value, name=b""):
    value = value.encode() if isinstance(value, str) else value
    return bytes([kind]) + (bytes([len(name)]) + name if kind & 0x3F >= 5 else b"") + bytes([len(value)]) + value


def grpc_status():
    ok = header(0, "200") + header(1, "application/grpc+proto")
    details = base64.b64encode(number(1, 3) + field(2, "bad")).rstrip(b"=")
    yield "good", b"\x00" + ok + header(0x82, "0")
    yield "inside_a_message", b"\x01" + ok + header(0x82, "0")
    yield "failed", b"\x00" + ok + header(0x82, "5") + header(0x83, "not%20found: %e2%82%ac %") + header(0x84, details)
    yield "no_status", b"\x00" + ok
    yield "beyond", b"\x00" + ok + header(0x82, "17") + header(0x83, "%4")
    for code in [400, 401, 403, 404, 429, 503, 500, 2000]:
        yield f"http_{code}", b"\x00" + header(0, str(code)) + header(1, "text/html") + header(5, "x", b"server")


def outcome_status(*entries, url="type.googleapis.com/google.rpc.ErrorInfo"):
    info = field(1, "INFO") + b"".join(field(3, entry(k, v)) for k, v in entries)
    return number(1, 9) + field(2, "some failed") + field(3, field(1, url) + field(2, info))


def ack_outcome():
    both = [("ack-2", "TRANSIENT_FAILURE_UNORDERED_ACK_ID"), ("ack-1", "PERMANENT_FAILURE_INVALID_ACK_ID")]
    yield "both", b"\x00" + outcome_status(*both, ("resource", "projects/p"))
    yield "twice", b"\x00" + outcome_status(*both) + outcome_status(*both)
    yield "other_type", b"\x00" + outcome_status(*both, url="type.googleapis.com/google.rpc.RetryInfo")
    yield "metadata", b"\x01" + field(3, entry(*both[0])) + field(3, entry(*both[1])) + field(3, b"") + UNKNOWN
    yield "cut", b"\x00" + outcome_status(*both)[:-5]
    yield "nothing", b"\x00"


def ack_request():
    for flags in range(16):
        yield f"flags_{flags}", bytes([flags]) + bytes([0, 1, 40, 176, 249, 250, 251, 200, 255, 255] * 9)
    yield "many", b"\x05" + bytes([176] * 599)


def row(data, key=None, attributes=()):
    def part(value):
        return struct.pack("<I", 0xFFFFFFFF) if value is None else struct.pack("<I", len(value)) + value

    body = part(data) + part(key) + struct.pack("<I", len(attributes))
    body += b"".join(part(k) + part(v) for k, v in attributes)
    return struct.pack("<I", len(body)) + body


def publish_encoder():
    yield "rows", b"\x00" + row(b"payload") + row(None, b"key", [(b"k", b"v")]) + row(b"", None, [(b"k", b"")])
    yield "null_value", b"\x00" + row(b"x", None, [(b"k", None)]) + row(b"y", None, [(None, b"v")])
    yield "limits", b"\x00" + row(b"x", b"k" * 1025) + row(b"x", None, [(b"k" * 257, b"v")]) + row(
        b"x", None, [(b"k", b"v" * 1025)]
    ) + row(b"x", None, [(b"google", b"v")]) + row(b"x", None, [(b"", b"v")]) + row(b"") + row(b"x", None, [(b"k", b"v")] * 101)
    yield "broken_text", b"\x00" + row(b"x", b"\xff") + row(b"x", None, [(b"\xc3", b"v")]) + row(b"x", None, [(b"k", b"\x80")])
    yield "lengths", b"\x00" + row(b"a" * 127) + row(b"b" * 128) + row(b"c" * 17000, b"k" * 128, [(b"k" * 200, b"v" * 900)])
    yield "cut", b"\x00" + row(b"payload")[:-2]
    yield "inner_cut", b"\x00" + struct.pack("<II", 4, 9)
    yield "ids", b"\x01" + field(1, "1") + field(1, "") + field(1, "123456789012345") + UNKNOWN
    yield "ids_group", b"\x01" + field(1, "1") + b"\x0b"
    yield "ids_cut", b"\x01" + field(1, "1")[:-1]


def filter():
    body = message(b"x", [("a", "1"), ("b.c", "pre-fix"), ("é", "ü"), ('"', "\\")])
    texts = [
        "", " ", "attributes:a", 'attributes.a = "1"', 'attributes.a != "2"', 'hasPrefix(attributes."b.c", "pre")',
        'NOT attributes:x', '-attributes:x', 'attributes:a AND attributes:b', 'attributes:x OR (attributes:a AND NOT attributes:y)',
        'attributes:"é"', 'attributes."\\"" = "\\\\"', 'attributes:a AND attributes:b OR attributes:c', 'attributes', 'attributes.a',
        'attributes.a = 1', 'hasPrefix(attributes.a)', '(attributes:a', 'attributes:a x', "(" * 70 + "attributes:a" + ")" * 70,
        " AND ".join(["attributes:a"] * 30), 'attributes.a = "1', 'attributes:', 'hasPrefix(attributes.a, "")', "nothing",
        'attributes.zz != "v"', 'attributes:a AND', 'attributes:a AND (attributes:b OR attributes:c) AND -attributes:d',
    ]
    for index, text in enumerate(texts):
        yield f"text_{index:02}", text.encode() + b"\0" + body
    yield "broken_message", b"attributes:a\0" + body[:-1]
    yield "unknown_fields", b"attributes:a\0" + UNKNOWN + field(2, UNKNOWN + entry("a", "1")) + b"\x0b"


def endpoint():
    def case(place="", url="", no_proxy="", host="", answer=b"", port=443):
        return struct.pack(">H", port) + b"\0".join(t.encode() for t in (place, url, no_proxy, host)) + b"\0" + answer

    yield "plain", case("pubsub.googleapis.com", "proxy:3128", "example.com", "pubsub.googleapis.com", b"HTTP/1.1 200 OK\r\n\r\n")
    yield "port", case("localhost:8085", "http://user:p%40ss@proxy.example:3128/", ".example.com,*", "a.example.com", b"HTTP/1.1 407 No\r\n\r\n")
    yield "v6", case("[::1]:80", "http://[fd00::1]:80", "fd00::/8,10.0.0.0/8", "fd00::7", b"HTTP/1.0 503 Busy\r\n\r\n")
    yield "bare_v6", case("::1", "[::1]", "::1", "::1", b"SSH-2.0-OpenSSH_9\r\n")
    yield "range", case("h:65535", "http://u@h:1", "10.0.0.0/9, 127.0.0.1:443\tx:80", "10.127.0.1", b"HTTP/1.1 429")
    yield "bad", case("a:b:c d", "https://h", "/,10.0.0.0/33,/x,:", "10.0.0.1", b"HTTP/2 200 OK\r\n\r\n")
    for size in (380, 381, 382, 383, 384):
        yield f"credentials_{size}", case("h:0", f"http://{'u' * 100}:{'p' * (size - 101)}@h:1", "*.a", "b.a")
    yield "long", case("h" * 300, "h" * 300, "n" * 300, "h" * 300)
    yield "unescaped", case("h:", "http://u%zz:p@h", "localhost", "localhost.", b"HTTP/1.1 9xx")


def main():
    makers = [pull_decoder, chunk, packed_chunk, grpc_frame, grpc_status, ack_outcome, ack_request, publish_encoder, filter, endpoint]
    for maker in makers:
        folder = SEEDS / maker.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in maker():
            (folder / name).write_bytes(body)


if __name__ == "__main__":
    sys.exit(main())
