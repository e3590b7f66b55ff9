package io.sparkpubsub.ledger;

import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.SlotReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The driver's view of one query: slot -> home, epoch, sealed, settled. Pure: no Spark, no clock of its own, no I/O. Agents
 * report what they have, the answer is what they are to do; both may be repeated or come late without harm. Thread-safe.
 *
 * <p>A position is settled only when Spark has committed it, in the epoch it was read from, and not beyond a range that was
 * reported lost.
 */
public final class Ledger {
  public static final int ORDER_LONGS = 4;
  /** slot, epoch, delay in ms. */
  public static final int ORDER_OPEN = 0;
  /** slot, epoch, 0: give back what is not ordered settled; 1: stop receiving, keep what is there until it is settled. */
  public static final int ORDER_CLOSE = 1;
  /** slot, epoch, end seq: acknowledge what is below. */
  public static final int ORDER_SETTLE = 2;

  private final LedgerSlot[] slots;
  private final int jitterMs;
  private final SlotHomes homes;
  private final AgentMetrics agentMetrics = new AgentMetrics();
  private final Random random = new Random();
  private long growths; // how often something new was sealed
  private long sealedBytes;
  private String error;

  /** firstEpoch must be larger than every epoch of an earlier run of the same query. */
  public Ledger(int slotCount, long firstEpoch, int jitterMs) {
    slots = new LedgerSlot[slotCount];
    for (int i = 0; i < slotCount; i++) {
      slots[i] = new LedgerSlot();
    }
    homes = new SlotHomes(slots, firstEpoch);
    this.jitterMs = jitterMs;
  }

  // ---- agents ----

  public synchronized void register(String executor, String host) {
    homes.add(executor, host);
    agentMetrics.registered(executor);
  }

  public synchronized int agentCount() {
    return homes.count();
  }

  public synchronized boolean knows(String executor) {
    return homes.knows(executor);
  }

  /** From now on slots without a home get one, evenly. */
  public synchronized void startAssigning() {
    homes.startAssigning();
  }

  /** The query stops: what becomes free stays so. */
  synchronized void stopAssigning() {
    homes.stopAssigning();
  }

  /**
   * An executor is about to go. Returns what it is to acknowledge first (nothing when asked again); it gives back the rest, and
   * its slots get a new home and epoch.
   */
  synchronized long[] leave(String executor) {
    long[] orders = settleOrders(executor);
    homes.leave(executor);
    return orders;
  }

  /** The last report of an agent: it holds nothing any more. If its executor stays, it may register again. */
  synchronized void left(String executor, long[] lastMetrics) {
    if (homes.knows(executor)) {
      agentMetrics.left(executor, lastMetrics);
      if (!homes.isLeaving(executor)) {
        homes.remove(executor);
      }
    }
  }

  /** An executor is gone: what it held is redelivered by the service; its slots get a new home and epoch. */
  public synchronized void lost(String executor) {
    if (homes.knows(executor)) {
      agentMetrics.gone(executor, homes.isLeaving(executor));
      homes.remove(executor);
    }
  }

  /**
   * A report of an agent: SlotReport.LONGS per epoch; sizes as slot, epoch, seq, rows, bytes per newly sealed chunk.
   * Returns the orders, ORDER_LONGS each.
   */
  public synchronized long[] report(
      String executor, long[] reports, long[] sizes, long[] metrics, String problem) {
    if (homes.knows(executor)) {
      agentMetrics.report(executor, metrics);
    }
    if (problem != null && error == null) {
      error = problem;
    }
    for (int i = 0; i + 5 <= sizes.length; i += 5) {
      addSize((int) sizes[i], sizes[i + 1], sizes[i + 2], sizes[i + 3], sizes[i + 4]);
    }
    List<long[]> orders = new ArrayList<>();
    boolean[] seen = new boolean[slots.length];
    for (int i = 0; i + SlotReport.LONGS <= reports.length; i += SlotReport.LONGS) {
      int index = (int) reports[i];
      long epoch = reports[i + 1];
      LedgerSlot slot = index >= 0 && index < slots.length ? slots[index] : null;
      boolean current = slot != null && executor.equals(slot.home) && slot.epoch == epoch;
      if (!current) {
        if (reports[i + 2] != NativeReader.STATE_CLOSED && reports[i + 2] != NativeReader.STATE_DRAINING) {
          orders.add(new long[] {ORDER_CLOSE, index, epoch, 0});
        }
        continue;
      }
      seen[index] = true;
      slot.state = (int) reports[i + 2];
      slot.settled = Math.max(slot.settled, reports[i + 4]);
      slot.backlogRows = reports[i + 7];
      slot.backlogBytes = reports[i + 8];
      slot.oldestUs = reports[i + 9];
      if (slot.ordered > slot.settled) {
        orders.add(new long[] {ORDER_SETTLE, index, epoch, slot.ordered});
      }
      if (slot.state == NativeReader.STATE_CLOSED) {
        seen[index] = false; // nothing is left of it
      } else if (slot.moving && slot.state != NativeReader.STATE_DRAINING) {
        orders.add(new long[] {ORDER_CLOSE, index, epoch, 1});
      }
    }
    boolean moved = false;
    for (int i = 0; i < slots.length; i++) {
      if (!seen[i] && slots[i].moving && executor.equals(slots[i].home)) {
        slots[i].home = null;
        moved = true;
      }
    }
    if (moved) {
      homes.assign();
    }
    for (int i = 0; i < slots.length; i++) {
      if (!seen[i] && executor.equals(slots[i].home)) {
        long delay = jitterMs == 0 ? 0 : random.nextInt(jitterMs + 1);
        orders.add(new long[] {ORDER_OPEN, i, slots[i].epoch, delay});
      }
    }
    return flat(orders);
  }

  private void addSize(int index, long epoch, long seq, long rows, long bytes) {
    LedgerSlot slot = at(index, epoch);
    if (slot != null && slot.home != null && slot.addSize(seq, rows, bytes)) {
      growths++;
      sealedBytes += bytes;
    }
  }

  /** The slot, if this is its epoch; else null: a dead epoch. */
  private LedgerSlot at(int index, long epoch) {
    return index >= 0 && index < slots.length && slots[index].epoch == epoch ? slots[index] : null;
  }

  // ---- offsets ----

  /** The end of a batch that begins at start: whole chunks, in turns over the slots, at least one, within the limits. */
  public synchronized PubSubOffset latest(PubSubOffset start, long maxRows, long maxBytes) {
    TreeMap<Integer, PubSubOffset.Position> positions = new TreeMap<>(start.positions);
    long[] next = new long[slots.length];
    for (int i = 0; i < slots.length; i++) {
      next[i] = slots[i].end(start.from(i, slots[i].epoch));
    }
    long rows = 0;
    long bytes = 0;
    boolean more = true;
    boolean any = false;
    while (more) {
      more = false;
      for (int i = 0; i < slots.length; i++) {
        LedgerSlot slot = slots[i];
        long[] size = slot.home == null ? null : slot.size(next[i]);
        if (size == null) {
          continue;
        }
        if (any && (rows + size[0] > maxRows || bytes + size[1] > maxBytes)) {
          continue;
        }
        rows += size[0];
        bytes += size[1];
        next[i]++;
        any = true;
        more = true;
        positions.put(i, new PubSubOffset.Position(slot.epoch, next[i]));
      }
    }
    return any ? new PubSubOffset(positions) : start;
  }

  /** Rows and bytes between two offsets, as far as they are held. */
  public synchronized long[] size(PubSubOffset start, PubSubOffset end) {
    long[] sum = new long[2];
    end.positions.forEach(
        (index, position) -> {
          LedgerSlot slot = at(index, position.epoch);
          if (slot != null) {
            slot.addTo(sum, slot.end(start.from(index, slot.epoch)), position.seq);
          }
        });
    return sum;
  }

  /**
   * The seqs that a batch reads of a slot, from and to, where its offsets say from and to. Null: the epoch has died; its messages
   * come again from the service, and the range is never settled. The answer is the same whenever it is asked for.
   *
   * @param late whether what was sealed since the end was determined is part of the batch
   */
  synchronized long[] range(int index, long epoch, long from, long to, boolean late) {
    LedgerSlot slot = at(index, epoch);
    if (slot == null || slot.home == null) {
      lostRange(index, epoch, from);
      return null;
    }
    return new long[] {slot.end(from), late ? slot.extend(to) : slot.end(to)};
  }

  /** Whether the range from this seq on has begun to be acknowledged: it cannot be read any more. */
  synchronized boolean isAcknowledged(int index, long epoch, long from) {
    LedgerSlot slot = at(index, epoch);
    return slot != null && slot.home != null && slot.ordered > slot.end(from);
  }

  /** Spark has committed everything below this offset. True: there is more to be acknowledged than before. */
  synchronized boolean committed(PubSubOffset offset) {
    boolean more = false;
    for (Map.Entry<Integer, PubSubOffset.Position> entry : offset.positions.entrySet()) {
      LedgerSlot slot = at(entry.getKey(), entry.getValue().epoch);
      if (slot != null && slot.home != null) { // else a dead epoch: redelivered, never settled
        more |= slot.commit(entry.getValue().seq);
      }
    }
    return more;
  }

  /** What an executor is to acknowledge, as in the answer to its report. */
  synchronized long[] settleOrders(String executor) {
    List<long[]> orders = new ArrayList<>();
    for (int i = 0; i < slots.length; i++) {
      if (executor.equals(slots[i].home) && slots[i].ordered > slots[i].settled) {
        orders.add(new long[] {ORDER_SETTLE, i, slots[i].epoch, slots[i].ordered});
      }
    }
    return flat(orders);
  }

  private static long[] flat(List<long[]> orders) {
    long[] out = new long[orders.size() * ORDER_LONGS];
    for (int i = 0; i < orders.size(); i++) {
      System.arraycopy(orders.get(i), 0, out, i * ORDER_LONGS, ORDER_LONGS);
    }
    return out;
  }

  /** Whether there is nothing in it that could still be acknowledged. */
  synchronized boolean isCommitted(PubSubOffset offset) {
    for (Map.Entry<Integer, PubSubOffset.Position> entry : offset.positions.entrySet()) {
      LedgerSlot slot = at(entry.getKey(), entry.getValue().epoch);
      if (slot != null && slot.home != null && !slot.isCommitted(entry.getValue().seq)) {
        return false;
      }
    }
    return true;
  }

  /** The range from this seq on could not be read: it must come again from the service. */
  public synchronized void lostRange(int index, long epoch, long from) {
    LedgerSlot slot = at(index, epoch);
    if (slot != null) {
      slot.lostFrom = Math.min(slot.lostFrom, from);
    }
  }

  /** Executor id of the home of an epoch; null: it is gone. */
  synchronized String home(int index, long epoch) {
    LedgerSlot slot = at(index, epoch);
    return slot == null ? null : slot.home;
  }

  /** As Spark wants preferred locations: executor_HOST_ID; null: the epoch is gone. */
  public synchronized String location(int index, long epoch) {
    String home = home(index, epoch);
    return home == null ? null : "executor_" + homes.host(home) + "_" + home;
  }

  // ---- what people ask ----

  /** Why the query must fail; null: nothing. */
  public synchronized String error() {
    return error;
  }

  /** All that agents have ever sealed. */
  public synchronized long sealedBytes() {
    return sealedBytes;
  }

  synchronized long growths() {
    return growths;
  }

  /** Every slot has an open stream. */
  public synchronized boolean allOpen() {
    for (LedgerSlot slot : slots) {
      if (slot.home == null || slot.state != NativeReader.STATE_OPEN) {
        return false;
      }
    }
    return true;
  }

  /** Everything that was ordered is confirmed. */
  public synchronized boolean allSettled() {
    for (LedgerSlot slot : slots) {
      if (slot.home != null && slot.settled < slot.ordered) {
        return false;
      }
    }
    return true;
  }

  public synchronized Map<String, String> metrics(long nowUs) {
    Map<String, String> out = agentMetrics.toMap();
    long oldest = Long.MAX_VALUE;
    for (LedgerSlot slot : slots) {
      if (slot.home != null && slot.oldestUs > 0) {
        oldest = Math.min(oldest, slot.oldestUs);
      }
    }
    long age = oldest == Long.MAX_VALUE ? 0 : Math.max(0, (nowUs - oldest) / 1000);
    out.put("oldestUnacknowledgedMs", Long.toString(age));
    out.put("executors", Integer.toString(homes.count()));
    long[] ready = new long[2];
    for (LedgerSlot slot : slots) {
      slot.addTo(ready, slot.ordered, slot.sealed);
    }
    out.put("numRecordsReadyToProcess", Long.toString(ready[0])); // these three as Databricks' connector calls them
    out.put("sizeOfRecordsReadyToProcess", Long.toString(ready[1]));
    out.put("numDuplicatesSinceStreamStart", out.get(ReaderMetric.REDELIVERED_ROWS.key));
    return out;
  }

  /** What {@link #metrics} gives, in alphabetical order. */
  public static Set<String> metricNames() {
    return new TreeSet<>(new Ledger(1, 1, 0).metrics(0).keySet());
  }
}
