package io.sparkpubsub.ledger;

import io.sparkpubsub.natives.ChunkSize;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.SlotReport;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * What the ledger knows of one slot: its home and epoch, its chunks, how far they are committed.
 * Not thread-safe.
 *
 * <p>The offset of a batch names a seq; where the batch ends in truth is decided later, when it is
 * planned ({@link #extend}): a chunk that came in between is read with it instead of with the next.
 * The decision stands, so every plan of the batch reads the same; a batch that was never planned
 * ends where its offset says.
 *
 * <pre>
 *   homeless ── assign ──▶ assigned ── the agent reports the epoch ──▶ opened ── reported CLOSED, or no more ──▶ homeless
 *      ▲                     │                                           │
 *      └───── its home goes ─┴───────────────────────────────────────────┘          each home is a new epoch
 *   moving: it drains where it is, and is homeless then
 * </pre>
 */
final class LedgerSlot {
  final int index;
  boolean wanted = true; // else it gets no home any more
  String home; // executor id; null: nobody
  long epoch;
  int state;
  boolean opened; // its home has reported this epoch
  boolean moving; // drains where it is: homeless as soon as its chunks are settled
  long sealed;
  long settled; // confirmed
  long settleAsked; // committed by Spark: to be acknowledged
  long backlogRows;
  long backlogBytes;
  long oldestUs;

  private long lostFrom; // never settled from here on
  private long firstSize; // seq of sizes[0]
  private final List<ChunkSize> sizes =
      new ArrayList<>(); // of each chunk that is sealed and not asked settled
  private final TreeMap<Long, Long> ends =
      new TreeMap<>(); // seq of an offset -> where its batch ends

  LedgerSlot(int index) {
    this.index = index;
    reset(null, 0);
  }

  void reset(String newHome, long newEpoch) {
    home = newHome;
    epoch = newEpoch;
    state = NativeReader.STATE_WAITING;
    opened = false;
    moving = false;
    sealed = settled = settleAsked = firstSize = 0;
    lostFrom = Long.MAX_VALUE;
    sizes.clear();
    ends.clear();
    backlogRows = backlogBytes = oldestUs = 0;
  }

  /** What its home says of this epoch. */
  void report(SlotReport report) {
    opened = true;
    state = report.state;
    settled = Math.max(settled, report.settled);
    backlogRows = report.backlogRows;
    backlogBytes = report.backlogBytes;
    oldestUs = report.oldestUs;
  }

  /** False: told before. */
  boolean addSize(long seq, ChunkSize size) {
    if (seq != sealed) {
      return false;
    }
    sizes.add(size);
    sealed = seq + 1;
    return true;
  }

  /** Rows, bytes of a chunk; null: it is not held, or not yet. */
  ChunkSize size(long seq) {
    return seq >= firstSize && seq < sealed ? sizes.get((int) (seq - firstSize)) : null;
  }

  /** Where the batch that ends with this seq ends in truth; that is final from now on. */
  long end(long seq) {
    return ends.computeIfAbsent(seq, same -> same);
  }

  /**
   * As end, but what was sealed in the meantime is part of the batch, unless it has an end already.
   */
  long extend(long seq) {
    return ends.computeIfAbsent(seq, same -> Math.max(same, sealed));
  }

  /**
   * Behind the last chunk that has a row which the service got until then, among those that may
   * still be read.
   */
  long endOfTarget(long targetUs) {
    long end = sealed;
    while (end > firstSize && size(end - 1).oldestPublishUs > targetUs) {
      end--;
    }
    return end;
  }

  /** The first chunk at or after seq that can be read: those below have their outcome already. */
  long readable(long seq) {
    return Math.max(seq, settled);
  }

  /** Rows and bytes of what is held of a range. */
  void addTo(long[] sum, long from, long to) {
    for (long seq = Math.max(readable(from), firstSize); seq < Math.min(to, sealed); seq++) {
      ChunkSize size = size(seq);
      sum[0] += size.rows;
      sum[1] += size.bytes;
    }
  }

  /** A task could not read from here on. */
  void lose(long from) {
    lostFrom = Math.min(lostFrom, from);
  }

  private long committable(long seq) {
    return Math.min(Math.min(end(seq), sealed), lostFrom);
  }

  boolean isCommitted(long seq) {
    return settleAsked >= committable(seq);
  }

  /** True: there is more to be acknowledged than before. */
  boolean commit(long seq) {
    long end = committable(seq);
    int known = (int) Math.min(sizes.size(), Math.max(0, end - firstSize));
    sizes.subList(0, known).clear();
    firstSize += known;
    ends.headMap(seq).clear(); // the next batch begins at this one's end
    boolean more = end > settleAsked;
    settleAsked = Math.max(settleAsked, end);
    return more;
  }

  /** Whether an order to settle is on its way, or its confirmation. */
  boolean isSettling() {
    return settleAsked > settled;
  }
}
