"""file_sink_job.py HOST OUT CHECKPOINT: a message is published, read with Trigger.AvailableNow and written to a folder, with warnings on."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from conftest import PROJECT, session  # noqa: E402


def main(host, out, checkpoint):
    spark = session("local[1]")
    spark.sparkContext.setLogLevel("WARN")
    options = {"endpoint": host, "plaintext": "true", "projectId": PROJECT}
    written = spark.createDataFrame([("x",)], ["data"]).write.format("pubsub").options(topicId="topic1", **options)
    written.mode("append").save()
    frame = spark.readStream.format("pubsub").options(subscriptionId="sub1", **options).load()
    query = frame.selectExpr("cast(data as string)").writeStream.format("text").trigger(availableNow=True)
    query.option("checkpointLocation", checkpoint).start(out).awaitTermination(60)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
