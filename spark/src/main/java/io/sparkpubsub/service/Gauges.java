package io.sparkpubsub.service;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * What this process counts, for whoever watches it from outside a query (PubSubPlugin): metrics of
 * the sources that run, on the driver, and of the sink, where its tasks run. Thread-safe.
 */
public final class Gauges {
  /** What the sink counts, over all writing tasks of this process. */
  public enum Sink {
    PUBLISHED_ROWS("publishedRows"),
    PUBLISHED_BYTES("publishedBytes"),
    PUBLISH_RETRIES("publishRetries"),
    THROTTLED_MS("publishThrottledMs"),
    DEAD_LETTER_ROWS("deadLetterRows");

    public final String key;
    private final LongAdder sum = new LongAdder();

    Sink(String key) {
      this.key = key;
    }

    public void add(long more) {
      sum.add(more);
    }

    public long sum() {
      return sum.sum();
    }
  }

  private static final Map<String, Supplier<Map<String, String>>> SOURCES =
      new ConcurrentHashMap<>();

  private Gauges() {}

  /** A source that runs, by its run's id; its metrics are asked for from any thread. */
  public static void addSource(String run, Supplier<Map<String, String>> metrics) {
    SOURCES.put(run, metrics);
  }

  public static void removeSource(String run) {
    SOURCES.remove(run);
  }

  /** Over all sources that run in this driver; 0: there is none. */
  public static long source(String key) {
    return SOURCES.values().stream()
        .mapToLong(metrics -> Long.parseLong(metrics.get().getOrDefault(key, "0")))
        .sum();
  }
}
