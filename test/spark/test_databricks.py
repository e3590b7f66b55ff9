"""A job that was written for Databricks' connector moves by its format alone. Where the service is, the cluster's settings say."""

import json
import time

import pytest
from google.cloud import pubsub_v1
from pyspark.sql import functions as F

from conftest import PROJECT, until

MASTER = "local[2]"
BATCH_BYTES = 200_000


@pytest.fixture
def cluster(spark, emulator):
    """What an administrator sets, not the job."""
    settings = {"spark.pubsub.endpoint": emulator.host, "spark.pubsub.plaintext": "true", "spark.pubsub.batchBytes": "64k"}
    for key, value in settings.items():
        spark.conf.set(key, value)
    emulator.create()
    yield emulator
    for key in settings:
        spark.conf.unset(key)


def job(spark, form, **more):
    """The job, as its documentation has it; only the format is a parameter."""
    auth = {
        "clientId": "1234567890", "clientEmail": "job@p1.iam.gserviceaccount.com",
        "privateKey": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n", "privateKeyId": "0123456789abcdef",
    }  # fmt: skip
    return (
        spark.readStream.format(form)
        .option("subscriptionId", "job-sub")
        .option("topicId", "topic1")
        .option("projectId", PROJECT)
        .option("numFetchPartitions", "2")
        .option("maxBytesPerTrigger", str(BATCH_BYTES))
        .option("maxRecordsPerFetch", "1000")
        .option("maxFetchPeriod", "100ms")
        .options(**auth)
        .options(**more)
        .load()
    )


def subscriptions():
    subscriber = pubsub_v1.SubscriberClient()
    found = {s.name.rsplit("/", 1)[1] for s in subscriber.list_subscriptions(project=f"projects/{PROJECT}")}
    subscriber.close()
    return found


def publish(messages):
    publisher = pubsub_v1.PublisherClient()
    path = publisher.topic_path(PROJECT, "topic1")
    ids = [f.result(timeout=60) for f in [publisher.publish(path, data, **attributes) for data, attributes in messages]]
    publisher.stop()
    return ids


class Running:
    def __init__(self, frame, checkpoint):
        self.rows, self.batches = [], []
        self.query = frame.writeStream.foreachBatch(self.take).option("checkpointLocation", str(checkpoint)).start()

    def take(self, batch, number):
        rows = batch.collect()
        self.rows += rows
        self.batches.append(sum(len(row.payload) for row in rows))

    def wait(self, count):
        until(lambda: len(self.rows) >= count or not self.query.isActive, 90)
        if self.query.exception():
            raise self.query.exception()
        until(lambda: sum(p["numInputRows"] for p in self.query.recentProgress) >= count, 60)
        assert len(self.rows) == count

    def stop(self):
        self.query.stop()


def test_columns_and_their_types(spark, cluster):
    schema = json.loads(job(spark, "pubsub-databricks").schema.json())
    assert [(f["name"], f["type"]) for f in schema["fields"]] == [
        ("messageId", "string"), ("payload", "binary"), ("attributes", "string"), ("publishTimestampInMillis", "long"),
    ]  # fmt: skip


def test_what_it_reads(spark, cluster, tmp_path):
    """It makes its subscription, and each column says what was published."""
    running = Running(job(spark, "pubsub-databricks"), tmp_path / "checkpoint")
    until(lambda: "job-sub" in subscriptions(), 60)
    attributes = [{}, {"k": "v"}, {"quote": '"', "back\\slash": "\n\t\x01", "ü": "ß€𝄞", "empty": ""}]
    before = time.time() * 1000
    ids = publish([(f"payload {i}".encode(), a) for i, a in enumerate(attributes)])
    running.wait(3)
    until(lambda: cluster.stats("job-sub")["streams"] == 2, 60)
    streams = cluster.stats("job-sub")["streams"]
    running.stop()
    by_id = {row.messageId: row for row in running.rows}
    assert set(by_id) == set(ids)
    for i, (message_id, expected) in enumerate(zip(ids, attributes)):
        row = by_id[message_id]
        assert bytes(row.payload) == f"payload {i}".encode()
        assert json.loads(row.attributes) == expected
        assert before - 1000 <= row.publishTimestampInMillis <= time.time() * 1000 + 1000
    assert streams == 2  # numFetchPartitions
    assert "job-sub" in subscriptions()  # it stays: nobody asked for its deletion


def test_batches_are_limited_and_a_restart_goes_on(spark, cluster, tmp_path):
    frame = job(spark, "pubsub-databricks")
    running = Running(frame, tmp_path / "checkpoint")
    until(lambda: "job-sub" in subscriptions(), 60)
    publish([(b"x" * 10_000, {}) for _ in range(100)])
    running.wait(100)
    running.stop()
    # A soft limit: a batch ends at a chunk (64 KB here, of each of two partitions).
    assert max(running.batches) <= BATCH_BYTES + 2 * 80_000 and len([b for b in running.batches if b]) >= 3
    publish([(b"later", {}) for _ in range(10)])
    again = Running(frame, tmp_path / "checkpoint")
    again.wait(10)
    again.stop()
    assert {bytes(row.payload) for row in again.rows} == {b"later"} and cluster.left("job-sub") == 0


def test_its_subscription_goes_when_it_asks(spark, cluster, tmp_path):
    running = Running(job(spark, "pubsub-databricks", deleteSubscriptionOnStreamStop="true"), tmp_path / "checkpoint")
    until(lambda: "job-sub" in subscriptions(), 60)
    publish([(b"one", {})])
    running.wait(1)
    running.stop()
    assert "job-sub" not in subscriptions()


def test_what_jobs_do_with_the_columns(spark, cluster, tmp_path):
    frame = job(spark, "pubsub-databricks").select(
        F.col("payload").cast("string").alias("text"),
        F.get_json_object("attributes", "$.kind").alias("kind"),
        F.from_json("attributes", "map<string,string>")["kind"].alias("kind2"),
        (F.col("publishTimestampInMillis") / 1000).cast("timestamp").alias("at"),
    )
    query = frame.writeStream.format("memory").queryName("moved_job").option("checkpointLocation", str(tmp_path / "checkpoint")).start()
    until(lambda: "job-sub" in subscriptions(), 60)
    publish([(b'{"a": 1}', {"kind": "click"})])
    until(lambda: spark.table("moved_job").count() == 1 or not query.isActive, 60)
    query.stop()
    row = spark.table("moved_job").first()
    assert (row.text, row.kind, row.kind2) == ('{"a": 1}', "click", "click")
    assert abs(row.at.timestamp() - time.time()) < 600


def test_its_own_format_reads_with_the_same_options(spark, cluster, tmp_path):
    """format("pubsub") understands the names, with its own columns, and makes no subscription unasked."""
    frame = job(spark, "pubsub", createSubscription="true")
    assert "message_id" in frame.columns and "publish_time" in frame.columns
    running = Running(frame.withColumnRenamed("data", "payload"), tmp_path / "checkpoint")
    until(lambda: "job-sub" in subscriptions(), 60)
    publish([(b"one", {})])
    running.wait(1)
    running.stop()
