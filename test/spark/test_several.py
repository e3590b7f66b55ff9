"""Several subscriptions in one source: what is promised of one holds for each."""

import collections

import pytest
from google.cloud import pubsub_v1

from conftest import PROJECT, Reader, numbers, until, write

AVAILABLE_NOW = {"availableNow": True}
NAMES = "sub1, sub2,sub3"


def full(name):
    return f"projects/{PROJECT}/subscriptions/{name}"


@pytest.fixture
def three(spark, emulator):
    """sub1 with 300 messages, sub2 with 40, sub3 with none; sub2 is exactly-once."""
    for number in "123":
        emulator.create(f"topic{number}", f"sub{number}", enable_exactly_once_delivery=number == "2")
    write(spark, emulator, numbers(spark, 300), topic="topic1")
    write(spark, emulator, numbers(spark, 40), topic="topic2")
    return emulator


def ended(reader):
    reader.query.awaitTermination(60)
    active = reader.query.isActive
    reader.stop()
    if reader.query.exception():
        raise reader.query.exception()
    assert not active


def test_each_is_read_to_its_end_and_acknowledged(spark, three, tmp_path):
    """With fewer slots asked for than there are subscriptions: each has one at least."""
    reader = Reader(
        spark, three, tmp_path / "c", select=("subscription", "data"), subscription=NAMES, trigger=AVAILABLE_NOW,
        numPartitions="1", includeSubscription="true", batchSize="50",
    )
    ended(reader)
    assert collections.Counter(row.subscription for row in reader.rows) == {full("sub1"): 300, full("sub2"): 40}
    assert [three.left(name) for name in ("sub1", "sub2", "sub3")] == [0, 0, 0]


def test_messages_that_come_later_and_limits(spark, three, tmp_path):
    reader = Reader(
        spark, three, tmp_path / "c", select=("subscription", "data"), subscription=NAMES, includeSubscription="true",
        maxRowsPerTrigger="60", batchSize="20",
    )
    write(spark, three, numbers(spark, 70), topic="topic3")
    reader.wait(410)
    metrics = reader.query.lastProgress["sources"][0]["metrics"]
    assert {f"backlogRows[{full(name)}]" for name in ("sub1", "sub2", "sub3")} < set(metrics)
    until(lambda: all(three.left(name) == 0 for name in ("sub1", "sub2", "sub3")))
    reader.stop()
    assert collections.Counter(row.subscription for row in reader.rows) == {full("sub1"): 300, full("sub2"): 40, full("sub3"): 70}
    assert max(reader.batches) <= 60
    assert [three.left(name) for name in ("sub1", "sub2", "sub3")] == [0, 0, 0]


def test_the_same_message_of_two_subscriptions_is_two_rows(spark, emulator, tmp_path):
    emulator.create(enable_exactly_once_delivery=True)
    with pubsub_v1.SubscriberClient() as client:
        request = {"name": full("twin"), "topic": f"projects/{PROJECT}/topics/topic1", "enable_exactly_once_delivery": True}
        client.create_subscription(request=request)
    write(spark, emulator, numbers(spark, 25))
    reader = Reader(spark, emulator, tmp_path / "c", subscription=f"sub1,{full('twin')},,sub1", trigger=AVAILABLE_NOW)
    ended(reader)
    assert sorted(collections.Counter(row.message_id for row in reader.rows).values()) == [2] * 25
    assert emulator.left("sub1") == 0 and emulator.left("twin") == 0


def test_the_column_is_there_when_it_is_asked_for(spark, emulator):
    def columns(form, **options):
        return spark.readStream.format(form).option("projectId", PROJECT).option("subscriptionId", "a-1,b-1").options(**options).load().columns

    assert "subscription" not in columns("pubsub")
    assert columns("pubsub", includeSubscription="true")[-1] == "subscription"
    assert columns("pubsub", includeSubscription="true", traceContext="true")[-2:] == ["traceparent", "subscription"]
    assert columns("pubsub-databricks", includeSubscription="true")[-1] == "subscription"
    with pytest.raises(Exception, match="did you mean 'subscriptionId'"):
        columns("pubsub", subscriptionIds="a-1")
    with pytest.raises(Exception, match="'b c' is not a valid name"):
        columns("pubsub", subscriptionId="a-1,b c")
    with pytest.raises(Exception, match="option 'subscriptionId' is required"):
        columns("pubsub", subscriptionId=" , ")


def test_one_that_is_missing_is_named(spark, three, tmp_path):
    with pytest.raises(Exception, match="nowhere"):
        reader = Reader(spark, three, tmp_path / "c", subscription="sub1,nowhere", trigger=AVAILABLE_NOW)
        ended(reader)
    assert three.left("sub1") == 300


def test_the_checkpoint_knows_all_of_them(spark, three, tmp_path):
    def read(names):
        ended(Reader(spark, three, tmp_path / "c", subscription=names, trigger=AVAILABLE_NOW, onSubscriptionChange="fail"))

    read("sub1,sub2")
    read("sub2,sub1")
    with pytest.raises(Exception, match="checkpoint was of subscriptions '.*sub1', '.*sub2', and now the query reads '.*sub1'"):
        read("sub1")
    with pytest.raises(Exception, match="and now the query reads subscriptions .*sub3'"):
        read(NAMES)


def test_each_is_created_and_deleted(spark, emulator, tmp_path):
    emulator.create()
    reader = Reader(
        spark, emulator, tmp_path / "c", subscription="new-a,new-b", topicId="topic1", createSubscription="true",
        deleteSubscriptionOnStreamStop="true",
    )
    until(lambda: "new-a" in emulator.command("stats") and "new-b" in emulator.command("stats"))
    write(spark, emulator, numbers(spark, 10))
    reader.wait(20)
    reader.stop()
    assert "new-a" not in emulator.command("stats") and "new-b" not in emulator.command("stats")


def test_the_memory_is_shared(spark, three, tmp_path):
    with pytest.raises(Exception, match="which 3 subscriptions share: give at least 3145728"):
        ended(Reader(spark, three, tmp_path / "c", subscription=NAMES, maxReservoirBytes="2m", trigger=AVAILABLE_NOW))
