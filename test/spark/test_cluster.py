"""Spark with real executor processes."""

import os
import pathlib
import signal

from conftest import Reader, numbers, source_metrics, until, write

MASTER = "local-cluster[2,1,1024]"


def test_every_message_once_over_two_executors(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 50000))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", numPartitions="4")
    reader.wait(50000)
    write(spark, emulator, numbers(spark, 1000))
    reader.wait(51000)
    executors = int(reader.query.lastProgress["sources"][0]["metrics"]["executors"])
    reader.stop()
    assert len(reader.rows) == 51000 and len({row.message_id for row in reader.rows}) == 51000
    assert executors == 2
    assert emulator.left() == 0


def test_several_subscriptions_over_two_executors(spark, emulator, tmp_path):
    """A killed executor takes what it held of each; nothing is lost of any."""
    for number in "12":
        emulator.create(f"topic{number}", f"sub{number}")
        write(spark, emulator, numbers(spark, 3000), topic=f"topic{number}")
    select = ("subscription", "message_id", "data")
    options = {"includeSubscription": "true", "ackDeadlineSeconds": "10", "maxRowsPerTrigger": "1000", "batchSize": "100"}
    reader = Reader(spark, emulator, tmp_path / "checkpoint", select=select, subscription="sub1,sub2", numPartitions="4", **options)
    until(lambda: len(reader.rows) >= 1000)
    os.kill(executors(spark)[0], signal.SIGKILL)
    until(lambda: (emulator.left("sub1"), emulator.left("sub2")) == (0, 0) or not reader.query.isActive, 90)
    reader.stop()
    assert reader.query.exception() is None
    for number in "12":
        rows = [row for row in reader.rows if row.subscription.endswith(f"/sub{number}")]
        assert {int(bytes(row.data).split()[0]) for row in rows} == set(range(3000))


def executors(spark):
    """Process ids of this session's executors."""
    driver = f":{spark.conf.get('spark.driver.port')}\0".encode()  # of --driver-url
    found = []
    for process in pathlib.Path("/proc").iterdir():
        try:
            if process.name.isdigit():
                command = (process / "cmdline").read_bytes()
                if b"CoarseGrainedExecutorBackend" in command and driver in command:
                    found.append(int(process.name))
        except OSError:
            pass
    return found


def test_a_killed_executor_loses_nothing(spark, emulator, tmp_path):
    """What it held comes again at the deadline; its slots move to the executors that are left."""
    emulator.create()
    write(spark, emulator, numbers(spark, 20000))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", numPartitions="4", ackDeadlineSeconds="10", maxRowsPerTrigger="2000", batchSize="500")
    until(lambda: len(reader.rows) >= 2000)
    before = executors(spark)
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len({row.message_id for row in reader.rows}) >= 20000 or not reader.query.isActive, 90)
    assert reader.query.exception() is None
    assert {int(bytes(row.data).split()[0]) for row in reader.rows} == set(range(20000))
    duplicates = len(reader.rows) - 20000
    until(lambda: emulator.left() == 0, 90)  # what comes twice is read and committed too
    until(lambda: source_metrics(reader)["executorsLost"] == 1)
    counted = source_metrics(reader)
    reader.stop()
    assert duplicates < 20000 and emulator.left() == 0
    assert counted["abandonedRows"] >= duplicates and counted["executorsLeft"] == 0


def test_an_executor_that_is_told_to_go_gives_back_at_once(spark, emulator, tmp_path):
    """The deadline is ten minutes: what comes again within seconds was given back."""
    emulator.create()
    reader = Reader(spark, emulator, tmp_path / "checkpoint", numPartitions="4", ackDeadlineSeconds="600", maxRowsPerTrigger="2000", batchSize="500")
    until(lambda: emulator.stats("sub1")["streams"] == 4)  # every executor gets its part
    write(spark, emulator, numbers(spark, 20000))
    until(lambda: len(reader.rows) >= 2000)
    os.kill(executors(spark)[0], signal.SIGTERM)
    until(lambda: len({row.message_id for row in reader.rows}) >= 20000 or not reader.query.isActive, 90)
    assert reader.query.exception() is None
    assert {int(bytes(row.data).split()[0]) for row in reader.rows} == set(range(20000))
    until(lambda: emulator.left() == 0, 90)
    until(lambda: (source_metrics(reader)["executorsLeft"], source_metrics(reader)["acknowledgedRows"]) == (1, 20000))
    counted = source_metrics(reader)
    reader.stop()
    assert emulator.left() == 0
    # To the last message: what was received more than once was given back.
    assert counted["givenBackRows"] > 0 and counted["acknowledgedRows"] == 20000
    assert counted["receivedRows"] == counted["acknowledgedRows"] + counted["givenBackRows"]
    assert counted["abandonedRows"] == 0 and counted["executorsLost"] == 0
