"""When a query ends, and what has been read by then: Once, AvailableNow, processAllAvailable, minRowsPerTrigger."""

import subprocess
import threading
import time

import certificates
import pytest
from google.cloud import pubsub_v1

from conftest import COMMAND, PROJECT, Emulator, Reader, numbers, source_metrics, until, write

ONCE = {"once": True}
AVAILABLE_NOW = {"availableNow": True}


class Trickle:
    """Publishes a message every so many seconds while the block runs: "late 0", "late 1" …"""

    def __init__(self, publish, every):
        self.publish, self.every, self.count = publish, every, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.over.wait(self.every):
            self.publish(f"late {self.count}")
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


@pytest.fixture
def publish(emulator):
    publisher = pubsub_v1.PublisherClient()
    topic = publisher.topic_path(PROJECT, "topic1")
    yield lambda text: publisher.publish(topic, text.encode()).result(timeout=30)
    publisher.stop()


def texts(reader):
    return [bytes(row.data).decode().split()[0] for row in reader.rows]


def ended(reader, within=60):
    """The query has ended, and well."""
    reader.query.awaitTermination(within)
    active = reader.query.isActive
    reader.stop()
    if reader.query.exception():
        raise reader.query.exception()
    assert not active


def test_once_reads_what_was_published(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 1500))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=ONCE, batchSize="100")
    ended(reader)
    assert len(reader.batches) == 1 and len(set(texts(reader))) == 1500
    assert emulator.left() == 0


def test_once_on_an_empty_subscription(spark, emulator, tmp_path):
    emulator.create()
    reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=ONCE)
    ended(reader)
    assert reader.rows == []


def test_process_all_available(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 1500))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", batchSize="100", maxRowsPerTrigger="400")
    for expected in (1500, 1510, 1520):
        reader.query.processAllAvailable()
        assert len(reader.rows) == expected
        write(spark, emulator, numbers(spark, 10))
    reader.stop()


def test_once_is_not_cut_by_the_limits_of_a_batch(spark, emulator, tmp_path):
    """Spark ignores them for this trigger; what executors ask the service for follows."""
    emulator.create()
    write(spark, emulator, numbers(spark, 1500))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=ONCE, batchSize="50", maxRowsPerTrigger="100", maxBytesPerTrigger="20k")
    ended(reader)
    assert len(set(texts(reader))) == 1500
    assert emulator.left() == 0


def test_process_all_available_ends_while_messages_come(spark, emulator, tmp_path, publish):
    """It waits for what was published before the call, and for nothing that comes later."""
    emulator.create()
    write(spark, emulator, numbers(spark, 1500))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", batchSize="100")
    with Trickle(publish, 0.1) as later:
        for _ in range(2):
            expected = 1500 + later.count
            waits = threading.Thread(target=reader.query.processAllAvailable, daemon=True)
            waits.start()
            waits.join(40)
            assert not waits.is_alive() and len(reader.rows) >= expected
    reader.stop()


def test_available_now_ends_while_messages_come(spark, emulator, tmp_path, publish):
    """Its target is what was there at its start; what came later stays, and is lent to nobody."""
    emulator.create()
    write(spark, emulator, numbers(spark, 3000))
    with Trickle(publish, 0.1) as later:
        until(lambda: later.count > 0)
        reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=AVAILABLE_NOW, maxRowsPerTrigger="1000", batchSize="250")
        ended(reader, 30)
        seen = texts(reader)
        assert set(seen) >= {str(i) for i in range(3000)} and len(seen) < 3000 + later.count
    assert emulator.stats("sub1")["lent"] == 0
    assert emulator.left() == 3000 + later.count - len(seen) > 0
    # The next run's target includes them.
    reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=AVAILABLE_NOW)
    ended(reader)
    assert len(seen) + len(reader.rows) == 3000 + later.count
    assert emulator.left() == 0


@pytest.mark.parametrize("first", [0, 20])
def test_available_now_ends_over_tls(spark, tmp_path, first):
    """The quiet time of the real service, and a message every three seconds."""
    authority = certificates.issue(name="triggers CA", ca=True)
    (tmp_path / "ca.pem").write_bytes(authority.certificate.public_bytes(certificates.serialization.Encoding.PEM))
    chain, key = certificates.issue(authority, names=("localhost",)).files(tmp_path, "leaf")
    with Emulator("--tls-cert", chain, "--tls-key", key) as emulator:
        endpoint, ca = f"localhost:{emulator.port}", str(tmp_path / "ca.pem")

        def run(*arguments, text=""):
            command = [COMMAND, *arguments, "--project", PROJECT, "--endpoint", endpoint, "--ca-file", ca]
            subprocess.run(command, input=text, text=True, check=True, timeout=30)

        run("topic", "create", "topic1")
        run("subscription", "create", "sub1", "--topic", "topic1")
        if first:
            run("publish", "topic1", text="".join(f"{i}\n" for i in range(first)))
        with Trickle(lambda text: run("publish", "topic1", text=text + "\n"), 3):
            emulator.host = endpoint
            reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=AVAILABLE_NOW, plaintext="false", caFile=ca, accessToken="any")
            ended(reader, 45)
        assert {text for text in texts(reader) if text != "late"} == {str(i) for i in range(first)}


def test_available_now_fails_when_no_stream_opens(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 100))
    emulator.command("fault StreamingPull status=UNAVAILABLE:not_today")
    reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=AVAILABLE_NOW, availableNowTimeout="8s")
    with pytest.raises(Exception, match="sub1.*UNAVAILABLE.*not today"):
        ended(reader)
    assert reader.rows == [] and emulator.left() == 100


@pytest.mark.parametrize("trigger", [AVAILABLE_NOW, ONCE])
def test_a_late_first_delivery_is_waited_for(spark, emulator, tmp_path, trigger):
    emulator.create()
    write(spark, emulator, numbers(spark, 20))
    emulator.command("fault StreamingPull latency=2500ms")
    reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=trigger)
    ended(reader)
    assert len(reader.rows) == 20 and emulator.left() == 0


def test_the_quiet_time_is_an_option(spark, emulator, tmp_path):
    """Streams that come one after the other: the last one a while after the first was read."""
    emulator.create()
    reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=AVAILABLE_NOW, availableNowQuiet="100ms")
    begin = time.monotonic()
    ended(reader)
    fast = time.monotonic() - begin
    reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=AVAILABLE_NOW, availableNowQuiet="8s")
    begin = time.monotonic()
    ended(reader)
    assert fast < 8 <= time.monotonic() - begin


def test_available_now_with_a_minimum_of_rows(spark, emulator, tmp_path):
    """The end does not wait for rows that are not there."""
    emulator.create()
    write(spark, emulator, numbers(spark, 10))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=AVAILABLE_NOW, minRowsPerTrigger="1000")
    ended(reader)
    assert len(reader.rows) == 10


def test_the_last_progress_tells_the_end(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 1005))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger=AVAILABLE_NOW, maxRowsPerTrigger="500", batchSize="100")
    ended(reader)
    counted = source_metrics(reader)
    assert counted["acknowledgedRows"] == 1005 and counted["backlogRows"] == 0
    source = reader.query.lastProgress["sources"][0]
    assert source["latestOffset"] is not None and source["latestOffset"] == source["endOffset"]
