package io.sparkpubsub.ledger;

import io.sparkpubsub.natives.NativeReader;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * What the ledger knows of one slot: its home and epoch, its chunks, how far they are committed. Not thread-safe.
 *
 * <p>The offset of a batch names a seq; where the batch ends in truth is decided later, when it is planned ({@link #extend}): a
 * chunk that came in between is read with it instead of with the next. The decision stands, so every plan of the batch reads the
 * same; a batch that was never planned ends where its offset says.
 */
final class LedgerSlot {
  String home; // executor id; null: nobody
  long epoch;
  int state;
  long sealed;
  long settled; // confirmed
  long ordered; // committed by Spark: to be acknowledged
  long lostFrom; // never settled from here on
  long backlogRows;
  long backlogBytes;
  long oldestUs;
  boolean moving; // gets another home as soon as its chunks are settled

  private long firstSize; // seq of sizes[0]
  private final List<long[]> sizes = new ArrayList<>(); // rows, bytes of each sealed and not ordered chunk
  private final TreeMap<Long, Long> ends = new TreeMap<>(); // seq of an offset -> where its batch ends

  LedgerSlot() {
    reset(null, 0);
  }

  void reset(String newHome, long newEpoch) {
    home = newHome;
    epoch = newEpoch;
    state = NativeReader.STATE_WAITING;
    sealed = settled = ordered = firstSize = 0;
    lostFrom = Long.MAX_VALUE;
    sizes.clear();
    ends.clear();
    backlogRows = backlogBytes = oldestUs = 0;
    moving = false;
  }

  /** False: told before. */
  boolean addSize(long seq, long rows, long bytes) {
    if (seq != sealed) {
      return false;
    }
    sizes.add(new long[] {rows, bytes});
    sealed = seq + 1;
    return true;
  }

  /** Rows, bytes of a chunk; null: it is not held, or not yet. */
  long[] size(long seq) {
    return seq >= firstSize && seq < sealed ? sizes.get((int) (seq - firstSize)) : null;
  }

  /** Where the batch that ends with this seq ends in truth; that is final from now on. */
  long end(long seq) {
    return ends.computeIfAbsent(seq, same -> same);
  }

  /** As end, but what was sealed in the meantime is part of the batch, unless it has an end already. */
  long extend(long seq) {
    return ends.computeIfAbsent(seq, same -> Math.max(same, sealed));
  }

  /** Rows and bytes of what is held of a range. */
  void addTo(long[] sum, long from, long to) {
    for (long seq = Math.max(from, firstSize); seq < Math.min(to, sealed); seq++) {
      long[] size = size(seq);
      sum[0] += size[0];
      sum[1] += size[1];
    }
  }

  private long committable(long seq) {
    return Math.min(Math.min(end(seq), sealed), lostFrom);
  }

  boolean isCommitted(long seq) {
    return ordered >= committable(seq);
  }

  /** True: there is more to be acknowledged than before. */
  boolean commit(long seq) {
    long end = committable(seq);
    while (firstSize < end && !sizes.isEmpty()) {
      sizes.remove(0);
      firstSize++;
    }
    ends.headMap(seq).clear(); // the next batch begins at this one's end
    boolean more = end > ordered;
    ordered = Math.max(ordered, end);
    return more;
  }
}
