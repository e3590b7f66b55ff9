"""spark.read: what is there now, acknowledged when the action has succeeded, and given back where it has not used it all."""

import tempfile
import threading
import time

import pytest

from conftest import PROJECT, numbers, until, write

WAREHOUSE = tempfile.TemporaryDirectory()  # goes with the process
CONF = {
    "spark.sql.catalog.pubsub": "io.sparkpubsub.PubSubCatalog",
    "spark.sql.catalog.pubsub.projectId": PROJECT,
    "spark.sql.warehouse.dir": WAREHOUSE.name,
}


def read(spark, emulator, subscription="sub1", **options):
    reader = spark.read.format("pubsub").option("endpoint", emulator.host).option("plaintext", "true").option("projectId", PROJECT)
    return reader.option("subscriptionId", subscription).options(**options).load()


def texts(rows):
    return sorted(int(bytes(row.data)) for row in rows)


def is_back(emulator, count, subscription="sub1"):
    """All is there again and nobody holds it."""

    def stands():
        return [emulator.stats(subscription)[key] for key in ("backlog", "lent", "streams")]

    until(lambda: stands()[1:] == [0, 0], 20)
    assert stands() == [count, 0, 0]
    return True


def is_acknowledged(emulator, left=0, subscription="sub1"):
    until(lambda: emulator.left(subscription) == left, 20)
    return emulator.left(subscription) == left


@pytest.fixture
def filled(spark, emulator):
    emulator.create()
    write(spark, emulator, numbers(spark, 500))
    return emulator


def test_what_is_there_is_read_and_acknowledged(spark, filled, tmp_path):
    read(spark, filled).select("message_id", "data").write.parquet(str(tmp_path / "out"))
    assert texts(spark.read.parquet(str(tmp_path / "out")).collect()) == list(range(500))
    assert is_acknowledged(filled)
    assert read(spark, filled).collect() == []  # nothing is there any more


def test_rows_that_are_collected_are_acknowledged(spark, filled):
    rows = read(spark, filled, batchSize="50").collect()
    assert texts(rows) == list(range(500)) and rows[0].attributes == {} and rows[0].publish_time
    assert is_acknowledged(filled)


def test_what_a_query_drops_or_sums_up_is_used(spark, filled):
    rows = read(spark, filled).selectExpr("cast(trim(cast(data as string)) as int) % 10 as digit").groupBy("digit").count().where("digit < 5")
    assert {row.digit: row["count"] for row in rows.collect()} == {digit: 50 for digit in range(5)}
    assert is_acknowledged(filled)


@pytest.mark.parametrize(
    "look",
    [
        lambda frame: frame.limit(5).collect(),
        lambda frame: frame.take(5),
        lambda frame: frame.head(),
        lambda frame: frame.show(3),
        lambda frame: frame.tail(3),
        lambda frame: frame.where("data is not null").limit(400).collect(),
        lambda frame: frame.orderBy("message_id").limit(3).collect(),
        lambda frame: frame.count(),
        lambda frame: frame.isEmpty(),
        lambda frame: frame.cache().count(),
        lambda frame: frame.select("data").persist().selectExpr("max(data)").collect(),
        lambda frame: frame.selectExpr("data", "1 as one").limit(10).write.format("noop").mode("append").save(),
    ],
    ids=["limit", "take", "head", "show", "tail", "filter-limit", "top", "count", "isEmpty", "cache", "persist", "limit-write"],
)
def test_a_look_gives_everything_back(spark, filled, look):
    look(read(spark, filled, batchSize="1", numPartitions="1"))
    assert is_back(filled, 500)
    spark.catalog.clearCache()
    assert texts(read(spark, filled).collect()) == list(range(500))
    assert is_acknowledged(filled)


def test_a_limit_elsewhere_is_no_look(spark, filled):
    frame = read(spark, filled).crossJoin(spark.range(10).limit(1))
    assert len(frame.collect()) == 500
    assert is_acknowledged(filled)


def test_an_action_that_fails_gives_everything_back(spark, filled, tmp_path):
    failing = read(spark, filled, batchSize="20").selectExpr("if(cast(trim(cast(data as string)) as int) = 499, raise_error('broken'), data) as data")
    with pytest.raises(Exception, match="broken"):
        failing.write.parquet(str(tmp_path / "out"))
    assert is_back(filled, 500)


def test_a_statement_that_fails_after_its_read_gives_everything_back(spark, filled, tmp_path):
    """The read has succeeded, what it was for has not."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "there").write_text("x")
    with pytest.raises(Exception, match="already exists"):
        read(spark, filled).write.parquet(str(tmp_path / "out"))
    frame = read(spark, filled).select("data")
    with pytest.raises(Exception, match="does not exist"):
        frame.write.format("pubsub").option("endpoint", filled.host).option("plaintext", "true").option("projectId", PROJECT).option(
            "topicId", "nowhere"
        ).mode("append").save()
    assert is_back(filled, 500)


def test_from_topic_to_topic(spark, filled):
    filled.create("copy", "copied")
    write(spark, filled, read(spark, filled).select("data", "attributes"), topic="copy")
    assert is_acknowledged(filled) and filled.left("copied") == 500


def test_a_table_is_made_of_it(spark, filled):
    spark.sql("drop table if exists bounded_copy")
    try:
        read(spark, filled).select("data").write.saveAsTable("bounded_copy")
        assert spark.table("bounded_copy").count() == 500
    finally:
        spark.sql("drop table if exists bounded_copy")
    assert is_acknowledged(filled)


def test_in_sql(spark, filled):
    spark.conf.set("spark.pubsub.endpoint", filled.host)
    spark.conf.set("spark.pubsub.plaintext", "true")
    try:
        assert spark.sql("select count(*) as n from pubsub.sub1").collect()[0].n == 500
        assert is_back(filled, 500)
        assert len(spark.sql("select data from pubsub.sub1").collect()) == 500
    finally:
        spark.conf.unset("spark.pubsub.endpoint")
        spark.conf.unset("spark.pubsub.plaintext")
    assert is_acknowledged(filled)


def test_an_explained_plan_reads_nothing(spark, filled):
    frame = read(spark, filled).groupBy("ordering_key").count()
    frame.explain(True)
    frame._jdf.queryExecution().executedPlan().toString()
    filled.command("stats")
    assert filled.stats("sub1") == {**filled.stats("sub1"), "streams": 0, "lent": 0, "backlog": 500}


def test_each_action_reads_anew_and_one_plan_only_once(spark, filled):
    frame = read(spark, filled)
    assert len(frame.select("data").collect()) == 500
    assert is_acknowledged(filled)
    write(spark, filled, numbers(spark, 20))
    assert len(frame.select("data").collect()) == 20  # another plan
    assert is_acknowledged(filled)
    write(spark, filled, numbers(spark, 7))
    once = read(spark, filled)
    assert len(once.collect()) == 7
    assert is_acknowledged(filled)
    with pytest.raises(Exception, match="is read by one action: load\\(\\) it anew"):
        once.collect()


def test_an_rdd_is_refused(spark, filled):
    with pytest.raises(Exception, match="needs an action of a DataFrame"):
        read(spark, filled).rdd.count()
    assert is_back(filled, 500)


def test_no_more_rows_than_asked_for(spark, filled):
    counts = [len(read(spark, filled, maxRows="120").collect())]
    assert is_acknowledged(filled, 500 - counts[0])
    counts.append(len(read(spark, filled, maxRows="1").collect()))
    assert is_acknowledged(filled, 500 - sum(counts))
    assert 0 < counts[0] <= 120 and counts[1] == 1
    counts.append(len(read(spark, filled, maxRows="10000").collect()))
    assert sum(counts) == 500 and is_acknowledged(filled)


def test_no_longer_than_asked_for(spark, emulator):
    emulator.create()
    began = time.monotonic()
    assert read(spark, emulator, availableNowQuiet="10m", maxReadTime="2s").collect() == []
    assert time.monotonic() - began < 60


def test_messages_that_keep_coming_do_not_keep_it(spark, filled):
    over = threading.Event()

    def publish():
        while not over.wait(0.3):
            write(spark, filled, numbers(spark, 1))

    thread = threading.Thread(target=publish, daemon=True)
    thread.start()
    try:
        rows = read(spark, filled).collect()
    finally:
        over.set()
        thread.join()
    assert 500 <= len(rows) < 600


def test_several_subscriptions(spark, filled):
    filled.create("topic2", "sub2")
    write(spark, filled, numbers(spark, 40), topic="topic2")
    counts = read(spark, filled, "sub1,sub2", includeSubscription="true").groupBy("subscription").count().collect()
    assert {row.subscription.rsplit("/", 1)[1]: row["count"] for row in counts} == {"sub1": 500, "sub2": 40}
    assert is_acknowledged(filled) and is_acknowledged(filled, subscription="sub2")


def test_more_than_the_memory_holds_is_read_in_parts(spark, emulator):
    emulator.create()
    write(spark, emulator, numbers(spark, 400, size=100_000))  # 40 MB
    counts = []
    while sum(counts) < 400 and len(counts) < 40:
        counts.append(read(spark, emulator, maxReservoirBytes="16m").selectExpr("length(data) as n").groupBy("n").count().collect()[0]["count"])
        assert is_acknowledged(emulator, 400 - sum(counts))
    assert sum(counts) == 400 and len(counts) > 1


def test_what_is_missing_is_said(spark, emulator):
    with pytest.raises(Exception, match="does not exist"):
        read(spark, emulator, "nowhere").collect()
    with pytest.raises(Exception, match="'subscriptionId' is required"):
        spark.read.format("pubsub").option("projectId", PROJECT).load().collect()


def test_in_a_batch_of_a_stream(spark, filled, tmp_path):
    """Acknowledged with the batch that it is part of."""
    seen = []
    spark.range(1).write.json(str(tmp_path / "in"))
    frame = spark.readStream.schema("id long").json(str(tmp_path / "in"))

    def take(batch, number):
        seen.append(len(read(spark, filled).select("data").collect()))

    query = frame.writeStream.foreachBatch(take).option("checkpointLocation", str(tmp_path / "c")).trigger(availableNow=True).start()
    query.awaitTermination(60)
    assert query.exception() is None and seen == [500]
    assert is_acknowledged(filled)


