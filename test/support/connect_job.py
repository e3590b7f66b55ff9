"""A Spark Connect client with a server of its own: copies a hundred numbers through a topic. Arguments: jar, how, master, checkpoints.

how is `server`: the jar is the server's; or `session`: two sessions bring it, each with a class loader of its own.
"""

import os
import sys

from pyspark.sql import SparkSession

PROJECT = "p1"


def copy(spark, turn, checkpoints):
    numbers = spark.range(100).selectExpr("cast(id AS STRING) AS data")
    numbers.write.format("pubsub").option("projectId", PROJECT).option("topicId", "topic1").mode("append").save()
    query = (
        spark.readStream.format("pubsub").option("projectId", PROJECT).option("subscriptionId", "sub1").load()
        .writeStream.format("memory").queryName(f"copy{turn}")
        .option("checkpointLocation", f"{checkpoints}/{turn}")
        .trigger(availableNow=True).start()
    )
    query.awaitTermination(90)
    if query.exception():
        raise query.exception()
    row = spark.sql(f"SELECT count(*) AS n, sum(cast(cast(data AS STRING) AS INT)) AS total FROM copy{turn}").first()
    print("copied", row.n, row.total, flush=True)


def main(jar, how, master, checkpoints):
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder.remote(master)
    if how == "server":
        builder = builder.config("spark.jars", jar)
    spark = builder.getOrCreate()
    sessions = [spark]
    if how == "session":
        sessions.append(SparkSession.builder.remote("sc://" + spark.client._builder.endpoint).create())
        for session in sessions:
            session.addArtifact(jar)
    for turn, session in enumerate(sessions):
        copy(session, turn, checkpoints)
    sys.stdout.flush()
    os._exit(0)  # the server ends with its parent; a client that closes a session after that asks it for minutes


main(*sys.argv[1:])
