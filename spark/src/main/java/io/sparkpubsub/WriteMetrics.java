package io.sparkpubsub;

import org.apache.spark.sql.connector.metric.CustomMetric;
import org.apache.spark.sql.connector.metric.CustomSumMetric;

/** What a writing task counts, as the Spark UI shows it. */
final class WriteMetrics {
  static final String ROWS = "pubsubPublishedRows";
  static final String RETRIES = "pubsubPublishRetries";

  private WriteMetrics() {}

  static CustomMetric[] supported() {
    return new CustomMetric[] {new Rows(), new Retries()};
  }

  /** Rows. */
  public static final class Rows extends CustomSumMetric {
    @Override
    public String name() {
      return ROWS;
    }

    @Override
    public String description() {
      return "messages published";
    }
  }

  /** Retries. */
  public static final class Retries extends CustomSumMetric {
    @Override
    public String name() {
      return RETRIES;
    }

    @Override
    public String description() {
      return "publish requests sent again";
    }
  }
}
