"""What of a query is acknowledged when it stops, whatever form its checkpoint has, and what is left where it failed."""

import os
import pathlib
import subprocess
import sys

import pyspark
import pytest
from google.cloud import pubsub_v1

from conftest import PROJECT, Reader, numbers, until, write

LINE = tuple(int(part) for part in pyspark.__version__.split(".")[:2])
newer = pytest.mark.skipif(LINE < (4, 2), reason="of Spark 4.2 and later")


def subscriptions():
    subscriber = pubsub_v1.SubscriberClient()
    found = [s.name.rsplit("/", 1)[1] for s in subscriber.list_subscriptions(project=f"projects/{PROJECT}")]
    subscriber.close()
    return found


def source(spark, emulator, subscription="sub1", name=None, **options):
    reader = spark.readStream.format("pubsub").option("endpoint", emulator.host).option("plaintext", "true")
    reader = reader.option("projectId", PROJECT).option("subscriptionId", subscription).options(**options)
    return (reader.name(name) if name else reader).load()


def read_and_stop(frame, checkpoint, count):
    """Stops the query the moment that its first batch with rows has been committed, long before a next one."""
    writer = frame.writeStream.format("noop").option("checkpointLocation", str(checkpoint)).trigger(processingTime="2 seconds")
    query = writer.start()
    until(lambda: sum(p["numInputRows"] for p in query.recentProgress) >= count or not query.isActive, 60)
    query.stop()
    assert query.exception() is None


def test_the_last_batch_is_acknowledged_at_stop(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 1000))
    read_and_stop(source(spark, emulator), tmp_path / "checkpoint", 1000)
    assert emulator.left() == 0


@newer
def test_with_the_second_format_of_the_offset_log(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 1000))
    spark.conf.set("spark.sql.streaming.offsetLog.formatVersion", "2")
    try:
        read_and_stop(source(spark, emulator), tmp_path / "checkpoint", 1000)
    finally:
        spark.conf.unset("spark.sql.streaming.offsetLog.formatVersion")
    assert (tmp_path / "checkpoint/offsets/0").read_text().startswith("v2\n")
    assert emulator.left() == 0


@newer
def test_with_named_sources(spark, emulator, tmp_path):
    emulator.create()
    emulator.create("topic2", "sub2")
    write(spark, emulator, numbers(spark, 1000))
    write(spark, emulator, numbers(spark, 500), topic="topic2")
    settings = {"spark.sql.streaming.queryEvolution.enableSourceEvolution": "true", "spark.sql.streaming.offsetLog.formatVersion": "2"}
    for key, value in settings.items():
        spark.conf.set(key, value)
    try:
        both = source(spark, emulator, name="one").union(source(spark, emulator, "sub2", name="two"))
        read_and_stop(both, tmp_path / "checkpoint", 1500)
    finally:
        for key in settings:
            spark.conf.unset(key)
    last = max((tmp_path / "checkpoint/offsets").glob("[0-9]*"), key=lambda file: int(file.name))
    assert {line[:4] for line in last.read_text().splitlines()} >= {"one:", "two:"}
    assert emulator.left() == 0 and emulator.left("sub2") == 0


def fail(batch, number):
    if batch.count() > 0:
        raise ValueError("no")


def ignore(batch, number):
    batch.count()


@pytest.mark.parametrize("sink,stays", [(fail, True), (ignore, False)])
def test_a_subscription_stays_where_its_query_failed(spark, emulator, tmp_path, sink, stays):
    """What the query has not acknowledged is in it alone."""
    emulator.create()
    write(spark, emulator, numbers(spark, 3000))
    frame = source(spark, emulator, deleteSubscriptionOnStreamStop="true")
    query = frame.writeStream.foreachBatch(sink).option("checkpointLocation", str(tmp_path / "c")).trigger(availableNow=True).start()
    until(lambda: not query.isActive, 60)
    assert (query.exception() is not None) == stays
    query.stop()
    assert ("sub1" in subscriptions()) == stays
    if stays:
        reader = Reader(spark, emulator, tmp_path / "again", trigger={"availableNow": True})
        reader.query.awaitTermination(60)
        assert len({row.message_id for row in reader.rows}) == 3000


def test_a_sink_that_will_skip_batches_is_warned_of(emulator, tmp_path):
    """A second checkpoint on the folder of a file sink: its batch 0 is one that the sink knows."""
    emulator.create()
    job = [sys.executable, str(pathlib.Path(__file__).parents[1] / "support/file_sink_job.py"), emulator.host, str(tmp_path / "out")]

    def run(checkpoint):
        environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
        done = subprocess.run([*job, str(tmp_path / checkpoint)], capture_output=True, text=True, timeout=300, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stderr

    warning = "skips them"
    assert warning not in run("one")
    assert warning not in run("one")
    said = [line for line in run("two").splitlines() if warning in line]
    assert len(said) == 1 and str(tmp_path / "out") in said[0] and "batches up to 1" in said[0]


def test_why_streams_are_opened_again_is_told(spark, emulator, tmp_path):
    """In the driver's log, once for each reason, and in the progress."""
    emulator.create()
    emulator.command("fault StreamingPull status=UNAVAILABLE count=6")
    job = [sys.executable, str(pathlib.Path(__file__).parents[1] / "support/file_sink_job.py"), emulator.host, str(tmp_path / "out")]
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run([*job, str(tmp_path / "one")], capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "it is opened again" in line]
    assert len(said) == 1 and "UNAVAILABLE" in said[0]
    emulator.command("fault StreamingPull status=UNAVAILABLE count=6")
    reader = Reader(spark, emulator, tmp_path / "two", trigger={"availableNow": True})
    reader.query.awaitTermination(60)
    metrics = [progress["sources"][0]["metrics"] for progress in reader.query.recentProgress]
    reader.stop()
    assert "UNAVAILABLE" in metrics[-1]["lastReopenReason"]
