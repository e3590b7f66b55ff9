"""What the running Spark UI's REST API shows."""

import json
import os
import urllib.request

import pytest
from google.cloud import pubsub_v1

from conftest import PROJECT, Reader, numbers, session, until, write


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running:
        running.stop()
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    running = session("local[2]", ui=True)
    yield running
    running.stop()


WRITTEN = ("messages published", "bytes published", "publish requests sent again", "ms that tasks waited for requests in flight")


def sql_metrics(spark, name):
    """All values of a metric over all SQL executions, oldest first."""
    base = f"{spark.sparkContext.uiWebUrl}/api/v1/applications/{spark.sparkContext.applicationId}/sql"
    with urllib.request.urlopen(base + "?details=true&planDescription=false&length=1000", timeout=30) as answer:
        executions = json.load(answer)
    return [
        int(metric["value"].replace(",", ""))
        for execution in executions
        for node in execution.get("nodes", [])
        for metric in node["metrics"]
        if metric["name"] == name and metric.get("value")
    ]


def test_backlog_rises_with_a_slow_sink_and_falls(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 5000))

    query = (
        spark.readStream.format("pubsub")
        .option("endpoint", emulator.host)
        .option("plaintext", "true")
        .option("projectId", PROJECT)
        .option("subscriptionId", "sub1")
        .option("maxRowsPerTrigger", "1000")
        .option("batchSize", "500")
        .load()
        .selectExpr("data", "reflect('java.lang.Thread', 'sleep', 1L)")  # a millisecond a row
        .writeStream.format("noop")
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .start()
    )
    until(lambda: sum(p["numInputRows"] for p in query.recentProgress) >= 5000)
    running = sql_metrics(spark, "pubsub_backlog_count")
    until(lambda: emulator.left() == 0)
    write(spark, emulator, numbers(spark, 10))  # a last batch, after everything else was settled
    until(lambda: sum(p["numInputRows"] for p in query.recentProgress) >= 5010)
    progress = [p["sources"][0]["metrics"] for p in query.recentProgress]
    last = progress[-1]
    query.stop()
    backlog = sql_metrics(spark, "pubsub_backlog_count")
    # What waits at a batch's end: some of the next one, and no more than the next batches take.
    assert 0 < max(int(metrics["backlogRows"]) for metrics in progress) <= 4000
    assert len(running) >= 5 and running[-1] == 0
    assert backlog[-1] == 0
    assert int(last["receivedRows"]) >= 5000 and int(last["acknowledgedRows"]) >= 4000
    for key in ("backlogRows", "oldestUnacknowledgedMs", "redeliveredRows", "expiredRows", "streamReopens"):
        assert key in last


@pytest.mark.parametrize("count", [200, 4321])
def test_what_was_written_is_counted(spark, emulator, count):
    """Rows and bytes of every task, its last request included; retries and the time that tasks were held up."""
    emulator.create()
    emulator.command("fault Publish status=UNAVAILABLE count=2")
    emulator.command("fault Publish latency=30ms")
    before = {name: sum(sql_metrics(spark, name)) for name in WRITTEN}
    write(spark, emulator, numbers(spark, count, size=2000).coalesce(1), publishMaxInFlightBytes=1 << 20, publishBatchBytes=100_000)

    def more():
        return {name: sum(sql_metrics(spark, name)) - before[name] for name in WRITTEN}

    until(lambda: more()["messages published"] >= count, 30)
    rows, size, retries, throttled = (more()[name] for name in WRITTEN)
    assert rows == count
    assert count * 2000 < size < count * 2100
    if count % 100:
        assert retries == 2 and throttled > 0


def test_all_topics_of_a_task_share_the_bound_in_flight(spark, emulator):
    """Each topic alone stays under it."""
    emulator.create()
    names = [f"many{i}" for i in range(20)]
    publisher = pubsub_v1.PublisherClient()
    for name in names:
        publisher.create_topic(name=publisher.topic_path(PROJECT, name))
    emulator.command("fault Publish latency=300ms")
    waited = WRITTEN[3]
    before = {name: sum(sql_metrics(spark, name)) for name in WRITTEN}
    rows = numbers(spark, 1001, size=10_000).selectExpr("data", "concat('many', cast(trim(data) as int) % 20) as topic").coalesce(1)
    write(spark, emulator, rows, publishMaxInFlightBytes=1 << 20)
    until(lambda: sum(sql_metrics(spark, WRITTEN[0])) - before[WRITTEN[0]] >= 1001, 30)
    assert sum(sql_metrics(spark, waited)) - before[waited] >= 300


def gauges(spark):
    """What Spark's metrics system has of the plugin, by the servlet that is on by default: NAME -> value."""
    with urllib.request.urlopen(f"{spark.sparkContext.uiWebUrl}/metrics/json/", timeout=30) as answer:
        found = json.load(answer)["gauges"]
    of_ours = {name.split("PubSubPlugin.")[1]: gauge["value"] for name, gauge in found.items() if "PubSubPlugin." in name}
    return of_ours


def test_the_metrics_system_has_them_between_batches_too(spark, emulator, tmp_path):
    emulator.create("before", "subbefore")
    write(spark, emulator, numbers(spark, 30), topic="before")
    reader = Reader(spark, emulator, tmp_path / "before", subscription="subbefore")
    reader.wait(30)
    spark.stop()  # and nobody stops its query: its figures go with it
    spark = session("local[2]", ui=True, **{"spark.plugins": "io.sparkpubsub.PubSubPlugin"})
    try:
        emulator.create()
        assert gauges(spark)["source.receivedRows"] == 0
        before = gauges(spark)["sink.publishedRows"]  # of this process, whatever wrote
        write(spark, emulator, numbers(spark, 500))
        assert gauges(spark)["sink.publishedRows"] == before + 500
        frame = (
            spark.readStream.format("pubsub").option("endpoint", emulator.host).option("plaintext", "true")
            .option("projectId", PROJECT).option("subscriptionId", "sub1").load()
        )  # fmt: skip
        query = frame.writeStream.format("noop").option("checkpointLocation", str(tmp_path)).trigger(processingTime="1 hour").start()
        until(lambda: gauges(spark)["source.receivedRows"] == 500)
        write(spark, emulator, numbers(spark, 70))  # no batch will see them for an hour
        until(lambda: gauges(spark)["source.receivedRows"] == 570)
        until(lambda: gauges(spark)["source.numRecordsReadyToProcess"] == gauges(spark)["source.backlogRows"])
        now = gauges(spark)
        held = 570 - now["source.acknowledgedRows"]  # the first batch may have been there before the first message
        assert now["source.receivedRows"] == 570 and held >= 70
        assert now["source.numRecordsReadyToProcess"] == now["source.backlogRows"] == held
        assert now["source.sizeOfRecordsReadyToProcess"] > 100 * held and now["source.numDuplicatesSinceStreamStart"] == 0
        query.stop()
        until(lambda: gauges(spark)["source.receivedRows"] == 0)
        assert gauges(spark)["source.receivedRows"] == 0  # of sources that run
    finally:
        spark.stop()
