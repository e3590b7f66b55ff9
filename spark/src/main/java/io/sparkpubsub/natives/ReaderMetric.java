package io.sparkpubsub.natives;

/** What a native reader counts, in the order of enum border_reader_metric. */
public enum ReaderMetric {
  RECEIVED_ROWS("receivedRows", false),
  RECEIVED_BYTES("receivedBytes", false),
  BACKLOG_ROWS("backlogRows", true),
  RESERVOIR_BYTES("reservoirBytes", true),
  RESERVOIR_PEAK_BYTES("reservoirPeakBytes", true),
  ACKNOWLEDGED_ROWS("acknowledgedRows", false),
  GIVEN_BACK_ROWS("givenBackRows", false),
  REDELIVERED_ROWS("redeliveredRows", false),
  EXPIRED_ROWS("expiredRows", false),
  ACK_REQUESTS("ackRequests", false),
  EXTEND_REQUESTS("extendRequests", false),
  FAILED_REQUESTS("failedRequests", false),
  STREAM_REOPENS("streamReopens", false),
  ACK_LATENCY_US_SUM("ackLatencyUsSum", false),
  ACK_LATENCY_COUNT("ackLatencyCount", false),
  FAILED_ROWS("failedRows", false),
  RETRIED_ROWS("retriedRows", false),
  FAILED_RECEIPT_ROWS("failedReceiptRows", false);

  public static final int LONGS = values().length;

  public final String key;

  /** A level, not a sum: it ends with its executor. */
  public final boolean gauge;

  ReaderMetric(String key, boolean gauge) {
    this.key = key;
    this.gauge = gauge;
  }
}
