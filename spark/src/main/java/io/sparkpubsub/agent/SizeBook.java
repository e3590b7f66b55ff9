package io.sparkpubsub.agent;

import io.sparkpubsub.ledger.SealedSize;
import io.sparkpubsub.natives.ChunkSize;
import io.sparkpubsub.natives.SlotReport;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Sizes of sealed chunks until the ledger has them. They are taken from the reader once, when a
 * chunk is new: later it may be settled, and gone, while the ledger, whose answer was lost, still
 * has to hear of it. Not thread-safe.
 */
final class SizeBook {
  private static final int AT_ONCE = 512;

  private static final class Epoch {
    long next; // the first seq whose size is not here yet
    final ArrayDeque<long[]> untold = new ArrayDeque<>();
  }

  private final SlotReader reader;
  private final Map<Long, Epoch> epochs = new HashMap<>();
  private final long[] buffer = new long[AT_ONCE * ChunkSize.LONGS];

  SizeBook(SlotReader reader) {
    this.reader = reader;
  }

  /**
   * Everything that the ledger may not know of these epochs, SealedSize.LONGS each; others are
   * forgotten.
   */
  long[] untold(long[] reports) {
    Set<Long> present = new HashSet<>();
    int count = 0;
    for (int i = 0; i < SlotReport.count(reports); i++) {
      SlotReport report = SlotReport.at(reports, i);
      present.add(report.epoch);
      Epoch epoch = epochs.computeIfAbsent(report.epoch, first -> new Epoch());
      take(report, epoch);
      count += epoch.untold.size();
    }
    epochs.keySet().retainAll(present);
    long[] out = new long[count * SealedSize.LONGS];
    int at = 0;
    for (Epoch epoch : epochs.values()) {
      for (long[] size : epoch.untold) {
        System.arraycopy(size, 0, out, at, size.length);
        at += size.length;
      }
    }
    return out;
  }

  private void take(SlotReport report, Epoch epoch) {
    if (fetch(report, epoch) == 0 && epoch.next < report.settled) {
      while (epoch.next < report.settled) { // it had its outcome before anybody asked for its size
        epoch.untold.add(SealedSize.ofNothing(report.slot, report.epoch, epoch.next++));
      }
      fetch(report, epoch);
    }
  }

  private int fetch(SlotReport report, Epoch epoch) {
    int count =
        epoch.next < report.sealed
            ? reader.chunkSizes(report.slot, report.epoch, epoch.next, buffer)
            : 0;
    for (int i = 0; i < count; i++) {
      epoch.untold.add(SealedSize.of(report.slot, report.epoch, epoch.next++, buffer, i));
    }
    return count;
  }

  /** The ledger has all that the last call of {@link #untold} returned. */
  void told() {
    epochs.values().forEach(epoch -> epoch.untold.clear());
  }
}
