package io.sparkpubsub;

import org.apache.spark.sql.connector.metric.CustomMetric;
import org.apache.spark.sql.connector.metric.CustomSumMetric;
import org.apache.spark.sql.connector.metric.CustomTaskMetric;

/** What a reading task counts, as the Spark UI shows it. */
final class ReadMetrics {
  static final String BYTES = "pubsubBytesRead";
  static final String CHUNKS = "pubsubChunksRead";
  static final String REMOTE = "pubsubChunksFetchedFromAfar";

  private ReadMetrics() {}

  static CustomMetric[] supported() {
    return new CustomMetric[] {new Bytes(), new Chunks(), new Remote()};
  }

  static CustomTaskMetric value(String name, long value) {
    return new CustomTaskMetric() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public long value() {
        return value;
      }
    };
  }

  /** Bytes. */
  public static final class Bytes extends CustomSumMetric {
    @Override
    public String name() {
      return BYTES;
    }

    @Override
    public String description() {
      return "bytes of messages read";
    }
  }

  /** Chunks. */
  public static final class Chunks extends CustomSumMetric {
    @Override
    public String name() {
      return CHUNKS;
    }

    @Override
    public String description() {
      return "chunks read";
    }
  }

  /** Chunks that another executor held. */
  public static final class Remote extends CustomSumMetric {
    @Override
    public String name() {
      return REMOTE;
    }

    @Override
    public String description() {
      return "chunks fetched from another executor";
    }
  }
}
