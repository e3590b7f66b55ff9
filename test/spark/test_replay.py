"""A batch reads the same rows however often it is read, and nothing is acknowledged before it has committed."""

import time

from conftest import PROJECT, Reader, numbers, until, write

MASTER = "local[2,3]"  # a task may fail twice


def source(spark, emulator):
    return (
        spark.readStream.format("pubsub")
        .option("endpoint", emulator.host)
        .option("plaintext", "true")
        .option("projectId", PROJECT)
        .option("subscriptionId", "sub1")
        .load()
    )


def test_three_actions_see_the_same_rows(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 20000))
    seen = []

    def act(batch, number):
        ids = [{row.message_id for row in batch.select("message_id").collect()} for _ in range(3)]
        seen.append((ids[0] == ids[1] == ids[2], len(ids[0])))

    query = source(spark, emulator).writeStream.foreachBatch(act).option("checkpointLocation", str(tmp_path)).start()
    until(lambda: sum(count for _, count in seen) >= 20000 or not query.isActive)
    query.stop()
    assert all(same for same, _ in seen) and sum(count for _, count in seen) == 20000


def test_three_actions_see_the_same_rows_while_more_arrive(spark, emulator, tmp_path):
    """What arrives after the end of a batch was determined, until it is planned, is part of it: of all its actions, and of no other batch."""
    from google.cloud import pubsub_v1

    emulator.create()
    publisher = pubsub_v1.PublisherClient()
    topic = publisher.topic_path(PROJECT, "topic1")
    futures, seen = [], []

    def act(batch, number):
        ids = [[row.message_id for row in batch.select("message_id").collect()] for _ in range(3)]
        seen.append(ids)

    query = source(spark, emulator).writeStream.foreachBatch(act).option("checkpointLocation", str(tmp_path)).start()
    until(lambda: emulator.stats("sub1")["streams"] > 0)
    for i in range(3000):
        futures.append(publisher.publish(topic, b"%d" % i))
        time.sleep(0.001)
    published = {future.result(timeout=30) for future in futures}
    until(lambda: sum(len(ids[0]) for ids in seen) >= 3000 or not query.isActive)
    until(lambda: emulator.left() == 0, 10)
    query.stop()
    publisher.stop()
    assert all(sorted(first) == sorted(second) == sorted(third) for first, second, third in seen)
    rows = [message_id for ids in seen for message_id in ids[0]]
    assert len(rows) == 3000 and set(rows) == published
    assert len(seen) > 3 and emulator.left() == 0


def test_a_retried_task_reads_its_rows_again(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 5000))
    seen = []

    def fail_once(rows):
        from pyspark import TaskContext

        for index, row in enumerate(rows):
            if index == 100 and TaskContext.get().attemptNumber() == 0:
                raise ValueError("the first attempt of every task fails")
            yield row.message_id

    def act(batch, number):
        seen.extend(batch.select("message_id").rdd.mapPartitions(fail_once).collect())

    query = source(spark, emulator).writeStream.foreachBatch(act).option("checkpointLocation", str(tmp_path)).start()
    until(lambda: sum(p["numInputRows"] for p in query.recentProgress) >= 5000 or not query.isActive)
    query.stop()
    assert len(seen) == 5000 and len(set(seen)) == 5000
    assert emulator.left() == 0


def test_available_now_twice(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 2000))
    for expected in (2000, 0):
        reader = Reader(spark, emulator, tmp_path / "checkpoint", trigger={"availableNow": True})
        reader.query.awaitTermination(60)
        assert not reader.query.isActive and len(reader.rows) == expected
        assert emulator.left() == 0


def test_two_queries_on_one_subscription(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 10000))
    readers = [Reader(spark, emulator, tmp_path / str(i)) for i in range(2)]
    until(lambda: sum(len(reader.rows) for reader in readers) >= 10000)
    until(lambda: sum(p["numInputRows"] for r in readers for p in r.query.recentProgress) >= 10000)
    for reader in readers:
        reader.stop()
    ids = [row.message_id for reader in readers for row in reader.rows]
    assert len(ids) == 10000 and len(set(ids)) == 10000
    assert emulator.left() == 0
