"""The life of a subscription around a query, names of another connector, and what writing offers besides data."""

import os
import time

import grpc
import pytest
from google.cloud import pubsub_v1
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from conftest import PROJECT, until


def names(emulator):
    subscriber = pubsub_v1.SubscriberClient()
    found = {s.name.rsplit("/", 1)[1]: s for s in subscriber.list_subscriptions(project=f"projects/{PROJECT}")}
    subscriber.close()
    return found


def publish(topic, *payloads, **attributes):
    publisher = pubsub_v1.PublisherClient()
    for payload in payloads:
        publisher.publish(publisher.topic_path(PROJECT, topic), payload, **attributes).result(timeout=30)
    publisher.stop()


def received(topic_subscription, count):
    channel = grpc.insecure_channel(os.environ["PUBSUB_EMULATOR_HOST"], options=[("grpc.max_receive_message_length", -1)])
    subscriber = pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    path = subscriber.subscription_path(PROJECT, topic_subscription)
    out = []
    deadline = time.monotonic() + 30
    while len(out) < count and time.monotonic() < deadline:
        for m in subscriber.pull(subscription=path, max_messages=1000, timeout=10).received_messages:
            out.append(m.message)
            subscriber.acknowledge(subscription=path, ack_ids=[m.ack_id])
    subscriber.close()
    return out


def source(spark, form="pubsub", **options):
    return spark.readStream.format(form).option("projectId", PROJECT).option("plaintext", "true").options(**options).load()


def read_all(frame, tmp_path, count, name="out"):
    """Rows of a memory table, once there are so many; the query is stopped."""
    query = frame.writeStream.format("memory").queryName(name).option("checkpointLocation", str(tmp_path / name)).start()
    try:
        until(lambda: frame.sparkSession.table(name).count() >= count or not query.isActive, 40)
        if query.exception():
            raise query.exception()
        return frame.sparkSession.table(name).collect()
    finally:
        query.stop()


def test_a_missing_subscription_is_created_and_deleted_with_the_query(spark, emulator, tmp_path):
    emulator.create()
    frame = source(
        spark, endpoint=emulator.host, subscriptionId="new-sub", topicId="topic1", createSubscription="true",
        subscriptionFilter='attributes.keep = "yes"', subscriptionOrdering="true", subscriptionExactlyOnce="true",
        subscriptionRetention="2d", deleteSubscriptionOnStreamStop="true",
    )
    query = frame.writeStream.format("memory").queryName("created").option("checkpointLocation", str(tmp_path / "c")).start()
    until(lambda: "new-sub" in names(emulator), 30)
    config = names(emulator)["new-sub"]
    assert config.filter == 'attributes.keep = "yes"' and config.enable_message_ordering and config.enable_exactly_once_delivery
    assert config.message_retention_duration.days == 2
    publish("topic1", b"kept", keep="yes")
    publish("topic1", b"dropped", keep="no")
    until(lambda: spark.table("created").count() == 1, 30)
    query.stop()
    assert "new-sub" not in names(emulator)


def test_it_is_not_created_unasked(spark, emulator, tmp_path):
    emulator.create()
    frame = source(spark, endpoint=emulator.host, subscriptionId="new-sub", topicId="topic1")
    with pytest.raises(Exception, match="does not exist"):
        read_all(frame, tmp_path, 1)
    assert "new-sub" not in names(emulator)


def test_starting_timestamp_counts_at_the_first_start_only(spark, emulator, tmp_path):
    emulator.create(retain_acked_messages=True)
    publish("topic1", b"before")
    time.sleep(1.1)
    start = int(time.time() * 1000)
    publish("topic1", b"after")
    options = {"endpoint": emulator.host, "subscriptionId": "sub1", "startingTimestamp": str(start)}
    rows = read_all(source(spark, **options).selectExpr("cast(data as string) as text"), tmp_path, 1)
    assert [row.text for row in rows] == ["after"]
    # The same checkpoint again: what was acknowledged does not come again.
    query = source(spark, **options).writeStream.format("noop").option("checkpointLocation", str(tmp_path / "out")).start()
    time.sleep(3)
    assert all(p["numInputRows"] == 0 for p in query.recentProgress)
    query.stop()


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01T00:00:00Z"])
def test_a_bad_starting_timestamp(spark, emulator, tmp_path, value):
    with pytest.raises(Exception, match="startingTimestamp"):
        source(spark, endpoint=emulator.host, subscriptionId="sub1", startingTimestamp=value)


def test_a_job_from_databricks(spark, emulator, tmp_path):
    """Its option names, its columns, and the subscription that it expects to be made."""
    emulator.create()
    frame = source(
        spark, "pubsub-databricks", endpoint=emulator.host, subscriptionId="moved-sub", topicId="topic1",
        numFetchPartitions="2", maxRecordsPerFetch="1000", maxFetchPeriod="10ms",
        clientId="1", clientEmail="a@b.iam.gserviceaccount.com", privateKey="secret-key", privateKeyId="k",
    )
    assert frame.columns == ["messageId", "payload", "attributes", "publishTimestampInMillis"]
    query = (
        frame.selectExpr("messageId", "cast(payload as string) as text", "attributes", "get_json_object(attributes, '$.a') as a", "publishTimestampInMillis as at")
        .writeStream.format("memory").queryName("moved").option("checkpointLocation", str(tmp_path / "m")).start()
    )
    until(lambda: "moved-sub" in names(emulator), 30)
    publish("topic1", b"hello", a='quote " and \\ and \n')
    until(lambda: spark.table("moved").count() == 1, 30)
    query.stop()
    row = spark.table("moved").first()
    assert row.text == "hello" and row.a == 'quote " and \\ and \n' and row.messageId
    assert abs(row.at - time.time() * 1000) < 60000
    assert frame.select("payload").columns == ["payload"]


def write(frame, emulator, **options):
    (
        frame.write.format("pubsub").option("endpoint", emulator.host).option("plaintext", "true")
        .option("projectId", PROJECT).options(**options).mode("append").save()
    )


def test_rows_name_their_topics(spark, emulator):
    emulator.create()
    emulator.create("topic2", "sub2")
    frame = spark.range(100).selectExpr(
        "cast(id as string) as data", f"case id % 3 when 0 then 'topic1' when 1 then 'projects/{PROJECT}/topics/topic2' end as topic"
    )
    write(frame, emulator, topicId="topic2")
    one, two = received("sub1", 34), received("sub2", 66)
    assert sorted(int(m.data) for m in one) == list(range(0, 100, 3))
    assert sorted(int(m.data) for m in two) == [i for i in range(100) if i % 3]
    with pytest.raises(Exception, match="NOT_FOUND|does not exist|not found"):
        write(spark.sql("select 'x' as data, 'nowhere' as topic"), emulator)


def test_rows_get_stable_ids(spark, emulator, tmp_path):
    emulator.create()
    write(spark.range(10).repartition(2).selectExpr("cast(id as string) as data"), emulator, topicId="topic1", idAttribute="row_id")
    ids = [m.attributes["row_id"] for m in received("sub1", 10)]
    assert len(set(ids)) == 10
    assert {i.split("/")[1] for i in ids} == {"0"} and {i.split("/")[2] for i in ids} == {"0", "1"}


def test_an_epoch_that_is_written_again_has_the_same_ids(spark, emulator, tmp_path):
    """The commit of the batch is lost: the query publishes it again, with the ids of before."""
    emulator.create()
    rows = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 20).load().selectExpr("cast(value as string) as data")

    def run():
        query = (
            rows.writeStream.format("pubsub").option("endpoint", emulator.host).option("plaintext", "true").option("projectId", PROJECT)
            .option("topicId", "topic1").option("idAttribute", "row_id").option("checkpointLocation", str(tmp_path / "c"))
            .trigger(processingTime="1 hour").start()
        )
        until(lambda: query.lastProgress and query.lastProgress["batchId"] == 0, 30)
        query.stop()

    run()
    first = {m.attributes["row_id"]: m.data for m in received("sub1", 20)}
    for name in ("0", ".0.crc"):
        (tmp_path / "c" / "commits" / name).unlink(missing_ok=True)
    run()
    again = {m.attributes["row_id"]: m.data for m in received("sub1", 20)}
    assert len(first) == 20 and first == again


def test_rows_over_the_limits_go_to_the_dead_letter_topic(spark, emulator):
    emulator.create()
    emulator.create("dead", "dead-sub")
    frame = spark.sql(
        """select 'good' as data, map('a', 'b') as attributes
           union all select 'long value', map('a', repeat('v', 1025))
           union all select 'long key', map(repeat('k', 257), 'v')
           union all select repeat('x', 10000001), map('a', 'b')
           union all select null, null"""
    )
    write(frame, emulator, topicId="topic1", deadLetterTopicId="dead")
    assert [m.data for m in received("sub1", 1)] == [b"good"]
    dead = received("dead-sub", 4)
    why = sorted(m.attributes["pubsub_error"] for m in dead)
    assert len(why) == 4
    assert "1025 bytes, the limit is 1024" in why[1] + why[2] and any("257 bytes" in w for w in why)
    assert any("the limit is 10000000" in w for w in why) and any("neither data" in w for w in why)
    assert max(len(m.data) for m in dead) > 9_900_000
