package io.sparkpubsub.natives;

/** What a native writer counts, in the order of enum border_writer_metric. */
public enum WriterMetric {
  PUBLISHED_ROWS,
  PUBLISHED_BYTES,
  REQUESTS,
  RETRIES,
  IN_FLIGHT_BYTES,
  THROTTLED_US;

  public static final int LONGS = values().length;

  public long of(long[] metrics) {
    return metrics[ordinal()];
  }
}
