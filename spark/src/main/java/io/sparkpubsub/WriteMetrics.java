package io.sparkpubsub;

import org.apache.spark.sql.connector.metric.CustomMetric;
import org.apache.spark.sql.connector.metric.CustomSumMetric;
import org.apache.spark.sql.connector.metric.CustomTaskMetric;

/** What a writing task counts, as the Spark UI shows it. */
final class WriteMetrics {
  private WriteMetrics() {}

  static CustomMetric[] supported() {
    return new CustomMetric[] {new Rows(), new Bytes(), new Retries(), new Throttled(), new DeadLetters()};
  }

  /** From NativeWriter.metrics, and the rows that went to the dead-letter topic. */
  static CustomTaskMetric[] values(long[] metrics, long deadLetters) {
    return new CustomTaskMetric[] {
      ReadMetrics.value(new Rows().name(), metrics[0]),
      ReadMetrics.value(new Bytes().name(), metrics[1]),
      ReadMetrics.value(new Retries().name(), metrics[3]),
      ReadMetrics.value(new Throttled().name(), metrics[5] / 1000),
      ReadMetrics.value(new DeadLetters().name(), deadLetters)
    };
  }

  /** Rows. Spark makes one by its name. */
  public static final class Rows extends CustomSumMetric {
    @Override
    public String name() {
      return "pubsubPublishedRows";
    }

    @Override
    public String description() {
      return "messages published";
    }
  }

  /** Bytes. Spark makes one by its name. */
  public static final class Bytes extends CustomSumMetric {
    @Override
    public String name() {
      return "pubsubPublishedBytes";
    }

    @Override
    public String description() {
      return "bytes published";
    }
  }

  /** Retries. Spark makes one by its name. */
  public static final class Retries extends CustomSumMetric {
    @Override
    public String name() {
      return "pubsubPublishRetries";
    }

    @Override
    public String description() {
      return "publish requests sent again";
    }
  }

  /** Throttled. Spark makes one by its name. */
  public static final class Throttled extends CustomSumMetric {
    @Override
    public String name() {
      return "pubsubPublishThrottledMs";
    }

    @Override
    public String description() {
      return "ms that tasks waited for requests in flight";
    }
  }

  /** DeadLetters. Spark makes one by its name. */
  public static final class DeadLetters extends CustomSumMetric {
    @Override
    public String name() {
      return "pubsubDeadLetterRows";
    }

    @Override
    public String description() {
      return "rows over the limits, to the dead-letter topic";
    }
  }
}
