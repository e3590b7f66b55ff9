"""read_pubsub, the table function, with a session extension: bounded alone, a stream behind STREAM."""

import pytest

from conftest import PROJECT, numbers, until, write

CONF = {"spark.sql.extensions": "io.sparkpubsub.PubSubExtensions"}
COLUMNS = ["messageId", "payload", "attributes", "publishTimestampInMillis"]


@pytest.fixture
def call(emulator):
    """read_pubsub(…) of the emulator's subscription."""
    emulator.create()

    def text(subscription="sub1", **more):
        arguments = {"subscriptionId": subscription, "projectId": PROJECT, "endpoint": emulator.host, "plaintext": "true", **more}
        return "read_pubsub(" + ", ".join(f"{name} => '{value}'" for name, value in arguments.items()) + ")"

    return text


def in_memory(frame, tmp_path, name, trigger):
    query = frame.writeStream.format("memory").queryName(name).option("checkpointLocation", str(tmp_path)).trigger(**trigger).start()
    query.awaitTermination(60)
    if query.exception():
        raise query.exception()
    return frame.sparkSession.table(name).collect()


def test_a_stream(spark, emulator, call, tmp_path):
    write(spark, emulator, numbers(spark, 50))
    frame = spark.sql(f"SELECT * FROM STREAM {call()}")
    assert frame.isStreaming and frame.columns == COLUMNS
    rows = in_memory(frame, tmp_path, "streamed", {"availableNow": True})
    assert sorted(int(bytes(row.payload)) for row in rows) == list(range(50))
    until(lambda: emulator.left() == 0)
    assert emulator.left() == 0


def test_a_bounded_read(spark, emulator, call):
    write(spark, emulator, numbers(spark, 50))
    frame = spark.sql(f"SELECT trim(CAST(payload AS STRING)) AS text FROM {call()} AS messages WHERE messages.payload IS NOT NULL")
    assert not frame.isStreaming
    assert sorted(int(row.text) for row in frame.collect()) == list(range(50))
    until(lambda: emulator.left() == 0)
    assert emulator.left() == 0


def test_the_arguments_of_databricks(spark, emulator, call):
    """All of them, those that are no strings too; a missing subscription is made where the topic is known."""
    more = {"topicId": "topic1", "clientEmail": "a@b.iam.gserviceaccount.com", "clientId": "1", "privateKeyId": "k", "privateKey": "secret-key"}
    text = call("made", **more, numFetchPartitions="2", maxRecordsPerFetch="1000", maxFetchPeriod="10ms", maxBytesPerTrigger="10m")
    text = text[:-1] + ", deleteSubscriptionOnStreamStop => false, maxRows => 10 + 2)"
    frame = spark.sql(f"select * from stream\n  {text} m")
    assert frame.isStreaming and frame.columns == COLUMNS
    assert "secret-key" not in frame._jdf.queryExecution().analyzed().toString()
    assert spark.sql(f"SELECT * FROM {text}").collect() == []
    assert "made" in emulator.command("stats")


def test_within_a_larger_query(spark, emulator, call, tmp_path):
    write(spark, emulator, numbers(spark, 20))
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW messages AS SELECT * FROM STREAM {call()}")
    frame = spark.sql(
        "WITH numbers AS (SELECT CAST(trim(CAST(payload AS STRING)) AS INT) AS n FROM messages)"
        " SELECT n, 'STREAM read_pubsub(1)' AS text FROM numbers /* STREAM read_pubsub( */ WHERE n % 2 = 0 -- STREAM read_pubsub("
    )
    assert frame.isStreaming
    rows = in_memory(frame, tmp_path, "within", {"availableNow": True})
    assert {(row.n, row.text) for row in rows} == {(n, "STREAM read_pubsub(1)") for n in range(0, 20, 2)}


def test_what_is_wrong_is_said(spark, emulator, call):
    def fails(text, words):
        with pytest.raises(Exception, match=words):
            spark.sql(text).collect()

    fails("SELECT * FROM read_pubsub('sub1')", "takes its arguments by name")
    fails("SELECT * FROM STREAM read_pubsub('sub1')", "takes its arguments by name")
    fails("SELECT * FROM read_pubsub(projectId => 'p1')", "'subscriptionId' is required")
    fails("SELECT * FROM STREAM read_pubsub(projectId => 'p1')", "'subscriptionId' is required")
    fails("SELECT * FROM read_pubsub(subscriptionIdd => 's-1', projectId => 'p1')", "did you mean 'subscriptionId'")
    fails("SELECT * FROM read_pubsub(subscriptionId => NULL, projectId => 'p1')", "'subscriptionId' of read_pubsub must be a value")
    fails(f"SELECT * FROM {call('nowhere')}", "does not exist")
    fails("SELECT * FROM STREAM nowhere", "(?i)TABLE_OR_VIEW_NOT_FOUND|syntax")


def test_only_where_the_extension_is(spark, emulator, call):
    """Other statements are not touched: text, names, comments."""
    assert spark.sql("SELECT 'a STREAM read_pubsub(x) b' AS t").collect()[0].t == "a STREAM read_pubsub(x) b"
    assert spark.sql("SELECT 1 AS `STREAM read_pubsub(`").columns == ["STREAM read_pubsub("]
    assert spark.range(3).selectExpr("id + 1").count() == 3
