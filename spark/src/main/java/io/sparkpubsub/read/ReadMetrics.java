package io.sparkpubsub.read;

import java.util.Arrays;
import org.apache.spark.sql.connector.metric.CustomMetric;
import org.apache.spark.sql.connector.metric.CustomSumMetric;

/** What a reading task counts, as the Spark UI shows it. */
final class ReadMetrics {
  static final String BYTES = "pubsubBytesRead";
  static final String CHUNKS = "pubsubChunksRead";
  static final String BACKLOG = "pubsub_backlog_count";
  static final String RESERVOIR = "pubsub_reservoir_bytes";
  static final String REMOTE = "pubsubChunksFetchedRemotely";
  static final String DROPPED = "pubsubRowsDropped";

  private ReadMetrics() {}

  static CustomMetric[] supported() {
    return new CustomMetric[] {
      new Bytes(), new Chunks(), new Remote(), new Dropped(), new Backlog(), new Reservoir()
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

  /** Rows whose payload did not fit. */
  public static final class Dropped extends CustomSumMetric {
    @Override
    public String name() {
      return DROPPED;
    }

    @Override
    public String description() {
      return "rows left out for their payload (mode DROPMALFORMED)";
    }
  }

  /** Messages that the reservoirs hold beyond those of the batch; 0: the query has caught up. */
  public static final class Backlog extends CustomSumMetric {
    @Override
    public String name() {
      return BACKLOG;
    }

    @Override
    public String description() {
      return BACKLOG; // the name that the UI and its REST API show
    }
  }

  /** Native memory of an executor's reservoir: the most that a task has seen. */
  public static final class Reservoir implements CustomMetric {
    @Override
    public String aggregateTaskMetrics(long[] values) {
      return Long.toString(Arrays.stream(values).max().orElse(0));
    }

    @Override
    public String name() {
      return RESERVOIR;
    }

    @Override
    public String description() {
      return RESERVOIR;
    }
  }
}
