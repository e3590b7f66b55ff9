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
        for columns, rows, drop, repeats, failing, mode in [(0x3F, 255, 1, 0, 0, 0), (0x3F, 0, 0, 0, 1, 1), (0x24, 1, 3, 1, 2, 9), (0, 255, 2, 0, 0, 0)]:
            yield f"{name}_{columns}_{rows}", bytes([columns, rows, drop, repeats, failing, mode]) + body
    many = response(*[received(f"ack-{i}" * 3, message(b"p" * i, [("k", str(i))], str(i), i, i, "k" * (i % 3)), i % 2) for i in range(150)])
    yield "many_rows", bytes([0x3F, 99, 5, 0, 0, 0]) + many
    long = received("ack", message(b"d" * 11000, [("k", "v")], "1", 5, 0, "key"), 1)
    yield "sealed_in_a_payload", bytes([0x3F, 255, 1, 0, 0, 9]) + response(PLAIN, long)
    yield "large_and_shrunk", bytes([0x3F, 255, 1, 10, 0, 0]) + response(long)
    for failing in range(1, 24):
        yield f"failing_{failing}", bytes([0x3F, 255, 1, failing % 3, failing, 9]) + response(PLAIN, MANY) + response(long)


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
    yield "many_attributes", b"\x00" + row(b"x", None, [(b"k%d" % i, b"") for i in range(100)]) + row(b"x", None, [])
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
        r'attributes:"\141"', r'attributes:"\x61\u0062\U0001F600\n"', r'attributes:"\u00e9" AND attributes:"\351"', r'attributes:"\ud800"',
        r'attributes:"\U00110000"', r'attributes:"\400"', r'attributes:"\x6"', r'attributes:"\q"', r'attributes:"\u12G4"', "attributes:\"\\xAf",
        'attributes.zz != "v"', 'attributes:a AND', 'attributes:a AND (attributes:b OR attributes:c) AND -attributes:d',
    ]
    for index, text in enumerate(texts):
        yield f"text_{index:02}", text.encode() + b"\0" + body
    yield "broken_message", b"attributes:a\0" + body[:-1]
    yield "unknown_fields", b"attributes:a\0" + UNKNOWN + field(2, UNKNOWN + entry("a", "1")) + b"\x0b"


def json_mapping():
    texts = [
        (0, '{"name": "n", "topic": "t", "ackDeadlineSeconds": 20, "retain_acked_messages": true, "labels": {"a": "1", "b": "2"}}'),
        (0, '{"messageRetentionDuration": "600.5s", "retryPolicy": {"minimumBackoff": "1s"}, "state": "ACTIVE", "deadLetterPolicy": null}'),
        (0, '{"pushConfig": {"pushEndpoint": "https://a", "attributes": {"x": "y"}, "oidcToken": {"audience": "z"}}, "detached": false}'),
        (0, '{"messageTransforms": [{"enabled": true}, {"javascriptUdf": {"functionName": "f", "code": "c"}}], "name": "\\ud83d\\ude00\\n"}'),
        (1, '{"name": "n", "messageStoragePolicy": {"allowedPersistenceRegions": ["a", "b"]}, "kmsKeyName": "k"}'),
        (2, '{"topic": "t", "messages": [{"data": "aGVsbG8=", "attributes": {"a": "b"}, "orderingKey": "k"}, {"data": "_-8"}, {}]}'),
        (3, '{"parent": "p", "schemaId": "s", "schema": {"type": "AVRO", "definition": "{}", "revisionCreateTime": "2024-02-29T12:30:15.25+01:00"}}'),
        (4, '{"subscription": "s", "time": "2024-01-01T00:00:00Z"}'), (4, '{"snapshot": "s", "time": "2024-01-01T00:00:00Z"}'),
        (5, '{"ackIds": ["a", "b"], "maxOutstandingBytes": "9007199254740993", "modifyDeadlineSeconds": [1, "2", -3e0]}'),
        (6, '{"topic": {"name": "n", "labels": {"a": "b"}}, "updateMask": "labels,message_retention_duration,kmsKeyName"}'),
        (6, '{"topic": {"messageTransforms": [{"aiInference": {"endpoint": "e", "unstructuredInference": {"parameters": {"a": [1.5, null, true, {"b": "c"}]}}}}]}}'),
        (7, '{"resource": "r", "policy": {"version": 3, "bindings": [{"role": "r", "members": ["m"], "condition": {"expression": "e"}}], "etag": "AAE="}}'),
        (0, '{"name": "a", "name": "b"}'), (0, '{"nonsense": 1}'), (0, '{"name": "\\ud83d"}'), (0, "{" * 70), (0, '{"name": "x",}'), (0, "[]"),
    ]
    for index, (which, text) in enumerate(texts):
        yield f"text_{index:02}", bytes([which]) + text.encode()


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


def tunnel():
    """Pieces, each behind its length less one; the last one's end is the connection's."""
    def pieces(answer, size):
        return b"".join(bytes([len(part) - 1]) + part for part in (answer[i : i + size] for i in range(0, len(answer), size)))

    for name, answer in {
        "stands": b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n\x00\x00\x00\x04",
        "refused": b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
        "busy": b"HTTP/1.0 503 Busy\r\n\r\n",
        "cut": b"HTTP/1.1 200 OK\r\n",
        "other": b"\x16\x03\x01\r\n\r\n",
        "endless": b"HTTP/1.1 200 OK\r\n" + b"x" * 8200,
    }.items():
        for size in (1, 4, 200):
            yield f"{name}_{size}", pieces(answer, size)


def token_answer():
    """How it is split, then the answer of a token endpoint."""
    token = b'{"access_token": "ya29.x\\u00e9", "expires_in": 3599.5, "token_type": "Bearer"}'
    refusal = b'{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}'
    chunked = b"%x;a=b\r\n%s\r\n%X\r\n%s\r\n0\r\nX: y\r\n\r\n" % (10, token[:10], len(token) - 10, token[10:])
    for name, answer in {
        "length": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(token), token),
        "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
        "until_the_end": b"HTTP/1.0 200 OK\n\n" + token,
        "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%s" % (len(refusal), refusal),
        "busy": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        "empty": b"HTTP/1.1 204 No\r\n\r\n",
        "other": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "endless": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 8200,
        "page": b"HTTP/1.1 200 OK\r\n\r\n<html>",
    }.items():
        for mode in (0, 1, 7):
            yield f"{name}_{mode}", bytes([mode]) + answer


def credentials():
    """Files of credentials; none has a key that could sign."""
    account = '"type":"service_account","client_email":"a@b","private_key_id":"k","private_key":"-----BEGIN PRIVATE KEY-----\\nAAAA"'
    yield "account", ("{" + account + ',"token_uri":"https://t.example:8443/x?y"}').encode()
    yield "no_key", b'{"type":"service_account","client_email":"a\\"b","private_key":"none","private_key_id":"\\u0001"}'
    yield "user", b'{"type":"authorized_user","client_id":"i","client_secret":"a+b/","refresh_token":"1//\\u20ac \\r\\n"}'
    yield "plaintext", b'{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r","token_uri":"http://t.example/"}'
    yield "federated", b'{"type":"external_account","credential_source":{"file":["x",{"y":null}]}}'
    yield "nested", b'{"a":[[[{"type":"authorized_user"}]]],"b":-1.5e3,"type":"authorized_user"}'


# ---- sequences of calls to the emulator ----

METHODS = (
    "CreateTopic UpdateTopic Publish GetTopic ListTopics ListTopicSubscriptions ListTopicSnapshots DeleteTopic DetachSubscription "
    "CreateSubscription GetSubscription UpdateSubscription ListSubscriptions DeleteSubscription ModifyAckDeadline Acknowledge Pull "
    "StreamingPull ModifyPushConfig GetSnapshot ListSnapshots CreateSnapshot UpdateSnapshot DeleteSnapshot Seek "
    "CreateSchema GetSchema ListSchemas ListSchemaRevisions CommitSchema RollbackSchema DeleteSchemaRevision DeleteSchema "
    "ValidateSchema ValidateMessage SetIamPolicy GetIamPolicy TestIamPermissions"
).split()
TOPIC, SUB, SNAP = "projects/p/topics/top0", "projects/p/subscriptions/sub0", "projects/p/snapshots/snap0"
SECOND = "projects/p/subscriptions/sub1"


def call(method, *fields):
    body = b"".join(fields)
    return bytes([14, METHODS.index(method), len(body)]) + body


def control(text):
    return bytes([10, 255, len(text)]) + text.encode()


def acknowledge(count, method="Acknowledge"):
    """Of sub0, the last ids that were given out."""
    there = 3 if method == "Acknowledge" else 11  # ModifyAckDeadline: subscription, seconds, ids in the order of their numbers
    seconds = b"" if method == "Acknowledge" else b"\x00"
    return bytes([0, METHODS.index(method), there, 0]) + seconds + bytes([count - 1]) + bytes(range(count))


def publish(*messages, topic=TOPIC):
    return call("Publish", field(1, topic), *[field(2, m) for m in messages])


def stream(subscription=SUB, more=b""):
    return call("StreamingPull", field(1, subscription), number(5, 10), number(7, 100), number(8, 10000), number(10, 1), more)


def wait(seconds):
    return bytes([12, [0, 0.001, 0.1, 1, 10, 61, 600, 86400].index(seconds)])


MESSAGES = [message(b"one", [("a", "b")]), message(b"two", key="key0"), message(b"three", [("a", "c")], key="key0")]


def emulator_calls():
    yield "publish_and_pull", b"\x01" + publish(*MESSAGES) + call("Pull", field(1, SUB), number(3, 10)) + acknowledge(3)
    yield "stream", b"\x00" + stream() + publish(*MESSAGES) + acknowledge(2, "ModifyAckDeadline") + wait(61) + acknowledge(2) + bytes([9, 0])
    yield "waiting_pull", b"\x00" + call("Pull", field(1, SUB), number(3, 1)) + publish(*MESSAGES) + acknowledge(1)
    dead = number(5, 10) + number(10, 1) + field(13, field(1, "projects/p/topics/top1") + number(2, 5)) + field(14, field(1, number(1, 1)))
    yield "dead_letters", (
        b"\x00" + call("CreateTopic", field(1, "projects/p/topics/top1"))
        + call("CreateSubscription", field(1, SECOND), field(2, TOPIC), dead, number(16, 1), field(12, "attributes:a"))
        + stream(SECOND) + publish(*MESSAGES) + wait(61) * 7
    )
    yield "snapshots", (
        b"\x00" + publish(*MESSAGES) + call("CreateSnapshot", field(1, SNAP), field(2, SUB)) + call("Pull", field(1, SUB), number(3, 10))
        + acknowledge(3) + call("Seek", field(1, SUB), field(3, SNAP)) + call("Seek", field(1, SUB), field(2, number(1, 1700000000)))
        + call("ListSnapshots", field(1, "projects/p")) + call("GetSnapshot", field(1, SNAP)) + call("DeleteSnapshot", field(1, SNAP))
    )
    yield "a_mask_without_its_value", (
        b"\x00" + call("CreateSnapshot", field(1, SNAP), field(2, SUB))
        + call("UpdateSnapshot", field(1, field(1, SNAP)), field(2, field(1, "expire_time"))) + wait(86400) * 8 + control("advance 8d")
    )
    yield "masks", b"\x00" + b"".join(
        call("UpdateSubscription", field(1, field(1, SUB) + field(2, TOPIC)), field(2, field(1, path)))
        for path in ["labels", "ack_deadline_seconds", "retry_policy", "dead_letter_policy", "expiration_policy", "push_config", "filter", "message_retention_duration"]
    ) + call("UpdateTopic", field(1, field(1, TOPIC)), field(2, field(1, "labels") + field(1, "message_retention_duration"))) + wait(86400)
    yield "times", (
        b"\x00" + call("CreateTopic", field(1, "projects/p/topics/top1"), field(8, number(1, 1 << 60)))
        + call("Seek", field(1, SUB), field(2, number(1, 1 << 60))) + control("advance 100000000d") + control("advance 999999999d") + control("advance 300d")
    )
    yield "retained", (
        b"\x00" + call("CreateTopic", field(1, "projects/p/topics/top1"), field(8, number(1, 600)))
        + call("CreateSubscription", field(1, SECOND), field(2, "projects/p/topics/top1"), number(7, 1), field(8, number(1, 600)))
        + publish(*MESSAGES, topic="projects/p/topics/top1") + call("Pull", field(1, SECOND), number(3, 9)) + wait(600) * 2 + control("stats")
    )
    yield "schemas", (
        b"\x00" + call("CreateSchema", field(1, "projects/p"), field(2, number(2, 2) + field(3, '{"type":"string"}')), field(3, "sch0"))
        + call("CommitSchema", field(1, "projects/p/schemas/sch0"), field(2, number(2, 2) + field(3, '{"type":"int"}')))
        + call("ListSchemaRevisions", field(1, "projects/p/schemas/sch0")) + call("ListSchemas", field(1, "projects/p"))
        + call("ValidateSchema", field(1, "projects/p"), field(2, number(2, 1) + field(3, "message M {}"))) + call("DeleteSchema", field(1, "projects/p/schemas/sch0"))
    )
    yield "policies", (
        b"\x00" + call("SetIamPolicy", field(1, TOPIC), field(2, field(4, field(1, "roles/x") + field(2, "user:a"))))
        + call("GetIamPolicy", field(1, TOPIC)) + call("TestIamPermissions", field(1, TOPIC), field(2, "pubsub.topics.publish"))
    )
    yield "deleted", (
        b"\x00" + stream() + call("DeleteTopic", field(1, TOPIC)) + call("GetSubscription", field(1, SUB)) + publish(*MESSAGES)
        + call("DeleteSubscription", field(1, SUB)) + call("DetachSubscription", field(1, SUB)) + bytes([8, 1])
    )
    for text in ["fault * reset", "fault * disconnect after=1", "fault StreamingPull lifetime=1s", "fault Pull stall", "fault * latency=1s", "fault StreamingPull duplicate"]:
        name = "fault_" + text.split()[2].split("=")[0]
        yield name, b"\x01" + control(text) + stream() + publish(*MESSAGES) + call("Pull", field(1, SUB), number(3, 1)) + wait(10) + acknowledge(2) + bytes([11])
    yield "disturbed", b"\x00" + stream() + publish(*MESSAGES) * 3 + bytes([15 + 16]) + control("disconnect") + bytes([13, 1]) + control("goaway") + bytes([13, 0]) + stream()
    yield "blocked", b"\x01" + bytes([31]) + (publish(*MESSAGES) + call("ListTopics", field(1, "projects/p"))) * 5 + bytes([11, 15]) + wait(61)


# ---- HTTP/2 ----


def headers_op(stream_id, indexes, end=False):
    return bytes([10, stream_id, 5 if end else 4, len(indexes)]) + bytes(indexes)


def message_op(stream_id, body, end=False):
    assert len(body) < 256
    return bytes([11, stream_id, 1 if end else 0, len(body)]) + body


def frame_op(kind, flags, stream_id, payload=b""):
    return bytes([kind, flags, stream_id, len(payload)]) + payload


def emulator_http2():
    def ops(flags, *many):
        return bytes([flags]) + b"".join(b"\x00" + op for op in many)

    call_ = [0, 1, 2, 12, 13, 15]
    yield "publish", ops(0, headers_op(1, call_), message_op(1, field(1, TOPIC) + field(2, MESSAGES[0]), True))
    yield "streaming", ops(0, headers_op(1, [0, 1, 3, 12, 13, 15]), message_op(1, field(1, SUB) + number(5, 10)), headers_op(3, call_), message_op(3, field(1, TOPIC) + field(2, MESSAGES[0]), True), frame_op(3, 0, 1, b"\0\0\0\x08"))
    yield "refused", ops(0, headers_op(1, [11, 1, 9], True), headers_op(3, [0, 1, 2, 14], True), headers_op(5, [0, 1, 10, 13], True), headers_op(7, [11, 1, 10, 13], True))
    yield "gzip", ops(0, headers_op(1, call_ + [16]), message_op(1, b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", True))
    yield "control_frames", ops(0, frame_op(6, 0, 0, b"12345678"), frame_op(4, 0, 0, b"\0\4\0\0\0\0"), frame_op(8, 0, 0, b"\0\0\0\1"), frame_op(7, 0, 0, b"\0" * 8), frame_op(4, 1, 0))
    yield "continued", ops(0, bytes([10, 1, 0, 3, 0, 1, 2]), bytes([15, 1, 4, 2, 12, 13]), message_op(1, b"", True))
    yield "floods", ops(0, *[frame_op(6, 0, 0, b"12345678")] * 40, *[headers_op(2 * i + 1, call_) + b"\0" + frame_op(3, 0, 2 * i + 1, b"\0\0\0\x08") for i in range(12)])
    yield "bytewise", bytes([2, 1]) + b"\x01" + headers_op(1, call_) + message_op(1, field(1, TOPIC) + field(2, MESSAGES[0]), True)
    yield "no_preface", bytes([1]) + b"\0" + bytes([13, 24]) + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" + frame_op(4, 0, 0) + b"\0" + headers_op(1, call_)
    yield "http1", bytes([1]) + b"\0" + bytes([13, 18]) + b"GET / HTTP/1.1\r\n\r\n"
    yield "blocked", ops(4, headers_op(1, call_), message_op(1, field(1, TOPIC), True))
    yield "ended", ops(16, headers_op(1, call_))


def client_http2():
    def steps(*ops, dial=0):
        return bytes([1, dial]) + b"".join(bytes([1 if index else 0]) + op if index else op for index, op in enumerate(ops))

    good, pulled = [0, 1], RESPONSES["one"]
    every = (1, 3, 5, 7)
    yield "answers", steps(*[headers_op(i, good) for i in every], *[message_op(i, pulled) for i in every], *[headers_op(i, [2], True) for i in every])
    yield "trailers_only", steps(*[headers_op(i, good + [5, 6, 7], True) for i in every])
    yield "unavailable", steps(*[headers_op(i, good + [3], True) for i in every], bytes([15 - 1 + 1]))
    yield "unauthenticated", steps(*[headers_op(i, good + [4], True) for i in every])
    yield "http_503", steps(*[headers_op(i, [9, 11]) for i in every], *[frame_op(0, 1, i, b"<html>") for i in every])
    yield "informational", steps(*[headers_op(i, [10]) for i in every], *[headers_op(i, good) for i in every], *[message_op(i, b"", True) for i in every])
    yield "resets", steps(*[frame_op(3, 0, i, bytes([0, 0, 0, 7 + (i > 3)])) for i in every])
    yield "goaway", steps(frame_op(7, 0, 0, b"\0\0\0\3" + b"\0" * 4), *[headers_op(i, good) for i in every], *[headers_op(i, [2], True) for i in every])
    yield "settings", steps(frame_op(4, 0, 0, b"\0\3\0\0\0\1"), frame_op(4, 1, 0), frame_op(4, 0, 0, b"\0\4\0\0\0\1\0\5\0\0\x40\0"), frame_op(8, 0, 1, b"\0\0\0\7"))
    yield "pings", steps(frame_op(6, 0, 0, b"12345678"), frame_op(6, 1, 0, b"\0" * 8), frame_op(6, 0, 3, b"12345678"))
    yield "pushed", steps(frame_op(5, 4, 1, b"\0\0\0\2\x82"))
    yield "too_long", steps(headers_op(1, good), frame_op(0, 0, 1, b"\0\xff\xff\xff\xff"), headers_op(3, good), frame_op(0, 0, 3, b"\1\0\0\0\1x"))
    yield "dials", bytes([1, 7, 0, 15, 30, 1, 15, 4, 0]) + bytes([1, 0]) * 3
    yield "later", steps(*[headers_op(i, good) for i in every]) + bytes([15, 40, 15, 40, 1]) + frame_op(6, 1, 0, b"\0" * 8) + bytes([15, 200, 14, 1, 0, 15, 60, 1, 0])
    yield "bytewise", bytes([1, 16, 1]) + headers_op(1, good) + bytes([1]) + message_op(1, pulled) + bytes([1]) + headers_op(1, [2], True)
    yield "blocked", bytes([1, 0]) + headers_op(1, good) + bytes([13, 12, 0, 13])


# ---- the whole client ----


def client_calls():
    """A head (rows a chunk, messages a batch, 0x40: slot 0 is open, 0x80: answered well while it waits), then steps."""

    def messages(*ids, exactly_once=None):
        out = bytes([1 if exactly_once is None else 5, len(ids) - 1])
        for ack, message_id in ids:
            out += bytes([3, ack, 5, 1]) + b"x" + bytes([message_id])
        return out + (b"" if exactly_once is None else bytes([3, exactly_once, 0]))

    def well(index=0, body=b"\0"):
        return bytes([8, index]) + body

    def badly(code, index=0, outcomes=b""):
        return bytes([12, index, code | (0x80 if outcomes else 0)]) + outcomes

    def later(seconds):
        return bytes([7, seconds])

    settle, give_back, look = bytes([2, 0, 7]), bytes([2, 0x40 // 3 * 3, 7]), bytes([6, 0])
    ids = [(0, 0), (1, 1), (2, 2)]
    yield "read_and_settle", bytes([0xC0]) + well(0, messages(*ids)) + look + settle + well() * 3 + look
    yield "chunks_of_one", bytes([0xC0]) + well(0, messages(*ids)) + bytes([3, 3, 3, 7, 3, 3]) + well() * 6 + look
    yield "exactly_once", bytes([0xC2]) + well(0, messages(*ids, exactly_once=1)) + well() * 2 + look + settle + badly(0, 0, bytes([0, 1, 2, 0, 0, 0, 0])) + later(2) + well() * 4 + look
    yield "receipts_fail", bytes([0x42]) + well(0, messages(*ids, exactly_once=1)) + badly(1, 0, bytes([1, 1, 0, 1, 1, 1, 1])) + later(1) + well() * 3 + look + settle
    yield "again_while_held", bytes([0x42]) + well(0, messages(*ids, exactly_once=1)) + well() + well(0, messages((3, 0), (4, 1), exactly_once=1)) + well() * 2 + settle + well() * 3
    yield "leases", bytes([0x41]) + well(0, messages(*ids)) + (later(9) + well()) * 6 + look + later(99) * 40 + look
    yield "given_back", bytes([0x41]) + well(0, messages(*ids)) + bytes([1, 0]) + well() * 3 + look
    yield "drained", bytes([0x41]) + well(0, messages(*ids)) + bytes([1, 0x42]) + look + settle + well() * 3 + look
    yield "stream_fails", bytes([0x40]) + badly(2) + later(1) + well(0, messages(*ids)) + badly(0) + later(2) + look + badly(3) + look
    yield "reopened", bytes([0x40]) + well(0, messages(*ids)) + bytes([7, 120]) + look + later(1) * 3 + well(0, messages((5, 0))) + look
    yield "slots", bytes([0xC0]) + bytes([0, 1, 0, 2, 0, 3, 0, 4]) + well(0, messages(*ids)) + well(1, messages((3, 0))) + well(2, messages((4, 1))) + bytes([1, 1, 2, 1, 7, 3, 2]) + well() * 5
    yield "published", bytes([0x88]) + bytes([4, 0, 4, 1, 4, 2, 4, 0x13]) + well(0, bytes([1, 0, 1])) * 3 + look
    yield "publish_fails", bytes([0x08]) + bytes([4, 1, 4, 1, 4, 2]) + badly(0) + later(1) + badly(7) + later(1) + badly(1) + bytes([4, 0x11]) + look
    yield "destroyed_in_the_midst", bytes([0x42]) + well(0, messages(*ids, exactly_once=1)) + settle + bytes([4, 1, 4, 2])
    yield "blocked", bytes([0xC0]) + bytes([7, 160]) + well(0, messages(*ids)) + settle + bytes([4, 0, 4, 0x11, 7, 160]) + well() * 4
    yield "malformed_response", bytes([0x40]) + bytes([14, 11, 1, 0, 4]) + b"\x0a\x7fxx" + later(1) + well(0, messages(*ids)) + look


def emulator_http1():
    host = b"Host: localhost\r\n"

    def http(first, body=b"", *headers):
        return first + b" HTTP/1.1\r\n" + host + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body

    def post(path, body, *headers):
        return http(b"POST /v1/projects/p/" + path, body, *(headers or (b"Content-Length: %d" % len(body),)))

    publish = b'{"messages": [{"data": "aGVsbG8=", "attributes": {"k": "v"}}]}'
    get = http(b"GET /")
    chunked = post(b"topics/top:publish", b"5;a=b\r\n" + publish[:5] + b"\r\n%x\r\n" % len(publish[5:]) + publish[5:] + b"\r\n0\r\nX: y\r\n\r\n", b"Transfer-Encoding: chunked")
    texts = {
        "get": get,
        "pipelined": get + post(b"topics/top:publish", publish) + post(b"subscriptions/sub:pull", b'{"maxMessages": 1}') + get,
        "waiting": post(b"subscriptions/sub:pull", b'{"maxMessages": 1}') + get,
        "chunked": chunked + get,
        "continue": post(b"topics/top:publish", publish, b"Expect: 100-continue", b"Content-Length: %d" % len(publish)),
        "absolute": b"GET http://localhost/v1/projects/p/topics?pageSize=1 HTTP/1.1\r\n" + host + b"\r\n",
        "create": http(b"PUT /v1/projects/p/topics/new", b'{"labels": {"a": "b"}}', b"Content-Length: 22"),
        "patch": http(b"PATCH /v1/projects/p/topics/top", b'{"topic":{},"updateMask":"labels"}', b"Content-Length: 34"),
        "delete": http(b"DELETE /v1/projects/p/topics/top") + http(b"GET /v1/projects/p/topics/top:getIamPolicy?options.requestedPolicyVersion=3"),
        "old": b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get,
        "two_lengths": post(b"topics/top:publish", b"0\r\n\r\n", b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        "folded": b"GET / HTTP/1.1\r\nHost: localhost\r\n x\r\n\r\n",
        "bare": b"GET / HTTP/1.1\nHost: localhost\n\n",
        "origin": http(b"GET /", b"", b"Origin: http://evil.example", b"Sec-Fetch-Site: cross-site"),
        "upgrade": http(b"GET /", b"", b"Connection: Upgrade", b"Upgrade: h2c") + get,
        "preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
        "head": http(b"HEAD /") + get,
        "cut": get[:-3],
    }
    for index, (name, text) in enumerate(texts.items()):
        yield name, bytes([index % 8]) + text


def store():
    def bytes_(value):
        return varint(len(value)) + value

    def frame(*entries):
        payload = b"".join(entries)
        return struct.pack(">H", len(payload)) + payload

    topic = field(1, "projects/p/topics/orders") + field(8, number(1, 600))
    subscription = field(1, "projects/p/subscriptions/orders") + field(2, "projects/p/topics/orders") + field(12, "attributes:k")
    snapshot = field(1, "projects/p/snapshots/snap") + field(2, "projects/p/topics/orders")
    schema = field(1, "projects/p/schemas/order") + number(2, 2) + field(3, "{}") + field(4, "1")
    block = field(1, "projects/p/topics/orders") + field(2, message(b"data", [("k", "v")], key="key")) + field(2, message(b"other"))
    counters = b"\x01" + varint(3) + varint(10) + varint(5) + varint(7)
    settings = b"\x02\x01" + bytes_(topic) + b"\x03\x02\x01" + bytes_(subscription)
    copied = b"\x04\x03\x01" + bytes_(snapshot) + b"\x0f\x03\x01" + varint(10 << 3)
    published = b"\x09\x01" + varint(10) + varint(2) + varint(1700000000000000) + bytes_(block)
    settled = b"\x0e\x02" + varint(10) + varint(3) + b"\x0c\x02" + varint(10) + b"\x0d\x02" + varint(11)
    yield "all", frame(counters, settings) + frame(published) + frame(copied, settled)
    yield "removed", frame(settings) + frame(published) + frame(b"\x07\x01\x07\x02", b"\x11" + varint(99))
    yield "schemas", frame(b"\x05\x02" + bytes_(schema) + bytes_(schema)) + frame(b"\x08" + bytes_(b"projects/p/schemas/order"))
    yield "policy", frame(b"\x06" + bytes_(b"projects/p/topics/orders") + bytes_(field(3, b"etag")), b"\x12")
    yield "contents", frame(settings, published) + frame(b"\x0f\x02\x02" + varint(10 << 3 | 3) + varint(4) + varint(1 << 3), b"\x10\x01" + varint(1))
    yield "no_block", frame(settings, b"\x0f\x02\x01" + varint(10 << 3), b"\x0b\x01\x40\x05\x0a\x01\x07", b"\x0a" + bytes_(b"moved"))


def payload_json():
    def rows(schema, *payloads, allow=0x14):
        return bytes([schema, allow]) + b"\xfe".join(payloads)

    yield "plain", rows(0, b'{"a":1,"b":"x","c":{"x":2,"y":"z"}}', b"", b'{"b":{"k":[1.50,true]},"a":null}')
    yield "misfits", rows(0, b'{"a":"x","c":{"x":"y","y":1}}', b'{"c":{"x":tru},"a":1}', b'{"a":1,"c":{"x":tru}}', b"[]", b'{"a":1')
    yield "twice", rows(0, b'{"a":1,"a":2,"b":"x","b":"y","c":{"x":1},"c":{"x":2,"x":"q"}}')
    yield "lists", rows(1, b'{"a":[1,2],"b":[{"a":1.5,"b":["x"]}],"c":{"k":1}}', b'{"a":["x",{"c":{}}],"b":[[]],"c":{"k":"x","l":2}}', b'{"a":[1],"a":["x"],"a":[3,4]}')
    yield "times", rows(2, b'{"a":"YWJj","b":"2026-01-31","c":"2026-01-31T12:00:00Z","d":"2026-01-31","e":"1,234.5","f":1e40,"g":true}', b'{"a":"YQ=","b":"16000","c":"1970-01-01T00:16:00GMT+1","e":1e-9,"f":"NaN"}')
    yield "narrow", rows(3, b'{"a":200,"b":-32769,"c":12345678901234567890.5,"d":{"a":"YQ==","b":{"k":"2026"}},"e":0.1}')
    yield "bytes", rows(0, b'{"b":"\xff\xc3\xed\xa0\x80\\ud800\\ud83d\\ude00"}', b"\xef\xbb\xbf{}")
    yield "allowed", rows(0, b"/**/{a:007,'b':'x\\y\x01'}//", allow=0x7F)
    yield "deep", rows(0, b"[" * 1100, b'{"b":' + b"[" * 1100)


def main():
    makers = [pull_decoder, chunk, packed_chunk, grpc_frame, grpc_status, ack_outcome, ack_request, publish_encoder, filter, json_mapping, payload_json, endpoint, tunnel, token_answer, credentials, emulator_calls, emulator_http2, emulator_http1, client_http2, client_calls, store]
    for maker in makers:
        folder = SEEDS / maker.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in maker():
            (folder / name).write_bytes(body)


if __name__ == "__main__":
    sys.exit(main())
