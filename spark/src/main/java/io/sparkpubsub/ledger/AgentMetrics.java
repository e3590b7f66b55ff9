package io.sparkpubsub.ledger;

import io.sparkpubsub.natives.ReaderMetric;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What agents count, over all executors that a query has had: sums never fall when an executor
 * goes. Not thread-safe.
 *
 * <p>What an executor held by its last report is counted as abandoned when it goes: the service
 * delivers it again at the deadline. One that leaves in order has given it back by then.
 */
final class AgentMetrics {
  private final Map<String, long[]> present = new HashMap<>();
  private final Set<String> finished = new HashSet<>(); // have sent their last report
  private final long[] past = new long[ReaderMetric.LONGS]; // sums, no levels
  private long abandonedRows;
  private long executorsLeft;
  private long executorsLost;

  void registered(String executor) {
    finished.remove(executor);
  }

  void report(String executor, long[] metrics) {
    if (!finished.contains(executor)) { // else a late one
      present.put(executor, metrics);
    }
  }

  void left(String executor, long[] lastMetrics) {
    if (finished.add(executor)) {
      present.put(executor, lastMetrics);
      end(executor);
    }
  }

  void gone(String executor, boolean orderly) {
    executorsLeft += orderly ? 1 : 0;
    executorsLost += orderly ? 0 : 1;
    if (!finished.remove(executor)) {
      end(executor);
    }
  }

  private void end(String executor) {
    long[] last = present.remove(executor);
    if (last != null) {
      abandonedRows += last[ReaderMetric.BACKLOG_ROWS.ordinal()];
      add(past, last, false);
    }
  }

  private static void add(long[] sum, long[] metrics, boolean levels) {
    for (ReaderMetric metric : ReaderMetric.values()) {
      if (levels || !metric.gauge) {
        sum[metric.ordinal()] += metrics[metric.ordinal()];
      }
    }
  }

  Map<String, String> toMap() {
    long[] sum = past.clone();
    present.values().forEach(metrics -> add(sum, metrics, true));
    Map<String, String> out = new HashMap<>();
    for (ReaderMetric metric : ReaderMetric.values()) {
      out.put(metric.key, Long.toString(sum[metric.ordinal()]));
    }
    out.put("abandonedRows", Long.toString(abandonedRows));
    out.put("executorsLeft", Long.toString(executorsLeft));
    out.put("executorsLost", Long.toString(executorsLost));
    return out;
  }
}
