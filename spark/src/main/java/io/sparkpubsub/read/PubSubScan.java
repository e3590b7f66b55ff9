package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connector.metric.CustomMetric;
import org.apache.spark.sql.connector.read.Batch;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.streaming.MicroBatchStream;
import org.apache.spark.sql.types.StructType;

/** One read, as a stream or bounded: checks that the subscription is there before it begins. */
final class PubSubScan implements Scan {
  private final PubSubOptions options;
  private final StructType schema;
  private final Batch batch;

  /**
   * @param limit of a bounded read: no more rows than so are looked at; Limits.NONE: there is none
   */
  PubSubScan(PubSubOptions options, StructType schema, long limit) {
    this.options = options;
    this.schema = schema;
    this.batch = new PubSubBatch(options, schema, limit);
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

  /** Always: without it Spark plans a read to find out, also where it only explains it. */
  @Override
  public ColumnarSupportMode columnarSupportMode() {
    return ColumnarSupportMode.SUPPORTED;
  }

  /** The same one, however often it is asked for. */
  @Override
  public Batch toBatch() {
    return batch;
  }

  @Override
  public MicroBatchStream toMicroBatchStream(String checkpointLocation) {
    SubscriptionLife.begin(
        options, checkpointLocation, SparkSession.active().sparkContext().hadoopConfiguration());
    return PubSubMicroBatchStream.start(options, schema, checkpointLocation);
  }
}
