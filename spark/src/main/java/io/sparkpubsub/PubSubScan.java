package io.sparkpubsub;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.connector.metric.CustomMetric;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.streaming.MicroBatchStream;
import org.apache.spark.sql.types.StructType;

/** One streaming read: checks that the subscription is there before the query starts. */
final class PubSubScan implements Scan {
  private static final int CHECK_TIMEOUT_MS = 15000;
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
  public MicroBatchStream toMicroBatchStream(String checkpointLocation) {
    List<String> keyValues = new ArrayList<>(options.connection());
    PubSubOptions.add(keyValues, "subscription", options.subscription());
    String state =
        NativeReader.check(
            keyValues.toArray(new String[0]), Tokens.current(options), CHECK_TIMEOUT_MS);
    if (state.equals("detached")) {
      throw new IllegalArgumentException(
          "subscription '" + options.subscription() + "' is detached from its topic: it gets no messages");
    }
    return new PubSubMicroBatchStream(options, schema, checkpointLocation);
  }
}
