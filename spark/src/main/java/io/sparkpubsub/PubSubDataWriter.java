package io.sparkpubsub;

import io.sparkpubsub.PubSubOptions.Option;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.metric.CustomTaskMetric;
import org.apache.spark.sql.connector.write.DataWriter;
import org.apache.spark.sql.connector.write.WriterCommitMessage;
import org.apache.spark.sql.types.StructType;

/**
 * Writes the rows of one task: copied into an off-heap block, handed to C a block at a time. {@link #commit} returns when the
 * service has given an id for every row. A row that breaks a limit fails the task. What was published before a failure stays
 * published: at least once.
 */
final class PubSubDataWriter implements DataWriter<InternalRow> {
  private static final long TOKEN_EVERY_MS = 30000;

  private static final class Done implements WriterCommitMessage {
    private static final long serialVersionUID = 1;
  }

  private final PubSubOptions options;
  private final RowBlock block;
  private final int flushTimeoutMs;
  private final long writer;
  private long handedOver;
  private long lastTokenMs;
  private boolean closed;

  PubSubDataWriter(PubSubOptions options, StructType schema) {
    this.options = options;
    long timeoutMs = options.number(Option.PUBLISH_TIMEOUT_SECONDS, 600) * 1000;
    this.flushTimeoutMs = (int) Math.min(Integer.MAX_VALUE, timeoutMs + 30000);
    List<String> keyValues = new ArrayList<>(options.connection());
    PubSubOptions.add(keyValues, "topic", options.topic());
    PubSubOptions.add(keyValues, "max_batch_messages", options.text(Option.PUBLISH_BATCH_MESSAGES));
    PubSubOptions.add(keyValues, "max_batch_bytes", options.text(Option.PUBLISH_BATCH_BYTES));
    PubSubOptions.add(keyValues, "max_in_flight_bytes", options.text(Option.PUBLISH_MAX_IN_FLIGHT_BYTES));
    PubSubOptions.add(keyValues, "total_timeout_ms", Long.toString(timeoutMs));
    this.writer = NativeWriter.open(keyValues.toArray(new String[0]));
    boolean ready = false;
    try {
      refreshToken();
      this.block = new RowBlock(schema);
      ready = true;
    } finally {
      if (!ready) {
        NativeWriter.close(writer);
      }
    }
  }

  private void refreshToken() {
    long now = System.currentTimeMillis();
    if (now - lastTokenMs < TOKEN_EVERY_MS) {
      return;
    }
    lastTokenMs = now;
    byte[] token = Tokens.current(options);
    if (token != null) {
      NativeWriter.setToken(writer, token);
    }
  }

  @Override
  public void write(InternalRow row) {
    block.add(row);
    if (block.full()) {
      handOver();
    }
  }

  private void handOver() {
    if (block.rows() == 0) {
      return;
    }
    refreshToken();
    NativeWriter.publish(writer, block.address(), block.bytes(), block.rows(), handedOver);
    handedOver += block.rows();
    block.clear();
  }

  @Override
  public WriterCommitMessage commit() {
    handOver();
    NativeWriter.flush(writer, flushTimeoutMs);
    return new Done();
  }

  @Override
  public CustomTaskMetric[] currentMetricsValues() {
    long[] metrics = new long[NativeWriter.METRIC_LONGS];
    if (!closed) {
      NativeWriter.metrics(writer, metrics);
    }
    return new CustomTaskMetric[] {
      ReadMetrics.value(WriteMetrics.ROWS, metrics[0]), ReadMetrics.value(WriteMetrics.RETRIES, metrics[3])
    };
  }

  @Override
  public void abort() {
    close();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      block.free();
      NativeWriter.close(writer);
    }
  }
}
