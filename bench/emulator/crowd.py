#!/usr/bin/env python3
"""A crowd at the emulator: 1,000 connections that publish and 200 streams that receive. No error, nothing lost, memory flat.

    crowd.py [--connections 1000] [--streams 200] [--seconds 60] [--rate 5]     rate: publishes a second of each connection

The publishers speak HTTP/2 frames of their own over sockets (asyncio); the streams are the C client's. Ends with a table and a line
of JSON; exits non-zero on an error or a loss.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time

from servers import BUILD, Ours

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
TOPIC = "projects/crowd/topics/crowd"
SUBSCRIPTION = "projects/crowd/subscriptions/crowd"
PAYLOAD = b"x" * 1000


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def field(number, value):
    size, out = len(value), b""
    while size >= 128:
        out, size = out + bytes([size % 128 + 128]), size // 128
    return bytes([number << 3 | 2]) + out + bytes([size]) + value


BLOCK = b"".join(
    literal(*pair)
    for pair in (
        (":method", "POST"), (":scheme", "http"), (":path", "/google.pubsub.v1.Publisher/Publish"), (":authority", "crowd"),
        ("content-type", "application/grpc"), ("te", "trailers"),
    )
)
REQUEST = field(1, TOPIC.encode()) + field(2, field(1, PAYLOAD))
MESSAGE = b"\x00" + len(REQUEST).to_bytes(4, "big") + REQUEST


async def publish(host, count, per_second, number):
    """One connection, one request at a time. Returns how many were answered with status 0."""
    address, port = host.rsplit(":", 1)
    await asyncio.sleep(number * 0.002)  # they come one after the other
    reader, writer = await asyncio.open_connection(address, int(port))
    writer.write(PREFACE + frame(SETTINGS, 0, 0))
    begin, good = time.monotonic(), 0
    try:
        for i in range(count):
            stream = 2 * i + 1
            writer.write(frame(HEADERS, END_HEADERS, stream, BLOCK) + frame(DATA, END_STREAM, stream, MESSAGE))
            ended = ok = False
            while not ended:
                head = await asyncio.wait_for(reader.readexactly(9), 30)
                body = await reader.readexactly(int.from_bytes(head[:3], "big"))
                kind, flags, of = head[3], head[4], int.from_bytes(head[5:], "big")
                if kind == SETTINGS and not flags & ACK:
                    writer.write(frame(SETTINGS, ACK, 0))
                elif kind == PING and not flags & ACK:
                    writer.write(frame(PING, ACK, 0, body))
                elif kind == GOAWAY:
                    return good
                elif kind == DATA and of == stream:
                    ok = True  # an answer with the message's id
                if of == stream and kind in (DATA, HEADERS):
                    ended = bool(flags & END_STREAM)
            good += ok
            await asyncio.sleep(max(0, begin + (i + 1) / per_second - time.monotonic()))
    finally:
        writer.close()
    return good


async def run(options, server, memory):
    each = int(options.seconds * options.rate)

    async def watch():
        while True:
            memory.append(server.resident_mb())
            print(f"memory {memory[-1]:.0f} MB", flush=True)
            await asyncio.sleep(max(1, options.seconds / 20))

    watching = asyncio.create_task(watch())
    outcomes = await asyncio.gather(
        *(publish(server.host, each, options.rate, i) for i in range(options.connections)), return_exceptions=True
    )
    watching.cancel()
    return each * options.connections, outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=5)
    options = parser.parse_args()
    server = Ours()
    receiver, memory = None, []
    try:
        where = ["--endpoint", server.host, "--plaintext"]
        for arguments in (("topic", "create", TOPIC), ("subscription", "create", SUBSCRIPTION, "--topic", TOPIC)):
            subprocess.run([str(BUILD / "pubsub"), *arguments, *where], check=True, stdout=subprocess.DEVNULL)
        expected = int(options.seconds * options.rate) * options.connections
        receiver = subprocess.Popen(
            [str(BUILD / "pubsub"), "bench", "receive", SUBSCRIPTION, "--count", str(expected), "--streams", str(options.streams), *where],
            stdout=subprocess.PIPE, text=True,
        )
        _, outcomes = asyncio.run(run(options, server, memory))
        errors = [repr(o) for o in outcomes if isinstance(o, BaseException)]
        confirmed = sum(o for o in outcomes if isinstance(o, int))
        try:
            received = json.loads(receiver.communicate(timeout=30)[0].splitlines()[-1])["messages"]
        except subprocess.TimeoutExpired:
            received = -1
        left = server.emulator.stats(SUBSCRIPTION)["backlog"]
    finally:
        if receiver and receiver.poll() is None:
            receiver.terminate()
            receiver.wait()
        server.stop()
    half = len(memory) // 2
    flat = max(memory[half:]) <= max(memory[:half]) * 1.2 + 10
    result = {
        "connections": options.connections, "streams": options.streams, "published": confirmed, "expected": expected,
        "received": received, "left": left, "errors": len(errors), "memory_mb": [round(m) for m in memory], "memory_flat": flat,
    }
    for error in errors[:5]:
        print(error, file=sys.stderr)
    passed = confirmed == received == expected and left == 0 and not errors and flat
    print(f"crowd: {'passed' if passed else 'FAILED'}")
    print(json.dumps(result))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
