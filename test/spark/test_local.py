"""Spark in one process: source and sink against the emulator."""

import collections

import pytest

from conftest import PROJECT, Reader, numbers, until, write

MASTER = "local[2]"


@pytest.mark.parametrize("size,count", [(100, 100000), (1000, 20000), (10000, 2000), (100000, 200)])
def test_every_message_once(spark, emulator, tmp_path, size, count):
    emulator.create()
    write(spark, emulator, numbers(spark, count, size))
    reader = Reader(spark, emulator, tmp_path / "checkpoint")
    reader.wait(count)
    reader.stop()
    assert len(reader.rows) == count
    assert len({row.message_id for row in reader.rows}) == count
    assert {int(bytes(row.data).split()[0]) for row in reader.rows} == set(range(count))
    assert all(len(row.data) == size for row in reader.rows)
    assert emulator.left() == 0  # everything was acknowledged, the last batch too


def test_columns(spark, emulator, tmp_path):
    from pyspark.sql import functions as F

    emulator.create()
    frame = spark.range(100).select(
        F.col("id").cast("string").alias("data"),
        F.create_map(F.lit("number"), F.col("id").cast("string"), F.lit("ü"), F.lit("ß")).alias("attributes"),
        F.when(F.col("id") % 2 == 0, F.lit("even")).alias("ordering_key"),
    )
    write(spark, emulator, frame)
    reader = Reader(
        spark,
        emulator,
        tmp_path / "checkpoint",
        select=("message_id", "data", "attributes", "publish_time", "ordering_key", "delivery_attempt"),
    )
    reader.wait(100)
    reader.stop()
    for row in reader.rows:
        number = int(bytes(row.data))
        assert row.attributes == {"number": str(number), "ü": "ß"}
        assert row.ordering_key == ("even" if number % 2 == 0 else None)
        assert row.publish_time.year >= 2024 and row.delivery_attempt is None


def test_no_columns_at_all(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 1000))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", select=())
    reader.wait(1000)
    reader.stop()
    assert sum(reader.batches) == 1000


def test_limited_batches(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 5000))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", maxRowsPerTrigger="1000", batchSize="250")
    reader.wait(5000)
    reader.stop()
    assert max(reader.batches) <= 1000 and sum(reader.batches) == 5000


def test_an_idle_query_runs_no_batches(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 10))
    reader = Reader(spark, emulator, tmp_path / "checkpoint")
    reader.wait(10)
    before = len(reader.batches)
    until(lambda: False, 2)
    assert len(reader.batches) == before
    # … and has acknowledged its last batch without a next one.
    until(lambda: emulator.left() == 0, 5)
    reader.stop()
    assert emulator.left() == 0


def test_available_now(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 3000))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger={"availableNow": True})
    reader.query.awaitTermination(60)
    assert not reader.query.isActive and len(reader.rows) == 3000
    assert emulator.left() == 0


def test_a_failed_batch_is_delivered_again(spark, emulator, tmp_path):
    """Nothing of a batch that did not commit is acknowledged."""
    emulator.create()
    write(spark, emulator, numbers(spark, 100))
    frame = (
        spark.readStream.format("pubsub")
        .option("endpoint", emulator.host)
        .option("plaintext", "true")
        .option("projectId", PROJECT)
        .option("subscriptionId", "sub1")
        .load()
    )

    def fail(batch, number):
        if batch.count() > 0:
            raise ValueError("no")

    query = frame.writeStream.foreachBatch(fail).option("checkpointLocation", str(tmp_path / "one")).start()
    until(lambda: not query.isActive, 30)
    assert query.exception() is not None
    query.stop()
    reader = Reader(spark, emulator, tmp_path / "two")
    reader.wait(100)
    reader.stop()
    assert len({row.message_id for row in reader.rows}) == 100


def test_restart_from_the_checkpoint(spark, emulator, tmp_path):
    emulator.create()
    seen = collections.Counter()
    for turn in range(3):
        write(spark, emulator, numbers(spark, 500))
        reader = Reader(spark, emulator, tmp_path / "checkpoint")
        reader.wait(500)
        reader.stop()
        seen.update(row.message_id for row in reader.rows)
    assert len(seen) == 1500 and max(seen.values()) == 1


def test_the_query_survives_a_restart_of_the_emulator(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 100))
    reader = Reader(spark, emulator, tmp_path / "checkpoint")
    reader.wait(100)
    emulator.restart()
    emulator.create()
    write(spark, emulator, numbers(spark, 100))
    reader.wait(200)
    reader.stop()
    assert len(reader.rows) == 200


def test_streaming_write(spark, emulator, tmp_path):
    emulator.create()
    emulator.create("topic2", "sub2")
    write(spark, emulator, numbers(spark, 1000))
    options = {"endpoint": emulator.host, "plaintext": "true", "projectId": PROJECT}
    copy = (
        spark.readStream.format("pubsub-native")
        .options(subscriptionId="sub1", **options)
        .load()
        .select("data", "attributes")
        .writeStream.format("pubsub")
        .options(topicId="topic2", checkpointLocation=str(tmp_path / "copy"), **options)
        .start()
    )
    reader = Reader(spark, emulator, tmp_path / "checkpoint", subscription="sub2")
    reader.wait(1000)
    copy.stop()
    reader.stop()
    assert {int(bytes(row.data).split()[0]) for row in reader.rows} == set(range(1000))


def test_a_streaming_write_to_the_topics_of_rows(spark, emulator, tmp_path):
    emulator.create()
    options = {"endpoint": emulator.host, "plaintext": "true", "projectId": PROJECT}
    rows = spark.readStream.format("rate").option("rowsPerSecond", 50).load().selectExpr("cast(value as string) as data", "'topic1' as topic")
    query = rows.writeStream.format("pubsub").options(checkpointLocation=str(tmp_path), **options).start()
    until(lambda: emulator.left() >= 50 or query.exception())
    query.stop()
    assert query.exception() is None and emulator.left() >= 50


def test_session_settings(spark, emulator, tmp_path):
    emulator.create()
    spark.conf.set("spark.pubsub.projectId", PROJECT)
    spark.conf.set("spark.pubsub.endpoint", emulator.host)
    spark.conf.set("spark.pubsub.plaintext", "true")
    try:
        numbers(spark, 5).write.format("pubsub").option("topicId", "topic1").mode("append").save()
    finally:
        for key in ("projectId", "endpoint", "plaintext"):
            spark.conf.unset("spark.pubsub." + key)
    assert emulator.left() == 5
