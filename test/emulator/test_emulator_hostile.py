"""Clients that mean harm: the emulator's memory and CPU stay bounded, and other connections keep working. Raw frames over TCP."""

import os
import pathlib
import socket
import struct
import subprocess
import time

import grpc
import pytest
from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from certificates import ROOT_CA, issue
from conftest import EMULATOR, emulator_process, until
from raw_frames import (
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, PING, PREFACE, RST_STREAM, SETTINGS, frame, length,
    literal, request,
)  # fmt: skip

MEMORY_MB = 100
LIST_TOPICS = request("/google.pubsub.v1.Publisher/ListTopics")


class Attacker:
    """A connection that says what it likes. Being cut off by the server is what it expects."""

    def __init__(self, emulator, *settings, reads=True):
        host, port = emulator.host.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), 10)
        self.socket.settimeout(10)
        self.cut_off = False
        self.reads = reads
        payload = b"".join(struct.pack(">HI", *pair) for pair in settings)
        self.send(PREFACE + frame(SETTINGS, 0, 0, payload))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False: the server takes no more."""
        if self.reads and not self.cut_off:
            self.drain()
        try:
            self.socket.sendall(data)
        except OSError:
            self.cut_off = True
        return not self.cut_off

    def drain(self):
        self.socket.setblocking(False)
        try:
            while True:
                if not self.socket.recv(1 << 20):
                    self.cut_off = True
                    return
        except BlockingIOError:
            return
        except OSError:
            self.cut_off = True
        finally:
            self.socket.settimeout(10)

    def ends(self, seconds=5):
        """Whether the server closes the connection."""
        deadline = time.monotonic() + seconds
        while not self.cut_off and time.monotonic() < deadline:
            self.drain()
            time.sleep(0.01)
        return self.cut_off


class Victim(emulator_process.Emulator):
    """With a topic, a subscription, and honest clients."""

    def __init__(self, binary=EMULATOR):
        super().__init__(binary, "--topic", "projects/p/topics/topic", "--subscription", "projects/p/subscriptions/sub=projects/p/topics/topic")
        self.subscription = "projects/p/subscriptions/sub"

    def pubsub(self, *arguments):
        command = [pathlib.Path(EMULATOR).with_name("pubsub"), *arguments, "--endpoint", self.host, "--plaintext", "--project", "p"]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout


@pytest.fixture
def emulator():
    with Victim() as victim:
        yield victim


def resident_mb(emulator):
    with open(f"/proc/{emulator.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def cpu_seconds(emulator):
    with open(f"/proc/{emulator.process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def works(emulator):
    """Another connection publishes and receives, while the attack lasts."""
    emulator.pubsub("publish", "topic", "--message", "still here")
    return "still here" in emulator.pubsub("pull", "sub", "--max", "1")


def is_calm(emulator, memory_mb=MEMORY_MB):
    """Others are served, memory is small, and nothing goes on working for an attacker that does nothing any more."""
    assert works(emulator)
    assert resident_mb(emulator) < memory_mb
    before = cpu_seconds(emulator)
    time.sleep(1)
    assert cpu_seconds(emulator) - before < 0.3
    return True


def test_rapid_reset(emulator):
    with Attacker(emulator) as attacker:
        for stream in range(1, 400_001, 2000):
            pairs = (
                frame(HEADERS, END_HEADERS, i, LIST_TOPICS) + frame(RST_STREAM, 0, i, struct.pack(">I", 8))
                for i in range(stream, stream + 2000, 2)
            )
            if not attacker.send(b"".join(pairs)):
                break
        assert attacker.ends()
        assert is_calm(emulator)


def test_continuation_flood(emulator):
    piece = frame(CONTINUATION, 0, 1, literal("x", "y" * 16000))
    with Attacker(emulator) as attacker:
        attacker.send(frame(HEADERS, 0, 1, LIST_TOPICS))
        for _ in range(10_000):
            if not attacker.send(piece):
                break
        assert attacker.ends()
        assert is_calm(emulator)


@pytest.mark.parametrize("kind,payload", [(SETTINGS, b""), (PING, b"12345678")], ids=["settings", "ping"])
@pytest.mark.parametrize("reads", [True, False], ids=["reading", "not-reading"])
def test_flood_that_wants_answers(emulator, kind, payload, reads):
    burst = frame(kind, 0, 0, payload) * 10_000
    with Attacker(emulator, reads=reads) as attacker:
        attacker.socket.settimeout(2)
        for _ in range(100):
            if not attacker.send(burst):
                break
        assert is_calm(emulator)


def test_hpack_bomb(emulator):
    """One header of 4 KB is put into the table, and named 15,000 times in a block: 60 MB from 16 KB."""
    fill = request("/google.pubsub.v1.Publisher/ListTopics") + literal("x", "y" * 3900, b"\x40")
    with Attacker(emulator) as attacker:
        attacker.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, fill))
        for stream in range(3, 403, 2):
            if not attacker.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, LIST_TOPICS + b"\xbe" * 15_000)):
                break
        assert is_calm(emulator)


def test_oversize_frames(emulator):
    for kind in (DATA, HEADERS, SETTINGS, PING, 200):
        with Attacker(emulator) as attacker:
            attacker.send(b"\xff\xff\xff" + bytes([kind, 0]) + b"\x00\x00\x00\x01" + b"z" * 100_000)
            assert attacker.ends()
    assert is_calm(emulator)


def test_oversize_message(emulator):
    """A gRPC message that claims 4 GB."""
    with Attacker(emulator) as attacker:
        attacker.send(frame(HEADERS, END_HEADERS, 1, request("/google.pubsub.v1.Publisher/Publish")))
        attacker.send(frame(DATA, 0, 1, b"\x00\xff\xff\xff\xff" + b"z" * 10_000))
        assert is_calm(emulator)


def test_truncated_frames(emulator):
    whole = PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 1, LIST_TOPICS) + frame(DATA, END_STREAM, 1, b"\0" * 5)
    host, port = emulator.host.rsplit(":", 1)
    for end in range(len(whole)):
        with socket.create_connection((host, int(port)), 10) as client:
            client.sendall(whole[:end])
    assert is_calm(emulator)


def test_zero_windows(emulator):
    """Answers that nobody takes: 200 Pulls and 200 StreamingPulls of a backlog of 50 MB, with a window of 0."""
    emulator.pubsub("publish", "topic", "--count", "5000", "--size", "10000")
    before = resident_mb(emulator)
    name = emulator.subscription.encode()
    pull = b"\x0a" + length(len(name)) + name + b"\x18\xe8\x07"  # max_messages 1000
    stream = b"\x0a" + length(len(name)) + name + b"\x28\x3c"  # 60 s
    with Attacker(emulator, (INITIAL_WINDOW_SIZE, 0)) as attacker:
        for id in range(1, 801, 4):
            for at, path, body, flags in ((id, "Pull", pull, END_STREAM), (id + 2, "StreamingPull", stream, 0)):
                attacker.send(frame(HEADERS, END_HEADERS, at, request(f"/google.pubsub.v1.Subscriber/{path}")))
                attacker.send(frame(DATA, flags, at, b"\x00" + len(body).to_bytes(4, "big") + body))
        time.sleep(1)
        assert resident_mb(emulator) < before + MEMORY_MB
        emulator.pubsub("topic", "create", "other")
        emulator.pubsub("subscription", "create", "other-sub", "--topic", "other")
        emulator.pubsub("publish", "other", "--message", "still here")
        assert "still here" in emulator.pubsub("pull", "other-sub", "--max", "1")


def test_connect_and_leave_at_64_descriptors(tmp_path):
    """The process may have 64 descriptors: too many clients wait or are refused, and the next ones are served again."""
    limited = tmp_path / "limited"
    limited.write_text(f'#!/bin/sh\nulimit -n 64\nexec "{EMULATOR}" "$@"\n')
    limited.chmod(0o755)
    with Victim(limited) as victim:
        host, port = victim.host.rsplit(":", 1)
        for _ in range(5):
            clients = []
            for _ in range(200):
                try:
                    clients.append(socket.create_connection((host, int(port)), 2))
                    clients[-1].sendall(PREFACE)
                except OSError:
                    break
            before = cpu_seconds(victim)
            time.sleep(1)
            assert cpu_seconds(victim) - before < 0.5  # it does not spin on what it cannot accept
            for client in clients:
                client.close()
        assert is_calm(victim)


def test_nothing_but_noise(emulator):
    host, port = emulator.host.rsplit(":", 1)
    noise = os.urandom(100_000)
    for start in range(0, 100_000, 1000):
        with socket.create_connection((host, int(port)), 10) as client:
            try:
                client.sendall(noise[start : start + 1000])
            except OSError:
                pass
    assert is_calm(emulator)


def stream_request(emulator, *, keepalive=0):
    """The first message of a StreamingPull: 60 s, and protocol version 1 where keepalives are to be answered."""
    name = emulator.subscription.encode()
    body = b"\x0a" + length(len(name)) + name + b"\x28\x3c" + (b"\x50\x01" if keepalive else b"")
    return b"\x00" + len(body).to_bytes(4, "big") + body


def test_keepalives_of_a_client_that_does_not_read(emulator):
    """Half a million of them, on each of some streams: what it does not read is not queued for it, and it may not send for ever."""
    with Attacker(emulator, (INITIAL_WINDOW_SIZE, 0)) as attacker:
        attacker.send(frame(SETTINGS, ACK, 0))  # the server's windows of 4 MB hold now
        time.sleep(0.2)
        pings = b"\x00" * 5 * 3000
        for id in range(1, 21, 2):
            attacker.send(frame(HEADERS, END_HEADERS, id, request("/google.pubsub.v1.Subscriber/StreamingPull")))
            attacker.send(frame(DATA, 0, id, stream_request(emulator, keepalive=1)))
            for _ in range(170):
                if not attacker.send(frame(DATA, 0, id, pings)):
                    break
        assert emulator.stats("sub")["streams"] == 10
        assert resident_mb(emulator) < 50


def test_acknowledgements_of_a_client_that_does_not_read(emulator):
    """Exactly-once delivery confirms each id: a client that does not read its confirmations may not send ids for ever."""
    subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=grpc.insecure_channel(emulator.host)))
    config = {"name": emulator.subscription, "enable_exactly_once_delivery": True}
    subscriber.update_subscription(
        request={"subscription": config, "update_mask": {"paths": ["enable_exactly_once_delivery"]}}
    )
    ids = b"".join(b"\x12\x28" + b"%040d" % i for i in range(380))
    message = b"\x00" + len(ids).to_bytes(4, "big") + ids
    with Attacker(emulator, (INITIAL_WINDOW_SIZE, 0)) as attacker:
        attacker.send(frame(SETTINGS, ACK, 0))
        attacker.send(frame(HEADERS, END_HEADERS, 1, request("/google.pubsub.v1.Subscriber/StreamingPull")))
        attacker.send(frame(DATA, 0, 1, stream_request(emulator)))
        time.sleep(0.2)
        for _ in range(100):  # 160 MB, at a pace that the windows allow for where they open
            attacker.send(frame(DATA, 0, 1, message) * 100)
            emulator.stats("sub")
        assert resident_mb(emulator) < 50


def test_a_handshake_that_drips(tmp_path):
    """A byte of TLS at a time, past the 10 s that a handshake may take: the connection is cut while bytes are on their way."""
    files = issue(ROOT_CA, names=("localhost",)).files(tmp_path, "server")
    with emulator_process.Emulator(EMULATOR, "--tls-cert", files[0], "--tls-key", files[1]) as emulator:
        with socket.create_connection(("127.0.0.1", emulator.port), 10) as drip:
            drip.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            started = time.monotonic()
            with pytest.raises(OSError):
                for byte in b"\x01\x01\x00\x00" + bytes(65536):
                    for part in b"\x16\x03\x01\x00\x01" + bytes([byte]):
                        drip.sendall(bytes([part]))
                        time.sleep(0.00005)
            assert 9 < time.monotonic() - started < 20
        time.sleep(0.2)
        assert emulator.process.poll() is None
        socket.create_connection(("127.0.0.1", emulator.port), 10).close()


@pytest.mark.parametrize("stage", ["preface", "settings", "headers", "body"])
def test_bytes_that_drip(emulator, stage):
    """A hundred connections that send a byte now and then, at each stage of a call."""
    whole = {"preface": PREFACE, "settings": frame(SETTINGS, 0, 0, bytes(16380))}
    whole["headers"] = frame(HEADERS, 0, 1, literal("x", "y" * 16000))
    whole["body"] = frame(DATA, 0, 1, b"\0\0\0\x40\0" + bytes(16000))
    attackers = [Attacker(emulator) for _ in range(100)]
    for attacker in attackers if stage == "body" else []:
        attacker.send(frame(HEADERS, END_HEADERS, 1, request("/google.pubsub.v1.Publisher/Publish")))
    if stage == "preface":
        host, port = emulator.host.rsplit(":", 1)
        for attacker in attackers:
            attacker.socket.close()
            attacker.socket = socket.create_connection((host, int(port)), 10)
    before = cpu_seconds(emulator)
    for byte in whole[stage][:20]:
        for attacker in attackers:
            attacker.send(bytes([byte]))
        time.sleep(0.05)
    assert cpu_seconds(emulator) - before < 1
    assert is_calm(emulator)
    for attacker in attackers:
        attacker.socket.close()


def test_a_stream_that_is_cut_in_the_middle_of_a_response(emulator):
    """The windows of two streams are used up in the middle of a response, and this side cuts the connection."""
    emulator.pubsub("publish", "topic", "--count", "40", "--size", "900000")
    with Attacker(emulator, (INITIAL_WINDOW_SIZE, 10_000)) as attacker:
        for id in (1, 3):
            attacker.send(frame(HEADERS, END_HEADERS, id, request("/google.pubsub.v1.Subscriber/StreamingPull")))
            attacker.send(frame(DATA, 0, id, stream_request(emulator)))
        until(lambda: emulator.stats("sub")["lent"] >= 2)
        time.sleep(0.2)  # what the windows allow is on its way
        emulator.command("disconnect")
        assert attacker.ends()
        emulator.pubsub("topic", "create", "other")
        assert emulator.stats("sub")["streams"] == 0


def test_a_request_that_is_nested_without_end(emulator):
    """40,000 lists in each other, in a topic's settings: unpacking them by recursion would take the whole stack."""

    def nested(number, value):
        return bytes([number << 3 | 2]) + length(len(value)) + value

    value = b""
    for _ in range(40_000):
        value = nested(6, nested(1, value))
    parameters = nested(1, nested(1, b"k") + nested(2, value))
    topic = nested(1, b"projects/p/topics/nested") + b"\x6a" + length(len(nested(6, nested(2, nested(1, parameters)))))
    topic += nested(6, nested(2, nested(1, parameters)))
    with grpc.insecure_channel(emulator.host) as channel:
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/google.pubsub.v1.Publisher/CreateTopic")(topic, timeout=20)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT, error.value
    assert works(emulator)
