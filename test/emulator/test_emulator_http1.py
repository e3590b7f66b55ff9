"""HTTP/1.1 by raw bytes: what is right, what two readers could read in two ways, what is slow, large or of another origin."""

import concurrent.futures
import json
import pathlib
import re
import socket
import ssl
import subprocess
import time

import pytest

from certificates import ROOT_CA, issue
from conftest import ROOT, Emulator

TOPIC = "projects/p/topics/topic"
HOST = b"Host: localhost\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"


def post(body, *headers, path=f"/v1/{TOPIC}:publish"):
    lines = [f"POST {path} HTTP/1.1".encode(), HOST.strip(), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


MESSAGE = b'{"messages": [{"data": "aGVsbG8="}]}'
PUBLISH = post(MESSAGE, b"Content-Length: %d" % len(MESSAGE))
CHUNKED = post(b"5\r\n" + MESSAGE[:5] + b"\r\n%x;name=value\r\n" % len(MESSAGE[5:]) + MESSAGE[5:] + b"\r\n0\r\n\r\n", b"Transfer-Encoding: chunked")


class Peer:
    """A connection that says what it likes."""

    def __init__(self, emulator, **options):
        self.socket = socket.create_connection(("127.0.0.1", emulator.port), 20, **options)
        self.bytes = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *pieces):
        for piece in pieces:
            self.socket.sendall(piece)
        return self

    def more(self):
        """False: the server has ended the connection."""
        try:
            got = self.socket.recv(1 << 20)
        except ConnectionError:
            return False
        self.bytes += got
        return bool(got)

    def response(self):
        """The next one: (status, headers, body); None: the connection ended instead."""
        while b"\r\n\r\n" not in self.bytes:
            if not self.more():
                return None
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers.get("content-length", 0))
        while len(self.bytes) < length:
            assert self.more(), "the connection ended within a body"
        body, self.bytes = self.bytes[:length], self.bytes[length:]
        return int(first.split()[1]), headers, body

    def statuses(self):
        """Of all answers until the server ends the connection."""
        out = []
        while (got := self.response()) is not None:
            out.append(got[0])
        return out


@pytest.fixture(scope="module")
def emulator():
    with Emulator("--topic", TOPIC, "--subscription", f"projects/p/subscriptions/sub={TOPIC}") as running:
        yield running


@pytest.fixture
def peer(emulator):
    with Peer(emulator) as made:
        yield made


def works(emulator):
    with Peer(emulator) as other:
        return other.send(GET).response()[2] == b"Ok\n"


# ---- what is right ----


def test_requests_one_after_another(peer):
    for request in (GET, PUBLISH, CHUNKED, GET):
        status, headers, _ = peer.send(request).response()
        assert status == 200 and "connection" not in headers


def test_a_request_in_single_bytes(peer):
    for byte in PUBLISH + CHUNKED:
        peer.send(bytes([byte]))
    assert [peer.response()[0] for _ in range(2)] == [200, 200]


def test_pipelined_requests_are_answered_in_order(peer):
    missing = b"GET /v1/projects/p/topics/missing HTTP/1.1\r\n" + HOST + b"\r\n"
    peer.send((GET + missing) * 200)
    assert [peer.response()[0] for _ in range(400)] == [200, 404] * 200


def test_pipelined_behind_one_that_waits(peer):
    body = b'{"maxMessages": 1}'
    wait = post(body, b"Content-Length: 18", b"X-Server-Timeout: 1.5", path="/v1/projects/p/subscriptions/empty:pull")
    create = b'{"topic": "%s"}' % TOPIC.encode()
    put = b"PUT /v1/projects/p/subscriptions/empty HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(create) + create
    peer.send(put + wait + GET)
    assert [peer.response()[2][:2] for _ in range(3)] == [b'{"', b"{}", b"Ok"]


@pytest.mark.parametrize("request_, keeps", [
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", False),
    (b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", False),
    (b"GET / HTTP/1.0\r\n\r\n", False),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n", True),
    (b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", True),
    (b"\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n", True),
    (b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", False),
])  # fmt: skip
def test_good_requests(peer, request_, keeps):
    peer.send(request_)
    while b"\r\n\r\n" not in peer.bytes:
        assert peer.more()
    assert peer.bytes.startswith(b"HTTP/1.1 200 OK\r\n") and (b"connection: close" in peer.bytes) == (not keeps)
    if keeps:
        peer.response()
        assert peer.send(GET).response()[0] == 200
    else:
        while peer.more():
            pass


def test_a_client_that_has_said_all(peer):
    peer.send(GET + PUBLISH)
    peer.socket.shutdown(socket.SHUT_WR)
    assert peer.statuses() == [200, 200]


def test_continue_is_said_before_the_body(peer):
    head, body = post(MESSAGE, b"Content-Length: %d" % len(MESSAGE), b"Expect: 100-continue").split(b"\r\n\r\n", 1)
    peer.send(head + b"\r\n\r\n")
    assert peer.response()[0] == 100
    assert peer.send(body).response()[0] == 200
    assert peer.send(GET.replace(b"\r\n\r\n", b"\r\nExpect: tea\r\n\r\n")).statuses() == [417]


def test_a_body_that_is_too_large_is_not_asked_for(peer):
    head = post(b"", b"Content-Length: 30000000", b"Expect: 100-continue")
    assert peer.send(head).statuses() == [413]


def test_over_tls(tmp_path):
    chain, key = issue(ROOT_CA, names=("localhost",)).files(tmp_path, "server")
    with Emulator("--tls-cert", chain, "--tls-key", key) as emulator:
        for protocols in (["http/1.1"], ["h2", "http/1.1"], None):
            context = ssl._create_unverified_context()
            if protocols:
                context.set_alpn_protocols(protocols)
            with Peer(emulator) as peer:
                peer.socket = context.wrap_socket(peer.socket)
                assert peer.socket.selected_alpn_protocol() == (protocols and protocols[0])
                if protocols != ["h2", "http/1.1"]:
                    assert peer.send(GET).response()[0] == 200


# ---- what two readers may read in two ways ----

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("request_", [
    post(b"0\r\n\r\n" + SMUGGLED, b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    post(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: chunked", b"Content-Length: 5"),
    post(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
    post(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    post(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: xchunked"),
    post(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: chunked, identity"),
    post(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: gzip, chunked"),
    post(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: \"chunked\""),
    post(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding : chunked"),
    post(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding:\x0bchunked"),
    post(b"0\r\n\r\n" + SMUGGLED, b"Transfer_Encoding: chunked", b"Transfer-Encoding: chunked", b"Content-Length: 0"),
    post(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding:\r\n chunked"),
    post(b"{}" + SMUGGLED, b"Content-Length: 2", b"Content-Length: 3"),
    post(b"{}" + SMUGGLED, b"Content-Length: 2", b"Content-Length: 2"),
    post(b"{}" + SMUGGLED, b"Content-Length: 2, 2"),
    post(b"{}" + SMUGGLED, b"Content-Length: +2"),
    post(b"{}" + SMUGGLED, b"Content-Length: -2"),
    post(b"{}" + SMUGGLED, b"Content-Length: 0x2"),
    post(b"{}" + SMUGGLED, b"Content-Length: 2 2"),
    post(b"{}" + SMUGGLED, b"Content-Length: 99999999999999999999999"),
    post(b"{}" + SMUGGLED, b"Content-Length: "),
    post(b"{}" + SMUGGLED, b"X: a\r\n folded", b"Content-Length: 2"),
    post(b"{}" + SMUGGLED, b" X: a", b"Content-Length: 2"),
    post(b"{}" + SMUGGLED, b"X: a\nContent-Length: 2"),
    post(b"{}" + SMUGGLED, b"X: a\rContent-Length: 2"),
    post(b"{}" + SMUGGLED, b"X: a\0b", b"Content-Length: 2"),
    post(b"{}" + SMUGGLED, b"X\0: a", b"Content-Length: 2"),
    post(b"{}" + SMUGGLED, b"no colon", b"Content-Length: 2"),
    post(b"{}" + SMUGGLED, b": no name", b"Content-Length: 2"),
    b"GET / HTTP/1.1\n" + HOST + b"\r\n" + SMUGGLED,
    b"GET / HTTP/1.1\r\nHost: localhost\n\n" + SMUGGLED,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n" + SMUGGLED,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n" + SMUGGLED,
    b"GET / HTTP/1.1\r\n\r\n" + SMUGGLED,
    b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    b"GET / HTTP/2.0\r\n" + HOST + b"\r\n" + SMUGGLED,
    b"GET / HTTP/1.2\r\n" + HOST + b"\r\n" + SMUGGLED,
    b"GET / HTTP/0.9\r\n" + HOST + b"\r\n" + SMUGGLED,
    b"GET / http/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    b"GET /\r\n" + HOST + b"\r\n" + SMUGGLED,
    b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    b"GET nothing HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    b"GET http:///x HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    b"GET https://localhost/ HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
], ids=lambda request: re.sub(r"[^\x21-\x7e]+", " ", request.split(b"Host: localhost\r\n", 1)[-1][:44].decode("latin1")).strip())  # fmt: skip
def test_what_is_ambiguous_is_refused(emulator, peer, request_):
    """One answer, which says no, and the end of the connection: what follows is nobody's request."""
    peer.send(request_)
    statuses = peer.statuses()
    assert len(statuses) <= 1 and all(400 <= status < 600 and status != 404 for status in statuses), statuses
    assert works(emulator)


@pytest.mark.parametrize("chunks", [
    b"g\r\n", b"5 \r\n", b" 5\r\n", b"+5\r\n", b"0x5\r\n", b"-1\r\n", b"\r\n", b"5\n" + b"x" * 5, b"5\r" + b"x" * 5, b"fffffffffffffffff\r\n",
    b"2\r\n{}x\r\n0\r\n\r\n", b"2\r\n{}\n0\r\n\r\n", b"1\r\n{}\r\n0\r\n\r\n", b"2;a\nb\r\n{}\r\n", b"2;\0\r\n{}\r\n", b"2\r\n{}\r\n0\n\r\n",
    b"2\r\n{}\r\n0\r\nno colon\r\n\r\n", b"2\r\n{}\r\n0\r\nA: b\nB: c\r\n\r\n",
])  # fmt: skip
def test_bad_chunks(emulator, peer, chunks):
    peer.send(post(chunks + SMUGGLED, b"Transfer-Encoding: chunked"))
    statuses = peer.statuses()
    assert len(statuses) == 1 and 400 <= statuses[0] < 500 and statuses[0] != 404, statuses
    assert works(emulator)


def test_trailers_say_nothing(peer):
    """A Host or a length behind the body is read by nobody."""
    body = b"%x\r\n" % len(MESSAGE) + MESSAGE + b"\r\n0\r\nHost: evil.example\r\nContent-Encoding: gzip\r\nX: y\r\n\r\n"
    peer.send(post(body, b"Transfer-Encoding: chunked") + GET)
    assert [peer.response()[0] for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("bytes_", [b"INVALID CONNECTION PREFACE\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"get / HTTP/1.1\r\n\r\n", b"\0" * 100, b"PRI"])
def test_what_is_no_http_is_closed_in_silence(emulator, peer, bytes_):
    peer.send(bytes_)
    peer.socket.shutdown(socket.SHUT_WR)
    assert not peer.more() and peer.bytes == b""
    assert works(emulator)


# ---- what is too much, or too slow ----


def test_heads_are_bounded(emulator):
    def statuses(request):
        with Peer(emulator) as peer:
            return peer.send(request).statuses()

    assert statuses(b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X%d: y\r\n" % i for i in range(200)) + b"\r\n") == [431]
    assert statuses(b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 70_000 + b"\r\n\r\n") == [431]
    assert statuses(b"GET / HTTP/1.1\r\n" + HOST + b"X" * 70_000 + b": y\r\n\r\n") == [431]
    assert statuses(b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n") == [414]
    trailers = b"2\r\n{}\r\n0\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(200)) + b"\r\n"
    assert statuses(post(trailers, b"Transfer-Encoding: chunked")) == [431]


def test_bodies_are_bounded(emulator):
    for head in (b"Content-Length: 21000000", b"Transfer-Encoding: chunked"):
        with Peer(emulator) as peer:
            peer.send(post(b"", head))
            piece = b"x" * (1 << 20)
            try:
                for _ in range(25):
                    peer.send(piece if head.startswith(b"C") else b"100000\r\n" + piece + b"\r\n")
            except ConnectionError:
                pass
            assert peer.statuses() in ([413], [])
    assert works(emulator)


def test_chunk_extensions_are_bounded(emulator):
    with Peer(emulator) as peer:
        peer.send(post(b"2;", b"Transfer-Encoding: chunked"))
        try:
            for _ in range(80):
                peer.send(b"x" * (1 << 20))
        except ConnectionError:
            pass
        assert peer.statuses() in ([413], [400], [])
    assert works(emulator)


def resident_mb(emulator):
    status = pathlib.Path(f"/proc/{emulator.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def test_answers_that_nobody_takes(emulator):
    """Pipelined without end, and nothing is read: the server stops reading too."""
    before = resident_mb(emulator)
    with Peer(emulator) as peer:
        peer.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            for _ in range(2000):
                peer.send(GET * 1000)
        assert resident_mb(emulator) < before + 30
        assert works(emulator)


def test_a_thousand_silent_connections(emulator):
    before = resident_mb(emulator)
    peers = [Peer(emulator).send(b"GET / HT") for _ in range(1000)]
    assert works(emulator) and resident_mb(emulator) < before + 30
    for peer in peers:
        peer.socket.close()


def test_slow_clients_are_let_go(emulator):
    """A head in drips, a body that stops: 10 and 20 s."""

    def drip():
        with Peer(emulator) as peer:
            start = time.monotonic()
            peer.send(b"GET / HTTP/1.1\r\n" + HOST)
            try:
                while time.monotonic() - start < 30:
                    peer.send(b"X: y\r\n")
                    peer.socket.settimeout(0.5)
                    try:
                        if not peer.more():
                            break
                    except TimeoutError:
                        pass
            except ConnectionError:
                pass
            return time.monotonic() - start, peer.bytes

    def stop():
        with Peer(emulator) as peer:
            start = time.monotonic()
            peer.socket.settimeout(60)
            statuses = peer.send(post(b"{", b"Content-Length: 2")).statuses()
            return time.monotonic() - start, statuses

    with concurrent.futures.ThreadPoolExecutor() as pool:
        dripping, stopping = pool.submit(drip), pool.submit(stop)
        seconds, got = dripping.result()
        assert seconds >= 9 and got.startswith(b"HTTP/1.1 408 ")
        seconds, got = stopping.result()
        assert seconds >= 19 and got == [408]


# ---- pages of other origins ----

ORIGINS = [
    (b"Host: localhost:8085", 200),
    (b"Host: 127.0.0.1", 200),
    (b"Host: [::1]:8085", 200),
    (b"Host: evil.example", 403),
    (b"Host: localhost.evil.example", 403),
    (b"Host: 127.0.0.1.evil.example", 403),
    (b"Host: ", 403),
    (b"Host: localhost:8085\r\nOrigin: http://localhost:8085", 200),
    (b"Host: localhost:8085\r\nOrigin: http://localhost:3000", 403),
    (b"Host: localhost:8085\r\nOrigin: https://evil.example", 403),
    (b"Host: localhost:8085\r\nOrigin: null", 403),
    (b"Host: evil.example\r\nOrigin: http://evil.example", 403),
    (b"Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image", 403),
    (b"Host: localhost\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors", 403),
    (b"Host: localhost\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors", 200),
    (b"Host: localhost\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document", 200),
]


@pytest.mark.parametrize("headers,status", ORIGINS, ids=[headers.decode().replace("\r\n", " ") for headers, _ in ORIGINS])
def test_origins(peer, headers, status):
    got, answered, _ = peer.send(b"GET / HTTP/1.1\r\n" + headers + b"\r\n\r\n").response()
    assert got == status and not any(name.startswith("access-control") for name in answered)


def test_the_host_of_an_absolute_target_counts(peer):
    assert peer.send(b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n").statuses() == [403]


def test_a_preflight_is_not_granted(peer):
    request = b"OPTIONS /v1/projects/p/topics HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n"
    status, headers, _ = peer.send(request).response()
    assert status == 403 and not any(name.startswith("access-control") for name in headers)


def test_the_refused_has_no_effect(emulator, peer):
    peer.send(PUBLISH.replace(HOST, b"Host: evil.example\r\n"))
    assert peer.statuses() == [403]
    with Peer(emulator) as other:
        other.send(PUBLISH.replace(HOST, HOST + b"Origin: http://evil.example\r\n"))
        assert other.statuses() == [403]


def test_other_hosts_by_any_name():
    with Emulator("--listen", "0.0.0.0:0") as emulator:
        with Peer(emulator) as peer:
            assert peer.send(b"GET / HTTP/1.1\r\nHost: pubsub:8085\r\n\r\n").response()[0] == 200
        with Peer(emulator) as peer:
            assert peer.send(b"GET / HTTP/1.1\r\nHost: pubsub:8085\r\nOrigin: http://evil.example\r\n\r\n").statuses() == [403]


# ---- the document ----


def test_the_examples_of_the_document_run(tmp_path):
    """Every curl line of docs/emulator.md, in order, as it stands but for the port."""
    lines = [line for line in (ROOT / "docs/emulator.md").read_text().splitlines() if line.startswith("curl ")]
    assert len(lines) >= 6
    with Emulator() as emulator:
        for line in lines:
            done = subprocess.run(["sh", "-c", line.replace("localhost:8085", f"localhost:{emulator.port}") + " --fail-with-body -sS"], capture_output=True, text=True)
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            if ":pull" in line:
                assert json.loads(done.stdout)["receivedMessages"][0]["message"]["data"] == "aGVsbG8="
