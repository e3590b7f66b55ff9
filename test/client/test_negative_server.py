"""The client against a server that breaks the rules of HTTP/2 and gRPC in one way at a time: nothing is lost, it recovers or says clearly
why not, and it does not spin."""

import os
import resource
import signal
import subprocess
import tempfile
import time

import h2.errors
import h2.settings
import pytest

from conftest import COMMAND, until
from negative_server import NegativeServer
from server_behaviours import (
    PASSING, compressed, cut_in_a_frame, goaway_none, http_status, no_trailers, oversize, refused, reset_after_headers, trailers_only,
)  # fmt: skip

CPU_SECONDS = 2.0  # of one command, at most: it waits, it does not spin


def start(server, *arguments, output=subprocess.DEVNULL):
    environment = {k: v for k, v in os.environ.items() if k != "PUBSUB_EMULATOR_HOST"}
    return subprocess.Popen(
        [COMMAND, *arguments, "--plaintext", "--endpoint", server.host, "--project", "p"],
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read_all(server, *arguments, timeout=60):
    """Reads until the server has every acknowledgement."""
    before = cpu()
    file = tempfile.TemporaryFile("w+")
    process = start(server, "tail", "s", *arguments, output=file)
    try:
        until(lambda: server.acknowledged >= server.expected or process.poll() is not None, timeout)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            process.kill()
        server.stop()
    assert process.returncode == 0, err
    assert server.acknowledged == server.expected
    file.seek(0)
    assert {line.split()[0] for line in file} == {str(i) for i in range(len(server.expected))}
    assert cpu() - before < CPU_SECONDS
    assert server.complaints == []


def fails(server, *arguments, timeout=60):
    """Runs a command that has to fail. Returns what it said."""
    before = cpu()
    process = start(server, *arguments)
    try:
        _, err = process.communicate(timeout=timeout)
    finally:
        process.kill()
        server.stop()
    assert process.returncode == 1
    assert cpu() - before < CPU_SECONDS
    return err


@pytest.mark.parametrize("behaviour", PASSING, ids=lambda f: f.__name__)
def test_a_stream_recovers(behaviour):
    def twice(call):
        if call.method != "StreamingPull" or call.turn > 2:
            return False
        behaviour(call)
        return True

    server = NegativeServer(twice)
    read_all(server)
    assert server.turns["StreamingPull"] <= 6
    assert all(connection.streams_after_goaway == 0 for connection in server.connections)


@pytest.mark.parametrize(
    "behaviour",
    [goaway_none, reset_after_headers, refused, trailers_only, no_trailers, http_status("503"), oversize, compressed, cut_in_a_frame],
    ids=lambda f: f.__name__,
)
def test_unary_calls_are_sent_again(behaviour):
    def twice(call):
        if call.method not in ("Acknowledge", "Publish", "GetTopic") or call.turn > 2:
            return False
        behaviour(call)
        return True

    server = NegativeServer(twice)
    process = start(server, "publish", "t", "--message", "hello", output=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "published 1\n", "")
    assert b"hello" in server.published
    assert start(server, "topic", "get", "t").wait(timeout=60) == 0
    assert server.turns["GetTopic"] == 3
    read_all(server)


# ---- status codes ----


@pytest.mark.parametrize("code", [1, 2, 4, 8, 10, 13, 14])
def test_codes_that_pass(code):
    server = NegativeServer(lambda call: call.method == "StreamingPull" and call.turn <= 2 and (call.end(code, "no"), True)[1])
    read_all(server)


@pytest.mark.parametrize(
    "code, text",
    [
        (3, "INVALID_ARGUMENT: the reason"),
        (5, "subscription 'projects/p/subscriptions/s' does not exist; create it with"),
        (7, "no permission to read subscription 'projects/p/subscriptions/s'"),
        (9, "FAILED_PRECONDITION: the reason"),
        (12, "UNIMPLEMENTED: the reason"),
    ],
)
def test_codes_that_stay(code, text):
    server = NegativeServer(lambda call: (call.end(code, "the reason"), True)[1])
    assert text in fails(server, "pull", "s")
    assert server.turns == {"StreamingPull": 1}


def test_a_refused_token_is_tried_again():
    server = NegativeServer(lambda call: call.method == "StreamingPull" and call.turn == 1 and (call.end(16, "old"), True)[1])
    read_all(server)
    server = NegativeServer(lambda call: (call.end(16, "the token has expired"), True)[1])
    assert "UNAUTHENTICATED: the token has expired" in fails(server, "pull", "s")
    assert server.turns["StreamingPull"] < 10


@pytest.mark.parametrize("status, text", [("401", "401"), ("403", "no permission"), ("404", "HTTP status 404")])
def test_http_statuses_that_stay(status, text):
    server = NegativeServer(lambda call: (http_status(status)(call), True)[1])
    assert text in fails(server, "pull", "s")


# ---- connections ----


def test_one_stream_a_connection():
    """Calls that find no place wait for one, or for another connection; none fails."""
    server = NegativeServer(settings={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1}, count=50)
    read_all(server)
    assert server.turns["StreamingPull"] == 1


def test_a_limit_that_is_raised_later():
    def greet(connection):
        if len(server.connections) > 1:
            return False
        settings = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 0}
        connection.http.local_settings = h2.settings.Settings(client=False, initial_values=settings)
        connection.http.initiate_connection()
        connection.flush()
        connection.socket.settimeout(0.5)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            try:
                connection.read()
            except TimeoutError:
                break
        connection.socket.settimeout(None)
        connection.http.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 10})
        connection.flush()
        while connection.read():
            pass

    server = NegativeServer(greet=greet)
    read_all(server)


def test_no_stream_is_ever_allowed():
    server = NegativeServer(settings={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 0})
    before = cpu()
    process = start(server, "tail", "s")
    time.sleep(4)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    server.stop()
    assert cpu() - before < CPU_SECONDS
    assert len(server.connections) <= 12


def test_streams_that_end_at_once():
    """Each gives an answer and ends cleanly: opened again and again, but in time with the backoff."""

    def behaviour(call):
        if call.method != "StreamingPull":
            return False
        call.send_headers()
        call.send(b"")
        call.end()
        return True

    server = NegativeServer(behaviour)
    before = cpu()
    process = start(server, "tail", "s")
    time.sleep(3)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    server.stop()
    assert cpu() - before < CPU_SECONDS
    assert 3 <= server.turns["StreamingPull"] <= 40


def test_padding():
    """Padding counts against the windows too, and comes back: more of it than the stream's window, before the messages."""

    def behaviour(call):
        if call.method != "StreamingPull":
            return False
        call.send_headers()
        window = call.connection.http.local_flow_control_window(call.stream)
        for _ in range(window // 256 * 2):
            call.send(b"", pad=255)
        call.serve(headers=False, pad=100)
        return True

    server = NegativeServer(behaviour, count=50, size=1000)
    read_all(server)


def test_tiny_windows():
    settings = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 7}
    server = NegativeServer(settings=settings, count=20)
    read_all(server)


def test_a_peer_that_answers_nothing():
    """Neither PING nor stream pings are answered, and nothing is read: another connection is opened."""

    def behaviour(call):
        if call.method == "StreamingPull" and call.turn == 1:
            call.send_headers()
            time.sleep(30)
            return True
        return False

    server = NegativeServer(behaviour)
    begin = time.monotonic()
    read_all(server, "--keepalive-ms", "1000")
    assert time.monotonic() - begin < 20
    assert len(server.connections) >= 2


def test_a_stream_that_goes_silent():
    """The connection lives (PING is answered), but the stream, whose pings were answered, is dead."""

    def behaviour(call):
        if call.method == "StreamingPull" and call.turn == 1:
            call.send_headers()
            call.send(b"")
            return True
        return False

    server = NegativeServer(behaviour, answers_pings=False)
    begin = time.monotonic()
    read_all(server, "--keepalive-ms", "1000")
    assert server.turns["StreamingPull"] >= 2
    assert time.monotonic() - begin < 15  # before the watchdog of servers that answer no pings


def test_a_server_that_never_answers_pings():
    """Google's fake: it is left alone, also where it has sent messages."""
    server = NegativeServer(answers_pings=False)
    process = start(server, "tail", "s", "--keepalive-ms", "300")
    until(lambda: server.acknowledged >= server.expected, 30)
    time.sleep(3)
    assert server.turns["StreamingPull"] == 1
    until(lambda: server.turns["StreamingPull"] >= 2, 30)  # nothing at all for twenty intervals: the watchdog
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    server.stop()


def test_silence():
    """Not a byte comes: given up at the connection's timeout."""

    def greet(connection):
        if len(server.connections) == 1:
            time.sleep(40)
            return True
        return False

    server = NegativeServer(greet=greet)
    read_all(server)


def test_not_http2():
    def greet(connection):
        connection.socket.recv(100)
        connection.socket.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        return len(server.connections) <= 2

    server = NegativeServer(greet=lambda connection: len(server.connections) <= 2 and greet(connection))
    read_all(server)


def test_what_it_says_of_itself():
    server = NegativeServer()
    read_all(server)
    for headers in server.headers:
        assert headers["x-goog-api-client"].startswith("gl-c/")
        assert "gccl/" in headers["x-goog-api-client"]
        assert headers["x-goog-request-params"] == "subscription=projects%2Fp%2Fsubscriptions%2Fs"
        assert headers["user-agent"].startswith("libpubsub/")
        assert headers["te"] == "trailers"


# ---- many streams ----


def streams_by_connection(server):
    """Without connections that only serve short calls."""
    counts = [
        sum(call.method == "StreamingPull" for call in list(connection.calls.values())) for connection in server.connections
    ]
    return [count for count in counts if count > 0]


def test_two_hundred_streams():
    """At most 100 a connection, spread evenly."""
    server = NegativeServer()
    process = start(server, "bench", "receive", "s", "--count", "1000000", "--streams", "200")
    until(lambda: sum(streams_by_connection(server)) >= 200, 60)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    server.stop()
    spread = streams_by_connection(server)
    assert sum(spread) == 200 and len(spread) >= 2
    assert max(spread) <= 100 and max(spread) - min(spread) <= 10
    assert server.complaints == []


def test_two_hundred_streams_at_the_emulator(emulator):
    for arguments in (["topic", "create", "topic1"], ["subscription", "create", "sub1", "--topic", "topic1"]):
        assert start(emulator, *arguments).wait(timeout=30) == 0
    process = start(emulator, "bench", "receive", "sub1", "--count", "2000", "--streams", "200")
    until(lambda: emulator.stats("sub1")["streams"] >= 200, 60)
    assert emulator.stats("sub1")["streams"] == 200
    assert start(emulator, "publish", "topic1", "--count", "2000").wait(timeout=60) == 0
    process.communicate(timeout=60)
    assert process.returncode == 0
