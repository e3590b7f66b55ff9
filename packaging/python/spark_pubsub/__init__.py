"""Google Cloud Pub/Sub for Apache Spark: the jar of the formats `pubsub` and `pubsub-native`, and little helpers around it.

    import pyspark.sql, spark_pubsub
    spark = spark_pubsub.configure(pyspark.sql.SparkSession.builder).getOrCreate()
    rows = spark_pubsub.read_stream(spark, project="my-project", subscription="orders")

The options are those of docs/options.md; nothing here is needed by a session that has the jar already.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming import DataStreamWriter

__all__ = ["configure", "jar", "read_stream", "write_stream", "__version__"]
__version__ = "@VERSION@"

Option = Union[str, int, float, bool]


def jar() -> str:
    """The path of the jar: what `spark-submit --jars` takes."""
    return str(pathlib.Path(__file__).with_name("spark-pubsub.jar"))


def configure(builder: Any) -> Any:
    """A builder of sessions with the jar in it, beside the jars that it has. It takes effect where the session starts a JVM: before the
    first session of the process."""
    there = getattr(builder, "_options", {}).get("spark.jars", "")
    jars = [name for name in str(there).split(",") if name and name != jar()]
    return builder.config("spark.jars", ",".join([*jars, jar()]))


def _text(value: Option) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_stream(spark: SparkSession, *, project: str, subscription: str, **options: Option) -> DataFrame:
    """The messages of a subscription, as a stream. `options`: docs/options.md, by their names."""
    reader = spark.readStream.format("pubsub").option("projectId", project).option("subscriptionId", subscription)
    return reader.options(**{name: _text(value) for name, value in options.items()}).load()


def write_stream(frame: DataFrame, *, project: str, topic: str, checkpoint: str, **options: Option) -> DataStreamWriter:
    """A writer of a streaming frame to a topic; `.start()` starts it."""
    writer = frame.writeStream.format("pubsub").option("projectId", project).option("topicId", topic)
    return writer.option("checkpointLocation", checkpoint).options(**{name: _text(value) for name, value in options.items()})
