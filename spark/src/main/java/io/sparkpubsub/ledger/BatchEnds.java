package io.sparkpubsub.ledger;

import java.util.Map;
import java.util.TreeMap;

/**
 * Where the batches of this run end, by Spark's ids of batches: with the id of the last one that is
 * committed it is known what may be acknowledged. Spark keeps the ends too, in files whose form
 * depends on its version. Thread-safe.
 */
public final class BatchEnds {
  private final TreeMap<Long, PubSubOffset> ends = new TreeMap<>();

  public synchronized void planned(long batch, PubSubOffset end) {
    ends.put(batch, end);
  }

  /** The end of the last batch with data up to this one; null: there was none in this run. */
  public synchronized PubSubOffset upTo(long batch) {
    Map.Entry<Long, PubSubOffset> last = ends.floorEntry(batch);
    if (last == null) {
      return null;
    }
    ends.headMap(last.getKey()).clear();
    return last.getValue();
  }
}
