package io.sparkpubsub.write;

import io.sparkpubsub.service.TaskMetric;
import org.apache.spark.sql.connector.metric.CustomMetric;
import org.apache.spark.sql.connector.metric.CustomSumMetric;
import org.apache.spark.sql.connector.metric.CustomTaskMetric;

/** What a writing task counts, as the Spark UI shows it. */
final class WriteMetrics {
  private WriteMetrics() {}

  static CustomMetric[] supported() {
    return new CustomMetric[] {
      new Rows(), new Bytes(), new Retries(), new Throttled(), new DeadLetters()
    };
  }

  static CustomTaskMetric[] values(
      long rows, long bytes, long retries, long throttledMs, long deadLetters) {
    return new CustomTaskMetric[] {
      new TaskMetric(new Rows().name(), rows),
      new TaskMetric(new Bytes().name(), bytes),
      new TaskMetric(new Retries().name(), retries),
      new TaskMetric(new Throttled().name(), throttledMs),
      new TaskMetric(new DeadLetters().name(), deadLetters)
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
