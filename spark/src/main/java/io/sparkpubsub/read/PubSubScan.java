package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connector.metric.CustomMetric;
import org.apache.spark.sql.connector.read.Batch;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.streaming.MicroBatchStream;
import org.apache.spark.sql.types.StructType;

/** One streaming read: checks that the subscription is there before the query starts. */
final class PubSubScan implements Scan {
  private final PubSubOptions options;
  private final StructType schema;

  PubSubScan(PubSubOptions options, StructType schema) {
    this.options = options;
    this.schema = schema;
  }

  @Override
  public StructType readSchema() {
    return schema;
  }

  @Override
  public String description() {
    return "pubsub " + options.subscription() + " " + schema.simpleString();
  }

  @Override
  public CustomMetric[] supportedCustomMetrics() {
    return ReadMetrics.supported();
  }

  @Override
  public Batch toBatch() {
    throw new UnsupportedOperationException(
        "a Pub/Sub subscription is read as a stream: use spark.readStream instead of spark.read,"
            + " with Trigger.AvailableNow where only what is there now is wanted");
  }

  @Override
  public MicroBatchStream toMicroBatchStream(String checkpointLocation) {
    SubscriptionLife.begin(
        options, checkpointLocation, SparkSession.active().sparkContext().hadoopConfiguration());
    return PubSubMicroBatchStream.start(options, schema, checkpointLocation);
  }
}
