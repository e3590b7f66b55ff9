"""Delivery semantics beyond the plain path: restarts in each window, speculation, a source read twice, triggers, watermarks."""

import time

import pytest

from conftest import Emulator, Reader, numbers, until, write
from test_replay import source


class Crashing(Reader):
    """Fails batch `at`, before or after it is stored. What is stored stays, batch by batch, as in a sink that replaces a batch."""

    def __init__(self, *arguments, at=None, after=False, stored=None, **more):
        self.at, self.after = at, after
        self.stored = {} if stored is None else stored
        super().__init__(*arguments, **more)

    def take(self, batch, number):
        if number == self.at and not self.after:
            raise RuntimeError("crash before the sink")
        self.stored[number] = [row.message_id for row in batch.collect()]
        if number == self.at:
            raise RuntimeError("crash after the sink")


def committed(reader):
    return sum(progress["numInputRows"] for progress in reader.query.recentProgress)


@pytest.mark.parametrize("after", [False, True], ids=["before the sink's commit", "before the commit log"])
def test_a_crash_in_a_batch_loses_nothing(spark, emulator, tmp_path, after):
    """What comes twice is at most the batch that was not committed."""
    emulator.create(ack_deadline_seconds=10)
    write(spark, emulator, numbers(spark, 6000))
    settings = dict(maxRowsPerTrigger="2000", batchSize="500", ackDeadlineSeconds="10")
    first = Crashing(spark, emulator, tmp_path / "c", at=1, after=after, **settings)
    until(lambda: not first.query.isActive)
    assert "crash" in str(first.query.exception())
    kept = dict(first.stored)
    second = Crashing(spark, emulator, tmp_path / "c", stored=first.stored, **settings)
    until(lambda: len({i for ids in second.stored.values() for i in ids}) >= 6000 or not second.query.isActive)
    until(lambda: emulator.stats("sub1")["backlog"] == 0)
    second.stop()
    ids = [i for batch in second.stored.values() for i in batch]
    assert len(set(ids)) == 6000 and emulator.stats("sub1")["backlog"] == 0
    assert len(ids) == 6000  # batch 1 was replaced: it read as empty, and its messages came in a later one
    assert len(kept.get(1, [])) <= 2000


def test_lost_acknowledgements_come_again_and_are_bounded(spark, emulator, tmp_path):
    """After the commit log, before the acknowledgements have reached the service."""
    emulator.create(ack_deadline_seconds=10)
    emulator.command("fault Acknowledge drop-acks")
    write(spark, emulator, numbers(spark, 3000))
    settings = dict(ackDeadlineSeconds="10")
    first = Reader(spark, emulator, tmp_path / "c", **settings)
    first.wait(3000)
    first.stop()
    emulator.command("faults clear")
    second = Reader(spark, emulator, tmp_path / "c", **settings)
    emulator.command("advance 700s")  # past every extension
    until(lambda: len(second.rows) >= 3000)
    until(lambda: emulator.stats("sub1")["backlog"] == 0)
    second.stop()
    assert {row.message_id for row in second.rows} == {row.message_id for row in first.rows}
    assert len(second.rows) == 3000 and emulator.stats("sub1")["backlog"] == 0


def test_acknowledgements_follow_the_commit_within_a_second(spark, monkeypatch, tmp_path):
    with Emulator("--record") as emulator:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
        emulator.create()
        write(spark, emulator, numbers(spark, 1000))
        reader = Reader(spark, emulator, tmp_path / "c", trigger={"processingTime": "6 seconds"})
        until(lambda: len(reader.rows) >= 1000)
        until(lambda: (tmp_path / "c" / "commits" / "0").exists())
        commit_us = (tmp_path / "c" / "commits" / "0").stat().st_mtime_ns // 1000
        until(lambda: emulator.stats("sub1")["backlog"] == 0, 3)  # long before the next batch
        times = [event.time_us for event in emulator.record("acknowledge")]
        reader.stop()
        assert len(times) == 1000 and min(times) >= commit_us and max(times) < commit_us + 1_000_000


def test_a_million_messages_without_a_fault(spark, monkeypatch, tmp_path):
    """Redelivered: none. Acknowledged: once each. Extended: at most once each."""
    count = 1_000_000
    with Emulator("--record") as emulator:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
        emulator.create(ack_deadline_seconds=60)
        write(spark, emulator, numbers(spark, count, 20))
        query = (
            source(spark, emulator)
            .selectExpr("length(data) as n")
            .writeStream.format("noop")
            .option("checkpointLocation", str(tmp_path / "c"))
            .trigger(availableNow=True)
            .start()
        )
        query.awaitTermination(120)
        rows = sum(progress["numInputRows"] for progress in query.recentProgress)
        events = {}
        for event in emulator.record():
            events[event.event] = events.get(event.event, 0) + 1
        assert rows == count
        assert events["deliver"] == events["acknowledge"] == count
        assert events.get("extend", 0) <= count and "expire" not in events and "nack" not in events


def test_a_source_twice_in_one_plan(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 3000))
    frame = source(spark, emulator).select("message_id")
    seen = []
    both = frame.union(frame)
    query = (
        both.writeStream.foreachBatch(lambda batch, n: seen.extend(row.message_id for row in batch.collect()))
        .option("checkpointLocation", str(tmp_path / "c"))
        .start()
    )
    until(lambda: len(set(seen)) >= 3000 or not query.isActive)
    until(lambda: emulator.stats("sub1")["backlog"] == 0, 20)
    query.stop()
    assert query.exception() is None
    assert len(set(seen)) == 3000 and emulator.stats("sub1")["backlog"] == 0


def test_min_rows_wait_for_more_but_not_forever(spark, emulator, tmp_path):
    emulator.create()
    reader = Reader(spark, emulator, tmp_path / "c", minRowsPerTrigger="1000", maxTriggerDelay="6s")
    write(spark, emulator, numbers(spark, 400))
    time.sleep(3)
    assert reader.rows == []
    write(spark, emulator, numbers(spark, 600))
    until(lambda: len(reader.rows) >= 1000, 20)
    assert reader.batches[0] == 1000
    begin = time.monotonic()
    write(spark, emulator, numbers(spark, 10))
    until(lambda: len(reader.rows) >= 1010, 20)
    assert 5 < time.monotonic() - begin < 15
    reader.stop()


def test_a_watermark_on_publish_time_closes_windows(spark, emulator, tmp_path):
    """Append mode gives a window once the watermark has passed it: by a batch without data, as nothing more comes."""
    emulator.create()
    windows = (
        source(spark, emulator)
        .withWatermark("publish_time", "1 second")
        .groupBy("publish_time")
        .count()
    )
    seen = []
    query = (
        windows.writeStream.outputMode("append")
        .foreachBatch(lambda batch, n: seen.extend(batch.collect()))
        .option("checkpointLocation", str(tmp_path / "c"))
        .start()
    )
    write(spark, emulator, numbers(spark, 500))
    until(lambda: emulator.stats("sub1")["backlog"] == 0, 30)
    time.sleep(2.5)
    write(spark, emulator, numbers(spark, 1))
    until(lambda: sum(row["count"] for row in seen) >= 500, 30)
    query.stop()
    assert query.exception() is None and sum(row["count"] for row in seen) == 500


@pytest.mark.parametrize("fault", ["late-headers", "silent", "lifetime=1500ms", "duplicate count=50"])
def test_streams_that_behave_oddly(spark, emulator, tmp_path, fault):
    emulator.create()
    emulator.command(f"fault StreamingPull {fault}")
    reader = Reader(spark, emulator, tmp_path / "c")
    for piece in range(3):
        write(spark, emulator, numbers(spark, 500))
        until(lambda: len({row.message_id for row in reader.rows}) >= 500 * (piece + 1), 30)
        time.sleep(0.7)
    until(lambda: emulator.stats("sub1")["backlog"] == 0, 30)
    reader.stop()
    assert len({row.message_id for row in reader.rows}) == 1500 and emulator.stats("sub1")["backlog"] == 0


def test_refused_acknowledgements_are_sent_again(spark, emulator, tmp_path):
    emulator.create()
    emulator.command("fault Acknowledge status=UNAVAILABLE count=3")
    emulator.command("fault Acknowledge disconnect count=1")
    write(spark, emulator, numbers(spark, 2000))
    reader = Reader(spark, emulator, tmp_path / "c")
    reader.wait(2000)
    until(lambda: emulator.stats("sub1")["backlog"] == 0, 30)
    reader.stop()
    assert len(reader.rows) == 2000 and emulator.stats("sub1")["backlog"] == 0
