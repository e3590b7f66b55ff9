"""What a SQL user writes: a catalog of subscriptions and topics, INSERT INTO, views over streams."""

import pytest

from conftest import until

CONF = {"spark.sql.catalog.pubsub": "io.sparkpubsub.PubSubCatalog", "spark.sql.catalog.pubsub.projectId": "p1"}


@pytest.fixture(autouse=True)
def settings(spark, emulator):
    spark.conf.set("spark.pubsub.endpoint", emulator.host)
    spark.conf.set("spark.pubsub.plaintext", "true")
    yield
    spark.conf.unset("spark.pubsub.endpoint")
    spark.conf.unset("spark.pubsub.plaintext")


def insert(spark, table, query):
    spark.sql(f"INSERT INTO {table} {query}")


def test_insert_and_stream_by_name(spark, emulator, tmp_path):
    emulator.create("orders", "orders")
    insert(spark, "pubsub.orders", "SELECT concat('order ', id) AS data, map('id', cast(id AS string)) AS attributes FROM range(100)")
    insert(spark, "pubsub.p1.orders", "SELECT 'the last' AS data, map('id', '100') AS attributes")
    assert emulator.left("orders") == 101
    spark.readStream.option("numPartitions", "1").table("pubsub.orders").createOrReplaceTempView("orders")
    totals = spark.sql("SELECT attributes['id'] % 10 AS digit, count(*) AS orders FROM orders GROUP BY 1")
    query = totals.writeStream.format("memory").queryName("totals").outputMode("complete").option("checkpointLocation", str(tmp_path)).start()
    until(lambda: query.exception() or emulator.left("orders") == 0, 60)
    query.stop()
    rows = {row.digit: row.orders for row in spark.sql("SELECT * FROM totals").collect()}
    assert rows == {digit: 10 + (digit == 0) for digit in range(10)}


def test_a_batch_read_is_bounded(spark, emulator):
    """What is there now: a count looks at it, a statement that uses it all has it acknowledged."""
    emulator.create("orders", "orders")
    insert(spark, "pubsub.orders", "SELECT cast(id AS string) AS data FROM range(100)")
    assert spark.sql("SELECT count(*) AS n FROM pubsub.orders").collect()[0].n == 100
    until(lambda: emulator.stats("orders")["lent"] == 0, 30)
    assert emulator.left("orders") == 100
    emulator.create("copy", "copy")
    insert(spark, "pubsub.copy", "SELECT data FROM pubsub.orders")
    until(lambda: emulator.left("orders") == 0, 30)
    assert emulator.left("orders") == 0 and emulator.left("copy") == 100


def test_a_misspelt_option_of_the_catalog(spark, emulator, tmp_path):
    emulator.create()
    with pytest.raises(Exception, match="numPartitions"):
        frame = spark.readStream.option("numPartition", "1").table("pubsub.sub1")
        frame.writeStream.format("noop").option("checkpointLocation", str(tmp_path)).start().awaitTermination(60)


def test_the_catalog_drops_nothing(spark, emulator):
    emulator.create()
    with pytest.raises(Exception, match="makes, changes and drops nothing"):
        spark.sql("DROP TABLE pubsub.sub1")
