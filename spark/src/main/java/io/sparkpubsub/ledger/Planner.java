package io.sparkpubsub.ledger;

import io.sparkpubsub.natives.ChunkSize;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;

/** What a batch takes of what the slots hold. Not thread-safe; the ledger owns it. */
final class Planner {
  private final SlotHomes homes;

  Planner(SlotHomes homes) {
    this.homes = homes;
  }

  /**
   * The end of a batch that begins at start: whole chunks, in turns over the slots, at least one,
   * within the limits, and none behind the last one of its slot with a message that the service got
   * until targetUs.
   */
  PubSubOffset latest(PubSubOffset start, long maxRows, long maxBytes, long targetUs) {
    List<LedgerSlot> slots = homes.all();
    long[] next = new long[slots.size()];
    long[] end = new long[slots.size()];
    boolean[] taken = new boolean[slots.size()]; // a position that differs from the start's
    for (LedgerSlot slot : slots) {
      next[slot.index] = slot.readable(slot.end(start.from(slot.index, slot.epoch)));
      end[slot.index] = slot.endOfTarget(targetUs);
    }
    long rows = 0;
    long bytes = 0;
    boolean more = true;
    boolean any = false;
    List<LedgerSlot> turns = inTurn(slots, start);
    while (more) {
      more = false;
      for (LedgerSlot slot : turns) {
        boolean over = slot.home == null || next[slot.index] >= end[slot.index];
        ChunkSize size = over ? null : slot.size(next[slot.index]);
        if (size == null
            || (any && (rows + size.rows > maxRows || bytes + size.bytes > maxBytes))) {
          continue;
        }
        rows += size.rows;
        bytes += size.bytes;
        next[slot.index]++;
        any = true;
        more = true;
        taken[slot.index] = true;
      }
    }
    return any ? moved(start, next, taken) : start;
  }

  private PubSubOffset moved(PubSubOffset start, long[] next, boolean[] taken) {
    TreeMap<Integer, PubSubOffset.Position> positions = new TreeMap<>(start.positions);
    for (LedgerSlot slot : homes.all()) {
      if (taken[slot.index]) {
        positions.put(slot.index, new PubSubOffset.Position(slot.epoch, next[slot.index]));
      }
    }
    return new PubSubOffset(positions);
  }

  /**
   * All slots, beginning with another one each batch: under a limit those at the end would never be
   * read while the first have more, until their leases end. The same for the same start, however
   * often it is asked for.
   */
  private static List<LedgerSlot> inTurn(List<LedgerSlot> slots, PubSubOffset start) {
    List<LedgerSlot> turns = new ArrayList<>(slots);
    long read = 0;
    for (PubSubOffset.Position position : start.positions.values()) {
      read += position.seq;
    }
    if (!turns.isEmpty()) {
      Collections.rotate(turns, -(int) (read % turns.size()));
    }
    return turns;
  }

  /** The end of all that was ever sealed in living epochs, as far as it is part of a target. */
  PubSubOffset end(long targetUs) {
    TreeMap<Integer, PubSubOffset.Position> positions = new TreeMap<>();
    for (LedgerSlot slot : homes.all()) {
      long end = slot.home == null ? 0 : slot.endOfTarget(targetUs);
      if (end > 0) {
        positions.put(slot.index, new PubSubOffset.Position(slot.epoch, end));
      }
    }
    return positions.isEmpty() ? PubSubOffset.NOTHING : new PubSubOffset(positions);
  }

  /** The most rows, and bytes, that a slot holds behind what is part of a target. */
  long[] mostBeyond(long targetUs) {
    long[] most = new long[2];
    for (LedgerSlot slot : homes.all()) {
      long[] sum = new long[2];
      slot.addTo(sum, slot.endOfTarget(targetUs), Long.MAX_VALUE);
      most[0] = Math.max(most[0], sum[0]);
      most[1] = Math.max(most[1], sum[1]);
    }
    return most;
  }

  /** Rows and bytes between two offsets, as far as they are held. */
  long[] size(PubSubOffset start, PubSubOffset end) {
    long[] sum = new long[2];
    end.positions.forEach(
        (index, position) -> {
          LedgerSlot slot = homes.at(index, position.epoch);
          if (slot != null) {
            slot.addTo(sum, slot.end(start.from(index, slot.epoch)), position.seq);
          }
        });
    return sum;
  }
}
