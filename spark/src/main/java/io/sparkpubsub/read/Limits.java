package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.connector.read.streaming.CompositeReadLimit;
import org.apache.spark.sql.connector.read.streaming.ReadAllAvailable;
import org.apache.spark.sql.connector.read.streaming.ReadLimit;
import org.apache.spark.sql.connector.read.streaming.ReadMaxRows;
import org.apache.spark.sql.connector.read.streaming.ReadMinRows;

/**
 * What a micro-batch may hold and is to wait for. Spark is told by {@link #asked} and says with
 * each batch which of it counts: a trigger that wants all there is comes without limits. Bytes have
 * no limit of Spark's own in every supported line; they stand beside whatever limits it gives.
 */
final class Limits {
  static final long NONE = Long.MAX_VALUE;

  /**
   * What is asked for where the options set no limit: unlike all that is available, which only a
   * trigger that ends may ask for.
   */
  private static final ReadLimit NO_LIMITS =
      ReadLimit.compositeLimit(new ReadLimit[] {ReadLimit.allAvailable()});

  final long maxRows;
  final long maxBytes;

  /** The batch waits for so many rows … */
  final long minRows;

  /** … and no longer than so. */
  final long maxDelayMs;

  private Limits(long maxRows, long maxBytes, long minRows, long maxDelayMs) {
    this.maxRows = maxRows;
    this.maxBytes = maxBytes;
    this.minRows = Math.min(minRows, maxRows);
    this.maxDelayMs = maxDelayMs;
  }

  /** What the options ask Spark for. */
  static ReadLimit asked(PubSubOptions options) {
    List<ReadLimit> limits = new ArrayList<>();
    if (options.has(Option.MIN_ROWS_PER_TRIGGER)) {
      limits.add(
          ReadLimit.minRows(
              options.number(Option.MIN_ROWS_PER_TRIGGER, 1),
              options.millis(Option.MAX_TRIGGER_DELAY)));
    }
    if (options.has(Option.MAX_ROWS_PER_TRIGGER)) {
      limits.add(ReadLimit.maxRows(options.number(Option.MAX_ROWS_PER_TRIGGER, NONE)));
    }
    if (limits.size() > 1) {
      return ReadLimit.compositeLimit(limits.toArray(new ReadLimit[0]));
    }
    return limits.isEmpty() ? NO_LIMITS : limits.get(0);
  }

  /** What counts for a batch that Spark plans with this limit. */
  static Limits of(ReadLimit limit, PubSubOptions options) {
    long maxRows = NONE;
    long minRows = 1;
    long maxDelayMs = 0;
    for (ReadLimit each : parts(limit)) {
      if (each instanceof ReadMaxRows) {
        maxRows = ((ReadMaxRows) each).maxRows();
      } else if (each instanceof ReadMinRows) {
        minRows = ((ReadMinRows) each).minRows();
        maxDelayMs = ((ReadMinRows) each).maxTriggerDelayMs();
      }
    }
    return new Limits(
        maxRows, options.number(Option.MAX_BYTES_PER_TRIGGER, NONE), minRows, maxDelayMs);
  }

  /** Whether the trigger wants all there is, in one batch: none that goes on asks for it. */
  static boolean isForAll(ReadLimit limit) {
    return limit instanceof ReadAllAvailable;
  }

  private static ReadLimit[] parts(ReadLimit limit) {
    return limit instanceof CompositeReadLimit
        ? ((CompositeReadLimit) limit).getReadLimits()
        : new ReadLimit[] {limit};
  }
}
