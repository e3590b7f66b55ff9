"""What a person does in the first hour, and the words that say the next step."""

import json
import pathlib

import pytest
from google.cloud import pubsub_v1

from conftest import PROJECT, Reader, numbers, until, write

MASTER = "local[2]"
CONF = {"spark.sql.catalog.pubsub": "io.sparkpubsub.PubSubCatalog", "spark.sql.catalog.pubsub.projectId": PROJECT}


def failure(action):
    with pytest.raises(Exception) as caught:
        action()
    return str(caught.value)


def sink(frame, emulator, topic="topic1", **options):
    writer = frame.write.format("pubsub").option("endpoint", emulator.host).option("plaintext", "true").option("projectId", PROJECT)
    return (writer.option("topicId", topic) if topic else writer).options(**options)


def source(spark, emulator, subscription="sub1", **options):
    reader = spark.readStream.format("pubsub").option("endpoint", emulator.host).option("plaintext", "true").option("projectId", PROJECT)
    return (reader.option("subscriptionId", subscription) if subscription else reader).options(**options)


def messages(subscription="sub1", count=1):
    """What waits, by Google's own client."""
    with pubsub_v1.SubscriberClient() as client:
        path = client.subscription_path(PROJECT, subscription)
        got = []
        while len(got) < count:
            answer = client.pull(request={"subscription": path, "max_messages": count}, timeout=20).received_messages
            assert answer, f"{len(got)} of {count} messages"
            client.acknowledge(request={"subscription": path, "ack_ids": [message.ack_id for message in answer]})
            got += [message.message for message in answer]
        return got


@pytest.fixture
def settings(spark, emulator):
    """For SQL: the emulator is a setting."""
    spark.conf.set("spark.pubsub.endpoint", emulator.host)
    spark.conf.set("spark.pubsub.plaintext", "true")
    yield
    spark.conf.unset("spark.pubsub.endpoint")
    spark.conf.unset("spark.pubsub.plaintext")


# ---- batch writes ----


@pytest.mark.parametrize("mode", [None, "error", "overwrite", "ignore"])
def test_a_mode_that_a_topic_does_not_have(spark, emulator, mode):
    emulator.create()
    writer = sink(numbers(spark, 3), emulator)
    said = failure(lambda: (writer.mode(mode) if mode else writer).save())
    assert "a topic is appended to" in said and 'mode("append")' in said
    assert emulator.left() == 0


def test_a_batch_write(spark, emulator):
    emulator.create()
    sink(numbers(spark, 30), emulator).mode("append").save()
    assert emulator.left() == 30


# ---- columns of a sink ----


def test_names_of_columns_follow_the_session(spark, emulator):
    emulator.create()
    frame = spark.sql("select 'hello' as DATA, map('k', 'v') as Attributes, 'key' as Ordering_Key")
    sink(frame, emulator).mode("append").save()
    (message,) = messages()
    assert (message.data, dict(message.attributes), message.ordering_key) == (b"hello", {"k": "v"}, "key")
    spark.conf.set("spark.sql.caseSensitive", "true")
    try:
        said = failure(lambda: sink(frame, emulator).mode("append").save())
    finally:
        spark.conf.unset("spark.sql.caseSensitive")
    assert "'DATA'" in said and "data (BINARY or STRING)" in said


def test_a_column_that_is_there_twice(spark, emulator):
    emulator.create()
    said = failure(lambda: sink(spark.sql("select 'a' as data, 'b' as DATA"), emulator).mode("append").save())
    assert "'DATA'" in said and "twice" in said


def test_untyped_nulls(spark, emulator):
    emulator.create()
    frame = spark.sql("select 'hello' as data, null as ordering_key, null as attributes, null as topic")
    sink(frame, emulator).mode("append").save()
    sink(spark.sql("select 'there' as data, map() as attributes"), emulator).mode("append").save()
    assert sorted(message.data for message in messages(count=2)) == [b"hello", b"there"]


def test_every_string_type_is_a_string(spark, emulator, settings):
    emulator.create()
    spark.sql("create or replace temp view short as select cast('abc' as varchar(10)) as data, cast('k' as char(3)) as ordering_key")
    spark.sql("insert into pubsub.topic1 select * from short")
    assert [message.data for message in messages()] == [b"abc"]
    if int(spark.version.split(".")[0]) >= 4:
        frame = spark.sql(
            "select 'x' collate UTF8_LCASE as data, 'y' collate UNICODE_CI as ordering_key,"
            " map('k' collate UTF8_LCASE, 'v' collate UTF8_LCASE) as attributes"
        )
        sink(frame, emulator).mode("append").save()
        (message,) = messages()
        assert (message.data, message.ordering_key, dict(message.attributes)) == (b"x", "y", {"k": "v"})


def test_a_message_of_attributes_alone(spark, emulator):
    emulator.create()
    sink(spark.sql("select map('k', 'v') as attributes"), emulator).mode("append").save()
    (message,) = messages()
    assert (message.data, dict(message.attributes)) == (b"", {"k": "v"})


def test_a_frame_without_anything_to_publish(spark, emulator):
    emulator.create()
    said = failure(lambda: sink(spark.sql("select 'k' as ordering_key"), emulator).mode("append").save())
    assert "neither a column 'data' nor 'attributes'" in said


def test_a_null_attribute_is_named(spark, emulator):
    emulator.create()
    frame = spark.sql("select 'x' as data, map('good', 'v', 'country', cast(null as string)) as attributes")
    said = failure(lambda: sink(frame, emulator).mode("append").save())
    assert "'country'" in said and "null" in said and "row 0" in said


def test_a_null_topic_is_named(spark, emulator):
    emulator.create()
    frame = spark.sql("select 'x' as data, if(id = 2, null, 'topic1') as topic from range(0, 4, 1, 1)")
    said = failure(lambda: sink(frame, emulator, topic=None).mode("append").save())
    assert "row 2" in said and "topic is null" in said and "'topicId'" in said


def test_keys_of_googles_own_clients(spark, emulator):
    """Every message that can be read can be written again."""
    emulator.create()
    frame = spark.sql("select 'x' as data, map('googclient_traceparent', '00-ab-cd-01') as attributes")
    sink(frame, emulator).mode("append").save()
    assert dict(messages()[0].attributes) == {"googclient_traceparent": "00-ab-cd-01"}
    frame = spark.sql("select 'x' as data, map('google_thing', 'v') as attributes")
    assert "'google_thing'" in failure(lambda: sink(frame, emulator).mode("append").save())


@pytest.mark.parametrize(
    "attributes,key,why",
    [
        ("map('ok', 'fine', 'bad', cast(x'ff' as string))", "'k1'", "UTF-8"),
        ("map('ok', 'fine')", "cast(x'6bff' as string)", "UTF-8"),
        ("map('ok', 'fine', 'goog_secret', 'v')", "'k1'", "goog_secret"),
        ("map('ok', 'fine', 'empty', cast(null as string))", "'k1'", "empty"),
        ("map('ok', 'fine', 'long', repeat('v', 1025))", "'k1'", "1024"),
    ],
)
def test_rows_that_the_service_refuses_go_to_the_dead_letter_topic(spark, emulator, attributes, key, why):
    emulator.create()
    emulator.create("dead", "dead-sub")
    frame = spark.sql(f"select 'whole' as data, {attributes} as attributes, {key} as ordering_key union all select 'good', map(), 'k1'")
    sink(frame, emulator, deadLetterTopicId="dead").mode("append").save()
    (good,) = messages()
    assert good.data == b"good"
    (dead,) = messages("dead-sub")
    assert dead.data == b"whole"
    assert dead.attributes["ok"] == "fine" and why in dead.attributes["pubsub_error"]
    assert set(dead.attributes) == {"ok", "pubsub_error"}
    assert dead.ordering_key == ("k1" if key == "'k1'" else "")


# ---- options ----


@pytest.mark.parametrize("value", ["10 MB", "ten", "-5", "10x"])
def test_a_number_of_bytes_shows_its_units(spark, value):
    said = failure(lambda: spark.readStream.format("pubsub").option("subscriptionId", "s").option("maxBytesPerTrigger", value).load())
    assert "maxBytesPerTrigger" in said and f"'{value}'" in said and "10m" in said


def test_a_time_in_seconds_is_shown_in_both_readings(spark):
    def load(value):
        spark.readStream.format("pubsub").option("subscriptionId", "projects/p/subscriptions/sub1").option("startingTimestamp", value).load()

    said = failure(lambda: load("1704067200"))
    assert "1970-01-20T17:21:07" in said and "2024-01-01T00:00:00Z" in said and "1704067200000" in said
    assert "startingTimestamp" in failure(lambda: load("-1"))
    load("1704067200000")


def test_a_path_is_no_subscription(spark):
    said = failure(lambda: spark.readStream.format("pubsub").option("subscriptionId", "s").load("some/path"))
    assert "some/path" in said and "'subscriptionId'" in said


def test_a_stream_without_a_subscription_fails_at_load(spark):
    assert "'subscriptionId' is required" in failure(lambda: spark.readStream.format("pubsub").option("projectId", PROJECT).load())


@pytest.mark.parametrize("name", ["bad name", "ab", "1abc", "googabc", "a" * 256])
def test_names_that_cannot_be(spark, emulator, name, tmp_path):
    said = failure(lambda: source(spark, emulator, name).load())
    assert "is not a valid" in said and "3 to 255" in said and "gcloud" not in said
    assert "is not a valid" in failure(lambda: sink(numbers(spark, 1), emulator, topic=name).mode("append").save())


# ---- the subscription ----


def start_error(spark, emulator, tmp_path, **options):
    def run():
        reader = Reader(spark, emulator, tmp_path / "checkpoint", **options)
        reader.query.awaitTermination(60)
        raise reader.query.exception() or AssertionError("the query did not fail")

    return failure(run)


def test_a_subscription_that_is_there_with_other_settings(spark, emulator, tmp_path):
    emulator.create()
    emulator.create("topic2", "other", filter='attributes.a = "b"')
    options = {
        "subscription": "other",
        "createSubscription": "true",
        "topicId": "topic1",
        "subscriptionFilter": 'attributes.a = "c"',
        "subscriptionOrdering": "true",
        "subscriptionExactlyOnce": "true",
        "subscriptionRetention": "2d",
    }
    said = start_error(spark, emulator, tmp_path, **options)
    for words in ("topics/topic1", "topics/topic2", '"b"', '"c"', "subscriptionOrdering", "subscriptionExactlyOnce", "subscriptionRetention"):
        assert words in said, words
    assert "onSubscriptionDifference" in said
    reader = Reader(spark, emulator, tmp_path / "warned", **options, onSubscriptionDifference="warn")
    reader.query.processAllAvailable()
    reader.stop()


def test_a_subscription_that_is_there_as_asked_for(spark, emulator, tmp_path):
    emulator.create()
    reader = Reader(spark, emulator, tmp_path / "checkpoint", createSubscription="true", topicId="topic1")
    write(spark, emulator, numbers(spark, 10))
    reader.wait(10)
    reader.stop()


def test_a_checkpoint_with_another_subscription(spark, emulator, tmp_path):
    emulator.create()
    emulator.create("topic2", "sub2")
    first = Reader(spark, emulator, tmp_path / "checkpoint")
    write(spark, emulator, numbers(spark, 10))
    first.wait(10)
    first.stop()
    said = start_error(spark, emulator, tmp_path, subscription="sub2", onSubscriptionChange="fail")
    assert f"projects/{PROJECT}/subscriptions/sub1" in said and f"projects/{PROJECT}/subscriptions/sub2" in said
    write(spark, emulator, numbers(spark, 10), topic="topic2")
    second = Reader(spark, emulator, tmp_path / "checkpoint", subscription="sub2")  # a warning
    second.wait(10)
    second.stop()


def test_a_checkpoint_of_another_source(spark, emulator, tmp_path):
    emulator.create()
    checkpoint = tmp_path / "checkpoint"
    rate = spark.readStream.format("rate").load().writeStream.format("noop").option("checkpointLocation", str(checkpoint)).start()
    until(lambda: rate.lastProgress and rate.lastProgress["batchId"] >= 1)
    rate.stop()
    said = start_error(spark, emulator, tmp_path)
    assert "checkpoint" in said and "another source" in said and "new checkpointLocation" in said


def test_a_frame_that_is_read_after_its_batch(spark, emulator, tmp_path):
    emulator.create()
    kept = []
    frame = source(spark, emulator).load()
    query = frame.writeStream.foreachBatch(lambda batch, number: kept.append(batch) or batch.count()).option(
        "checkpointLocation", str(tmp_path / "checkpoint")
    ).start()
    write(spark, emulator, numbers(spark, 100))
    until(lambda: emulator.left() == 0)
    rows = None
    try:
        rows = [batch.collect() for batch in kept]
    except Exception as error:
        said = str(error)
    query.stop()
    assert rows is None, "a frame of a batch that is acknowledged was read again"
    assert "has committed" in said and "cache" in said


def test_what_is_missing_in_an_emulator_is_not_made_in_a_real_project(spark, emulator, tmp_path):
    said = failure(lambda: sink(numbers(spark, 1), emulator, topic="abc").mode("append").save())
    assert "gcloud" not in said and f"pubsub topic create abc --project {PROJECT}" in said
    said = start_error(spark, emulator, tmp_path, subscription="abc")
    assert "gcloud" not in said and "pubsub subscription create abc" in said and f"--project {PROJECT}" in said


# ---- SQL ----


def test_an_insert_without_names(spark, emulator, settings):
    emulator.create()
    said = failure(lambda: spark.sql("insert into pubsub.topic1 values ('hello')"))
    assert "INSERT INTO" in said and "AS data" in said
    assert "subscriptions/" not in said
    spark.sql("insert into pubsub.topic1 select 'hello' as data")
    assert [message.data for message in messages()] == [b"hello"]


def test_tables_are_not_made(spark, emulator, settings):
    emulator.create()
    said = failure(lambda: spark.sql("create table pubsub.newt (data string)"))
    assert "ALREADY_EXISTS" not in said and "makes, changes and drops nothing" in said and "newt" in said
    assert spark.catalog.tableExists("pubsub.topic1")
    assert spark.catalog.tableExists("pubsub.sub1") and spark.catalog.tableExists(f"pubsub.{PROJECT}.sub1")
    assert not spark.catalog.tableExists("pubsub.newt") and not spark.catalog.tableExists("pubsub.p2.topic1")
    assert not spark.catalog.tableExists("pubsub.`not a name`")


def test_a_table_of_spark_over_a_topic(spark, emulator, settings, tmp_path):
    emulator.create()

    def use():
        spark.sql("create table over_topic using pubsub options (topicId 'topic1')")
        try:
            spark.sql("select * from over_topic").collect()
        finally:
            spark.sql("drop table over_topic")

    said = failure(use)
    assert "not a valid Spark SQL Data Source" not in said and "PubSubCatalog" in said


def test_errors_about_a_topic_name_the_topic(spark, emulator, settings):
    emulator.create()
    said = failure(lambda: spark.sql("insert into pubsub.nosuch select 'x' as data"))
    assert f"topic 'projects/{PROJECT}/topics/nosuch'" in said and "subscriptions/" not in said
    said = failure(lambda: spark.sql(f"insert into pubsub.`projects/{PROJECT}/topics/nosuch` select 'x' as data"))
    assert f"projects/{PROJECT}/topics/nosuch" in said and "topics/projects" not in said and "subscriptions/" not in said


# ---- what is delivered ----


def test_one_jar(spark):
    from conftest import JAR

    assert [path.name for path in pathlib.Path(JAR).parent.glob("*.jar")] == ["spark-pubsub.jar"]


def test_a_trace_goes_on_through_a_job(spark, emulator, tmp_path):
    emulator.create()
    emulator.create("copy", "copy-sub")
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with pubsub_v1.PublisherClient() as publisher:
        path = publisher.topic_path(PROJECT, "topic1")
        publisher.publish(path, b"traced", googclient_traceparent=trace, k="v").result(timeout=20)
        publisher.publish(path, b"plain").result(timeout=20)
    frame = source(spark, emulator, traceContext="true").load()
    changed = frame.selectExpr("data", "attributes", "replace(traceparent, '0331-01', '0332-01') AS traceparent")
    query = (
        changed.writeStream.format("pubsub").option("endpoint", emulator.host).option("plaintext", "true").option("projectId", PROJECT)
        .option("topicId", "copy").option("traceContext", "true").option("checkpointLocation", str(tmp_path / "checkpoint")).start()
    )  # fmt: skip
    copies = {message.data: dict(message.attributes) for message in messages("copy-sub", 2)}
    query.stop()
    assert copies == {b"traced": {"googclient_traceparent": trace.replace("0331-01", "0332-01"), "k": "v"}, b"plain": {}}
    said = failure(lambda: sink(spark.sql("select 'x' as data, 'y' as traceparent"), emulator).mode("append").save())
    assert "traceContext=true" in said
