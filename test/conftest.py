"""Fixtures: a fresh emulator process a test, and a Spark session a module."""

import os
import pathlib
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "test/support"), str(ROOT / "test")]
import emulator as emulator_process  # noqa: E402

EMULATOR = os.environ.get("PUBSUB_EMULATOR_BINARY", str(ROOT / "build/release/pubsub-emulator"))
COMMAND = os.environ.get("PUBSUB_COMMAND", str(ROOT / "build/release/pubsub"))
JAR = os.environ.get("SPARK_PUBSUB_JAR", str(ROOT / "spark/target/spark-pubsub.jar"))
PROJECT = "p1"


class Emulator(emulator_process.Emulator):
    """With what the tests need: a topic, a subscription."""

    def __init__(self, *arguments, port=0):
        super().__init__(EMULATOR, *arguments, port=port)

    def create(self, topic="topic1", subscription="sub1", **config):
        from google.cloud import pubsub_v1

        publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
        name = publisher.topic_path(PROJECT, topic)
        publisher.create_topic(name=name)
        subscriber.create_subscription(
            request={"name": subscriber.subscription_path(PROJECT, subscription), "topic": name, **config}
        )
        publisher.stop()
        subscriber.close()

    def left(self, subscription="sub1"):
        """Messages that are not acknowledged, lent ones too."""
        return self.stats(subscription)["backlog"]


@pytest.fixture
def emulator(monkeypatch):
    running = Emulator()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", running.host)
    yield running
    if running.process.poll() is None:
        running.stop()


def session(master, ui=False, **conf):
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master(master)
        .config("spark.jars", JAR)
        .config("spark.ui.enabled", str(ui).lower())
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.executorEnv.PYSPARK_PYTHON", sys.executable)
        .config(map=conf)
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark


@pytest.fixture(scope="module")
def spark(request):
    running = session(getattr(request.module, "MASTER", "local[2]"), **getattr(request.module, "CONF", {}))
    yield running
    running.stop()


def source_metrics(reader):
    """Those that are numbers."""
    metrics = reader.query.lastProgress["sources"][0]["metrics"]
    return {key: int(value) for key, value in metrics.items() if key != "lastReopenReason"}


class Reader:
    """A streaming query that collects what it reads."""

    def __init__(self, spark, emulator, checkpoint, select=("message_id", "data"), subscription="sub1", trigger=None, **options):
        self.rows, self.batches = [], []
        frame = (
            spark.readStream.format("pubsub")
            .option("endpoint", emulator.host)
            .option("plaintext", "true")
            .option("projectId", PROJECT)
            .option("subscriptionId", subscription)
            .options(**options)
            .load()
        )
        writer = frame.select(*select).writeStream.foreachBatch(self.take)
        writer = writer.option("checkpointLocation", str(checkpoint))
        if trigger:
            writer = writer.trigger(**trigger)
        self.query = writer.start()

    def take(self, batch, number):
        rows = batch.collect()
        self.rows += rows
        self.batches.append(len(rows))

    def wait(self, count, timeout=90):
        until(lambda: len(self.rows) >= count or not self.query.isActive, timeout)
        if self.query.exception():
            raise self.query.exception()
        assert len(self.rows) >= count
        # Collected is not yet committed: progress is reported once it is.
        until(lambda: sum(progress["numInputRows"] for progress in self.query.recentProgress) >= count, timeout)

    def stop(self):
        self.query.stop()


def until(condition, timeout=60):
    deadline = time.monotonic() + timeout
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def write(spark, emulator, frame, topic="topic1", **options):
    (
        frame.write.format("pubsub")
        .option("endpoint", emulator.host)
        .option("plaintext", "true")
        .option("projectId", PROJECT)
        .option("topicId", topic)
        .options(**options)
        .mode("append")
        .save()
    )


def numbers(spark, count, size=100):
    return spark.range(count).selectExpr(f"rpad(cast(id as string), {size}, ' ') as data")
