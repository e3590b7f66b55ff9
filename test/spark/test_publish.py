"""The writing side: compression, many writers at once, tasks that are killed while the service stalls."""

import pathlib
import select
import socket
import subprocess
import threading
import time

import pytest

from conftest import COMMAND, PROJECT, numbers, until, write



class Meter:
    """Forwards connections to the emulator, and counts the bytes on their way to it."""

    def __init__(self, host):
        self.target = (host.rsplit(":", 1)[0], int(host.rsplit(":", 1)[1]))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.sent = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.forward, args=(client,), daemon=True).start()

    def forward(self, client):
        with client, socket.create_connection(self.target) as server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if ready is client:
                        self.sent += len(data)
                    (server if ready is client else client).sendall(data)


@pytest.fixture
def meter(emulator):
    running = Meter(emulator.host)
    yield running
    running.listener.close()


def pull_all(count):
    """The data of so many messages, acknowledged."""
    out = subprocess.run(
        [COMMAND, "pull", "sub1", "--max", str(count), "--project", PROJECT], capture_output=True, text=True, timeout=60
    )
    assert out.returncode == 0, out.stderr
    return out.stdout.splitlines()


@pytest.mark.parametrize("gzip", [False, True])
def test_the_command_compresses(emulator, meter, gzip):
    """Across a refused request too: what is sent again is compressed as well."""
    emulator.create()
    emulator.command("fault Publish status=UNAVAILABLE count=1")
    command = [COMMAND, "publish", "topic1", "--count", "1000", "--size", "1000", "--project", PROJECT]
    command += ["--endpoint", meter.host, "--plaintext"] + ["--gzip"] * gzip
    assert subprocess.run(command, timeout=60).returncode == 0
    assert (meter.sent < 200_000) if gzip else (meter.sent > 1_000_000)
    assert sorted(int(line.split()[0]) for line in pull_all(1000)) == list(range(1000))


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_spark_compresses(spark, emulator, meter, compression):
    emulator.create()
    frame = numbers(spark, 2000, size=500).repartition(2)
    emulator.host, straight = meter.host, emulator.host
    write(spark, emulator, frame, publishCompression=compression)
    emulator.host = straight
    assert (meter.sent < 200_000) if compression == "gzip" else (meter.sent > 1_000_000)
    assert sorted(int(line) for line in pull_all(2000)) == list(range(2000))


def sockets_to(port):
    """Connections of this machine to a port, both directions counted once."""
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(1 for line in lines if line.split()[2].endswith(f":{port:04X}") and line.split()[3] == "01")


@pytest.mark.parametrize("interrupt", [True, False])
@pytest.mark.parametrize("rows, in_flight", [(100, 64 << 20), (20_000, 1 << 20)], ids=["commit", "full"])
def test_a_killed_task_does_not_wait_for_the_service(spark, emulator, interrupt, rows, in_flight):
    """Cancelled while the ids are waited for, and while too much is in flight; with and without an interrupted thread."""
    emulator.create()
    emulator.command("fault Publish stall")
    context, problems = spark.sparkContext, []

    def work():
        context.setJobGroup("stalled", "writes", interruptOnCancel=interrupt)
        try:
            write(spark, emulator, numbers(spark, rows, size=1000).coalesce(1), publishMaxInFlightBytes=in_flight)
        except Exception as problem:  # noqa: BLE001: looked at below
            problems.append(problem)

    from pyspark import InheritableThread

    thread = InheritableThread(target=work)
    thread.start()
    until(lambda: sockets_to(emulator.port) > 0 and context.statusTracker().getActiveJobsIds(), 30)
    time.sleep(1)
    assert thread.is_alive()
    begin = time.monotonic()
    context.cancelJobGroup("stalled")
    thread.join(timeout=60)
    until(lambda: sockets_to(emulator.port) == 0, 60)
    assert not thread.is_alive() and problems
    assert sockets_to(emulator.port) == 0, "the killed task has kept its connection"
    assert time.monotonic() - begin < 30


def test_five_hundred_writers_at_once(emulator):
    """Each with a connection of its own, all of them open together; nothing fails, nothing is lost."""
    emulator.create()
    command = [COMMAND, "publish", "topic1", "--project", PROJECT]
    writers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(500)]
    try:
        for number, writer in enumerate(writers):
            writer.stdin.write(f"{number}.0\n")
            writer.stdin.flush()
        until(lambda: emulator.stats("sub1")["backlog"] == 500, 60)
        assert emulator.stats("sub1")["backlog"] == 500
        assert sockets_to(emulator.port) >= 500
        for number, writer in enumerate(writers):
            writer.stdin.write("".join(f"{number}.{i}\n" for i in range(1, 100)))
            writer.stdin.close()
        assert [writer.wait(timeout=60) for writer in writers] == [0] * 500
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
            writer.stdout.close()
    assert sorted(pull_all(50_000)) == sorted(f"{n}.{i}" for n in range(500) for i in range(100))


def test_spark_with_five_hundred_tasks(spark, emulator):
    emulator.create()
    write(spark, emulator, numbers(spark, 50_000).repartition(500))
    assert sorted(int(line) for line in pull_all(50_000)) == list(range(50_000))
