package io.sparkpubsub.write;

import io.sparkpubsub.PubSubException;
import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.natives.NativeWriter;
import io.sparkpubsub.natives.WriterMetric;
import io.sparkpubsub.service.Gauges.Sink;
import io.sparkpubsub.service.TokenFeed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.metric.CustomTaskMetric;
import org.apache.spark.sql.connector.write.DataWriter;
import org.apache.spark.sql.connector.write.WriterCommitMessage;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Writes the rows of one task: copied into an off-heap block, handed to C a block at a time. {@link
 * #commit} returns when the service has given an id for every row. A row that breaks a limit fails
 * the task, or goes to the dead-letter topic. What was published before a failure stays published:
 * at least once.
 */
final class PubSubDataWriter implements DataWriter<InternalRow> {
  private static final int SLICE_MS = 100;
  private static final long MAX_WAITING_BYTES = 16 << 20;
  private static final int SPARK_ASKS_EVERY_ROWS = 100;

  /** The rows for one topic that wait to be handed over. */
  private static final class TopicRows {
    final int topic;
    final RowBlock block;
    long handedOver;

    TopicRows(int topic, RowBlock block) {
      this.topic = topic;
      this.block = block;
    }
  }

  private final PubSubOptions options;
  private final SinkColumns columns;
  private final RowId id;
  private final int topicColumn; // -1: the option says it
  private final RowLimits limits; // null: C checks them, and fails the task
  private final Map<UTF8String, TopicRows> topics = new HashMap<>();
  private final TaskContext task = TaskContext.get(); // null outside of Spark's tasks
  private final int flushTimeoutMs;
  private final long writer;
  private TokenFeed tokens;
  private TopicRows only; // without a topic column
  private TopicRows deadLetters;
  private long waitingBytes; // in the blocks of all topics, but dead letters
  private long writtenRows;
  private long deadLetterRows;
  private long lastBytes;
  private long[] counted = new long[WriterMetric.LONGS]; // in Gauges
  private long countedDeadLetters;
  private boolean closed;

  /** id: null where rows get none. */
  PubSubDataWriter(PubSubOptions options, SinkColumns columns, RowId id) {
    this.options = options;
    this.columns = columns;
    this.id = id;
    this.topicColumn = columns.topic;
    this.limits =
        options.has(Option.DEAD_LETTER_TOPIC_ID)
            ? new RowLimits(columns, id == null ? 0 : 1)
            : null;
    long timeoutMs = options.number(Option.PUBLISH_TIMEOUT_SECONDS, 600) * 1000;
    this.flushTimeoutMs = (int) Math.min(Integer.MAX_VALUE, timeoutMs + 30000);
    List<String> keyValues = new ArrayList<>(options.connection());
    PubSubOptions.add(keyValues, "max_batch_messages", options.text(Option.PUBLISH_BATCH_MESSAGES));
    PubSubOptions.add(keyValues, "max_batch_bytes", options.text(Option.PUBLISH_BATCH_BYTES));
    PubSubOptions.add(
        keyValues, "max_in_flight_bytes", options.text(Option.PUBLISH_MAX_IN_FLIGHT_BYTES));
    PubSubOptions.add(keyValues, "gzip", options.gzip() ? "1" : "0");
    PubSubOptions.add(keyValues, "total_timeout_ms", Long.toString(timeoutMs));
    this.writer = NativeWriter.open(keyValues.toArray(new String[0]));
    boolean ready = false;
    try {
      tokens =
          TokenFeed.start(
              options,
              new TokenFeed.Client() {
                @Override
                public long unauthenticated() {
                  return NativeWriter.unauthenticated(writer);
                }

                @Override
                public void setToken(byte[] token) {
                  NativeWriter.setToken(writer, token);
                }
              });
      if (topicColumn < 0) {
        only = open(options.topic(), id);
      }
      ready = true;
    } finally {
      if (!ready) {
        if (tokens != null) {
          tokens.close();
        }
        NativeWriter.close(writer);
      }
    }
  }

  private TopicRows open(String topic, RowId id) {
    return new TopicRows(NativeWriter.topic(writer, topic), new RowBlock(columns, id));
  }

  @Override
  public void write(InternalRow row) {
    writtenRows++;
    String problem = limits == null ? null : limits.problem(row);
    if (problem != null) {
      writeDeadLetter(row, problem);
      return;
    }
    TopicRows rows = topicColumn < 0 ? only : rowsOf(row);
    waitingBytes -= rows.block.bytes();
    rows.block.add(row);
    waitingBytes += rows.block.bytes();
    if (rows.block.full()) {
      handOver(rows);
    } else if (waitingBytes > MAX_WAITING_BYTES) { // many topics with little each
      topics.values().forEach(this::handOver);
    }
  }

  /** Of the topic that the row names; null is the option's. */
  private TopicRows rowsOf(InternalRow row) {
    UTF8String name = row.isNullAt(topicColumn) ? null : row.getUTF8String(topicColumn);
    TopicRows known = topics.get(name);
    if (known == null) {
      if (name == null && !options.has(Option.TOPIC_ID)) {
        throw new IllegalArgumentException(
            "row "
                + (writtenRows - 1)
                + " of the task: its topic is null, and there is no option 'topicId' to say which"
                + " one then");
      }
      known = open(name == null ? options.topic() : options.topic(name.toString()), id);
      topics.put(name == null ? null : name.copy(), known);
    }
    return known;
  }

  private void writeDeadLetter(InternalRow row, String problem) {
    if (deadLetters == null) {
      deadLetters = open(options.topic(options.text(Option.DEAD_LETTER_TOPIC_ID)), null);
    }
    deadLetters.block.add(new DeadLetter(columns, row, problem));
    deadLetterRows++;
    if (deadLetters.block.full()) {
      handOver(deadLetters);
    }
  }

  private void handOver(TopicRows rows) {
    RowBlock block = rows.block;
    if (block.rows() == 0) {
      return;
    }
    waitUntil(sliceMs -> NativeWriter.room(writer, rows.topic, sliceMs), "took no more rows");
    NativeWriter.publish(
        writer, rows.topic, block.address(), block.bytes(), block.rows(), rows.handedOver);
    rows.handedOver += block.rows();
    waitingBytes -= rows == deadLetters ? 0 : block.bytes();
    block.clear();
    count();
  }

  /** Adds to what the process counts what came since it was last called. */
  private void count() {
    long[] now = new long[WriterMetric.LONGS];
    NativeWriter.metrics(writer, now);
    Sink.PUBLISHED_ROWS.add(
        WriterMetric.PUBLISHED_ROWS.of(now) - WriterMetric.PUBLISHED_ROWS.of(counted));
    Sink.PUBLISHED_BYTES.add(
        WriterMetric.PUBLISHED_BYTES.of(now) - WriterMetric.PUBLISHED_BYTES.of(counted));
    Sink.PUBLISH_RETRIES.add(WriterMetric.RETRIES.of(now) - WriterMetric.RETRIES.of(counted));
    Sink.THROTTLED_MS.add(
        WriterMetric.THROTTLED_US.of(now) / 1000 - WriterMetric.THROTTLED_US.of(counted) / 1000);
    Sink.DEAD_LETTER_ROWS.add(deadLetterRows - countedDeadLetters);
    counted = now;
    countedDeadLetters = deadLetterRows;
  }

  /**
   * Waits in slices: a task that Spark has killed must not wait for a service that does not answer.
   */
  private void waitUntil(IntPredicate reached, String otherwise) {
    long deadline = System.nanoTime() + flushTimeoutMs * 1_000_000L;
    do {
      if (Thread.currentThread().isInterrupted() || (task != null && task.isInterrupted())) {
        throw new PubSubException("closed", true, "the task was killed while it was publishing");
      }
      if (reached.test(SLICE_MS)) {
        return;
      }
    } while (System.nanoTime() < deadline);
    throw new PubSubException(
        "timeout", true, "the service " + otherwise + " within " + flushTimeoutMs + " ms");
  }

  private List<TopicRows> all() {
    List<TopicRows> out = new ArrayList<>(topics.values());
    if (only != null) {
      out.add(only);
    }
    if (deadLetters != null) {
      out.add(deadLetters);
    }
    return out;
  }

  @Override
  public WriterCommitMessage commit() {
    flush();
    return null; // a class of ours is not known to the driver where the jar belongs to a session
    // alone (Spark Connect)
  }

  private void flush() {
    all().forEach(this::handOver);
    waitUntil(sliceMs -> NativeWriter.flush(writer, sliceMs), "did not confirm every row");
  }

  /**
   * Spark asks every so many rows, and for the last time before commit(), where small tasks do all
   * their work: so a call between those is the last, and what is left is sent first, for its
   * retries to be counted.
   */
  @Override
  public CustomTaskMetric[] currentMetricsValues() {
    long[] metrics = new long[WriterMetric.LONGS];
    if (!closed) {
      if (writtenRows % SPARK_ASKS_EVERY_ROWS != 0) {
        flush();
      }
      NativeWriter.metrics(writer, metrics);
      // In flight is as good as published: commit() returns only then.
      lastBytes =
          WriterMetric.PUBLISHED_BYTES.of(metrics) + WriterMetric.IN_FLIGHT_BYTES.of(metrics);
      lastBytes += all().stream().mapToLong(rows -> rows.block.bytes()).sum();
    }
    return WriteMetrics.values(
        writtenRows,
        lastBytes,
        WriterMetric.RETRIES.of(metrics),
        WriterMetric.THROTTLED_US.of(metrics) / 1000,
        deadLetterRows);
  }

  @Override
  public void abort() {
    close();
  }

  @Override
  public void close() {
    if (!closed) {
      count();
      closed = true;
      all().forEach(rows -> rows.block.free());
      tokens.close();
      NativeWriter.close(writer);
    }
  }
}
