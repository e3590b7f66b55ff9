"""The client against a server that means harm, at each stage of a connection: time, CPU and memory stay bounded, the process lives, and
it reads everything once the server is good again."""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import time

import pytest

from certificates import HOST, ROOT_CA, issue
from conftest import COMMAND, until
from negative_server import NegativeServer
from raw_frames import (
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PRIORITY, PUSH_PROMISE, RESPONSE, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    frame, literal,
)  # fmt: skip
from tls_peers import Proxy, Server

MEMORY_MB = 60
CPU_SECONDS = 3.0
FLOOD_SECONDS = 4


class Measured:
    """The command, with what it took while it lived."""

    def __init__(self, *arguments, env=None):
        environment = {k: v for k, v in os.environ.items() if k.lower() not in ("pubsub_emulator_host", "https_proxy", "no_proxy")}
        self.process = subprocess.Popen(
            [COMMAND, *arguments, "--project", "p"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment | (env or {}),
        )  # fmt: skip
        self.memory, self.cpu = 0.0, 0.0

    def lives(self):
        """Looks at its memory and its time as well: what it held at most is not known once it has ended."""
        if self.process.poll() is not None:
            return False
        process = pathlib.Path(f"/proc/{self.process.pid}")
        memory = [line.split()[1] for line in (process / "status").read_text().splitlines() if line.startswith("VmHWM")]
        ticks = (process / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
        if memory:  # else it is ending
            self.memory = int(memory[0]) / 1024
        self.cpu = max(self.cpu, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))
        return True

    def end(self, sign=signal.SIGTERM, seconds=20):
        """Its exit code, what it said, its CPU seconds and its memory at most, in MB."""
        deadline = time.monotonic() + seconds
        if self.lives() and sign:
            self.process.send_signal(sign)
        while self.lives() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.process.kill()
        said = self.process.communicate()[1]
        assert time.monotonic() < deadline, said
        return self.process.returncode, said, self.cpu, self.memory


def first_request(sock):
    """Greets as a server, and waits for the client's first request. Returns the number of its stream."""
    sock.sendall(frame(SETTINGS, 0, 0))
    data = b""
    while len(data) < 24:
        data += sock.recv(65536)
    data = data[24:]
    while True:
        while len(data) < 9 or len(data) < 9 + int.from_bytes(data[:3], "big"):
            data += sock.recv(65536)
        if data[3] == HEADERS:
            return int.from_bytes(data[5:9], "big")
        data = data[9 + int.from_bytes(data[:3], "big") :]


def push(sock, pieces, reads):
    """Until all is sent, or the client has had enough."""
    deadline = time.monotonic() + FLOOD_SECONDS
    sock.settimeout(0.5)
    for piece in pieces:
        if time.monotonic() > deadline:
            return
        try:
            sock.sendall(piece)
            while reads and sock.recv(1 << 20, socket.MSG_DONTWAIT):
                pass
        except BlockingIOError:
            continue
        except OSError:
            return


def recovers(greet, *arguments, seconds=30):
    """The first connection is the attack; the others are served. What the command took is bounded."""
    server = NegativeServer(greet=lambda connection: len(server.connections) == 1 and (greet(connection.socket), True)[1])
    command = Measured("tail", "s", "--plaintext", "--endpoint", server.host, *arguments)
    try:
        until(lambda: server.acknowledged >= server.expected or not command.lives(), seconds)
        code, said, cpu, memory = command.end()
    finally:
        command.process.kill()
        server.stop()
    assert code == 0, said
    assert server.acknowledged == server.expected
    assert cpu < CPU_SECONDS and memory < MEMORY_MB, (cpu, memory)


# ---- floods, as fast as they go; what a client may take or refuse ----

BURST = 2000
SIX = struct.pack(">HI", 4, 65535)
FLOODS = {
    "settings": lambda id: frame(SETTINGS, 0, 0, SIX),
    "settings-empty": lambda id: frame(SETTINGS, 0, 0),
    "ping": lambda id: frame(PING, 0, 0, b"12345678"),
    "window-update": lambda id: frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1") + frame(WINDOW_UPDATE, 0, id, b"\0\0\0\1"),
    "priority": lambda id: frame(PRIORITY, 0, id, b"\0\0\0\0\x10"),
    "unknown": lambda id: frame(0xEE, 0, id, b"x" * 20),
    "empty-data": lambda id: frame(DATA, 0, id),
    "informational": lambda id: frame(HEADERS, END_HEADERS, id, literal(":status", "103") + literal("link", "x" * 50)),
    "push-promise": lambda id: frame(PUSH_PROMISE, END_HEADERS, id, b"\0\0\0\2" + RESPONSE),
    "goaway": lambda id: frame(GOAWAY, 0, 0, struct.pack(">II", 2**31 - 1, 0)),
    "rst-of-others": lambda id: frame(RST_STREAM, 0, id + 2, struct.pack(">I", 8)),
    "empty-messages": lambda id: frame(DATA, 0, id, bytes(5)),
}
AFTER_HEADERS = {"empty-data", "empty-messages"}


@pytest.mark.parametrize("reads", [True, False], ids=["reading", "not-reading"])
@pytest.mark.parametrize("kind", FLOODS)
def test_flood(kind, reads):
    def greet(sock):
        id = first_request(sock)
        if kind in AFTER_HEADERS:
            sock.sendall(frame(HEADERS, END_HEADERS, id, RESPONSE))
        push(sock, (FLOODS[kind](id) * BURST for _ in range(200)), reads)

    recovers(greet)


# ---- headers ----


def continuations(piece, count):
    def pieces(id):
        yield frame(HEADERS, 0, id, RESPONSE)
        for n in range(count):
            yield frame(CONTINUATION, 0, id, piece(n))

    return pieces


def hpack_bomb(id):
    """A header of 3.9 KB is put into the table, and named 15,000 times in each of the blocks that follow."""
    yield frame(HEADERS, END_HEADERS, id, RESPONSE + literal("x", "y" * 3900, b"\x40"))
    for _ in range(200):
        yield frame(HEADERS, END_HEADERS, id, b"\xbe" * 15_000)


def trailers_without_end(id):
    yield frame(HEADERS, END_HEADERS, id, RESPONSE)
    yield frame(HEADERS, END_STREAM, id, literal("grpc-status", "14"))
    for _ in range(10_000):
        yield frame(CONTINUATION, 0, id, literal("grpc-message", "m" * 8000))


HEADER_ATTACKS = {
    "continuation-empty": continuations(lambda n: b"", 1_000_000),
    "continuation-small": continuations(lambda n: literal("x%d" % n, "y"), 300_000),
    "continuation-large": continuations(lambda n: literal("x", "y" * 16_000), 20_000),
    "continuation-table": continuations(lambda n: literal("x%d" % n, "y" * 200, b"\x40"), 200_000),
    "hpack-bomb": hpack_bomb,
    "trailers": trailers_without_end,
    "too-large-a-header": lambda id: [frame(HEADERS, END_HEADERS, id, RESPONSE + literal("x", "y" * 200_000))] * 100,
}


@pytest.mark.parametrize("kind", HEADER_ATTACKS)
def test_headers_without_end(kind):
    def greet(sock):
        push(sock, HEADER_ATTACKS[kind](first_request(sock)), reads=True)

    recovers(greet)


# ---- bodies ----


def claims(bytes_claimed):
    def pieces(id):
        yield frame(HEADERS, END_HEADERS, id, RESPONSE)
        yield frame(DATA, 0, id, b"\0" + struct.pack(">I", bytes_claimed))
        for _ in range(4000):
            yield frame(DATA, 0, id, bytes(16_000))

    return pieces


BODIES = {
    "claims-4-gb": claims(2**32 - 1),
    "claims-19-mb": claims(19 << 20),  # allowed; more than the windows is not
    "frame-of-16-mb": lambda id: [frame(HEADERS, END_HEADERS, id, RESPONSE), frame(DATA, 0, id, bytes(100_000), claimed=0xFFFFFF)],
    "frame-above-the-limit": lambda id: [frame(HEADERS, END_HEADERS, id, RESPONSE), frame(DATA, 0, id, bytes(262_145))],
    "more-than-the-window": lambda id: [frame(HEADERS, END_HEADERS, id, RESPONSE)] + [frame(DATA, 0, id, bytes(262_144))] * 400,
}


@pytest.mark.parametrize("kind", BODIES)
def test_bodies_without_end(kind):
    def greet(sock):
        push(sock, BODIES[kind](first_request(sock)), reads=False)

    recovers(greet)


# ---- streams and connections that end at once, for ever ----


def test_rapid_reset():
    """Each stream is reset as soon as it is there: opened again with a backoff, not at once."""
    opened = []

    def behaviour(call):
        opened.append(call.method)
        call.reset(8)
        return True

    server = NegativeServer(behaviour)
    command = Measured("tail", "s", "--plaintext", "--endpoint", server.host)
    time.sleep(4)
    code, said, cpu, memory = command.end()
    server.stop()
    assert code == 0, said
    assert 2 <= len(opened) < 40
    assert cpu < CPU_SECONDS and memory < MEMORY_MB, (cpu, memory)


# ---- a byte now and then ----


def dripping(sock, data, pause=0.05):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        try:
            sock.sendall(bytes([byte]))
            time.sleep(pause)
        except OSError:
            return


def opened(sock):
    return frame(HEADERS, END_HEADERS, (id := first_request(sock)), RESPONSE) + frame(DATA, 0, id, b"\0\0\0\x40\0")


DRIPS = {
    "settings": lambda sock: dripping(sock, frame(SETTINGS, 0, 0, SIX * 32), 0.2),
    "headers": lambda sock: dripping(sock, frame(HEADERS, 0, first_request(sock), literal("x", "y" * 16_000))),
    "body": lambda sock: dripping(sock, opened(sock) + frame(DATA, 0, 1, bytes(16_000))),
    "messages": lambda sock: dripping(sock, opened(sock) + frame(DATA, 0, 1, b"\x0a") * 2000),
}


class DrippingProxy(Proxy):
    """The head of its answer does not end."""

    def serve(self, sock):
        sock.recv(4096)
        dripping(sock, b"HTTP/1.1 200 Connection established\r\n" + b"Via: x\r\n" * 100_000)
        sock.close()


@pytest.mark.parametrize("stage", DRIPS)
def test_a_stream_that_drips(stage):
    """It may take its time, as a stream may; it costs nothing, and the reader can leave."""
    server = NegativeServer(greet=lambda connection: (DRIPS[stage](connection.socket), True)[1])
    command = Measured("tail", "s", "--plaintext", "--endpoint", server.host)
    until(lambda: server.connections, 10)
    time.sleep(2)
    assert command.lives()
    code, said, cpu, memory = command.end(seconds=10)
    server.stop()
    assert code == 0, said
    assert cpu < 0.5 and memory < MEMORY_MB, (cpu, memory)


def test_calls_end_in_time_while_bytes_drip(tmp_path):
    """All at once, as each takes the 30 s of the command: an error that names the peer, and no time used."""
    ca, _ = ROOT_CA.files(tmp_path, "ca")
    proxy = DrippingProxy()
    servers = {stage: NegativeServer(greet=lambda connection, drip=drip: (drip(connection.socket), True)[1]) for stage, drip in DRIPS.items()}
    peers = {stage: (server.host, ["--plaintext", "--endpoint", server.host]) for stage, server in servers.items()}
    peers["proxy"] = ("proxy 127.0.0.1", ["--endpoint", HOST, "--proxy", proxy.url, "--ca-file", ca])
    commands = {stage: Measured("topic", "get", "topic1", *arguments) for stage, (_, arguments) in peers.items()}
    for stage, command in commands.items():
        code, said, cpu, memory = command.end(sign=None, seconds=50)
        assert code == 1 and (peers[stage][0] in said or "timed out" in said or "in time" in said), (stage, said)
        assert cpu < 0.5 and memory < MEMORY_MB, (stage, cpu, memory)
    for server in [*servers.values(), proxy]:
        server.stop()


# ---- TLS ----


def chain(depth):
    signer = ROOT_CA
    for n in range(depth):
        signer = issue(signer, name=f"intermediate {n}", ca=True)
    return issue(signer, names=(HOST,))


def meet(server, folder, seconds=30):
    """One command through a proxy to a TLS server. Its exit code, what it said, CPU and memory."""
    proxy = Proxy(server.port)
    ca, _ = ROOT_CA.files(folder, "ca")
    command = Measured("tail", "s", "--endpoint", HOST, "--proxy", proxy.url, "--ca-file", ca)
    until(lambda: server.accepted or not command.lives(), seconds)
    result = command.end()
    proxy.stop()
    server.stop()
    return result


@pytest.mark.parametrize("depth, accepted", [(100, True), (1000, False)])
def test_a_chain_of_certificates(depth, accepted, tmp_path):
    """100 intermediates are followed, 1000 are refused; both at once."""
    server = Server(chain(depth).files(tmp_path, "server"))
    code, said, cpu, memory = meet(server, tmp_path)
    assert server.accepted is accepted, said
    if not accepted:
        assert code == 1 and "tls" in said.lower() or "certificate" in said, said
    assert cpu < CPU_SECONDS and memory < MEMORY_MB, (cpu, memory)


def test_session_tickets_for_ever(tmp_path):
    """20,000 of them after the handshake: none is kept."""

    def tweak(context):
        context.num_tickets = 20_000

    server = Server(issue(ROOT_CA).files(tmp_path, "server"), tweak=tweak)
    _, said, cpu, memory = meet(server, tmp_path)
    assert server.accepted, said
    assert cpu < CPU_SECONDS and memory < MEMORY_MB, (cpu, memory)
