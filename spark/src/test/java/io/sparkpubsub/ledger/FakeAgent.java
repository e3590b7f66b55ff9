package io.sparkpubsub.ledger;

import io.sparkpubsub.ledger.LedgerMessages.Answer;
import io.sparkpubsub.ledger.LedgerMessages.Report;
import io.sparkpubsub.natives.ChunkSize;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.natives.SlotReport;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.rpc.RpcEndpointRef;

/**
 * An agent as the ledger sees it: what it was told to open, and what it holds. What it is asked to
 * settle it confirms at once.
 */
public final class FakeAgent {
  public static final int ROWS = 10; // of a chunk
  public static final int BYTES = 100;

  /** One epoch of a slot. */
  public static final class Held {
    public final long epoch;
    public long sealed;
    public long settled;
    private long told;

    Held(long epoch) {
      this.epoch = epoch;
    }
  }

  public final String id;
  public final Map<Integer, Held> slots = new TreeMap<>();
  public final long[] metrics = new long[ReaderMetric.LONGS];
  public String problem;
  public String trouble;
  public long publishUs; // of what is sealed next
  public Answer answer; // the last one
  public final List<Order> obeyed = new ArrayList<>();
  private final Set<Integer> draining = new HashSet<>();
  private long incarnation;
  private long number;

  public FakeAgent(String id) {
    this.id = id;
  }

  public LedgerMessages.Verdict register(Ledger ledger, long nowMs) {
    number = 0;
    return ledger.register(nowMs, id, ++incarnation);
  }

  /** What it would register with. */
  LedgerMessages.Register hello(String run, String host, RpcEndpointRef self) {
    number = 0;
    return new LedgerMessages.Register(run, id, host, ++incarnation, self);
  }

  /** What it would send now. Sizes count as told. */
  public Report report() {
    return reportOf("run");
  }

  Report reportOf(String run) {
    long[] epochs = new long[slots.size() * SlotReport.LONGS];
    List<long[]> sizes = new ArrayList<>();
    List<Integer> closed = new ArrayList<>();
    int at = 0;
    for (Map.Entry<Integer, Held> entry : slots.entrySet()) {
      Held held = entry.getValue();
      boolean drains = draining.contains(entry.getKey());
      int state =
          !drains
              ? NativeReader.STATE_OPEN
              : held.settled < held.sealed
                  ? NativeReader.STATE_DRAINING
                  : NativeReader.STATE_CLOSED;
      closed.add(state == NativeReader.STATE_CLOSED ? entry.getKey() : -1);
      new SlotReport(entry.getKey(), held.epoch, state, held.sealed, held.settled, 0, 0, 0)
          .put(epochs, at++);
      for (; held.told < held.sealed; held.told++) {
        long[] size = new long[ChunkSize.LONGS];
        size[0] = ROWS;
        size[1] = BYTES;
        size[2] = publishUs;
        sizes.add(SealedSize.of(entry.getKey(), held.epoch, held.told, size, 0));
      }
    }
    slots.keySet().removeAll(closed); // reported once more, then forgotten
    draining.retainAll(slots.keySet());
    long[] flat = sizes.stream().flatMapToLong(java.util.Arrays::stream).toArray();
    Report report =
        new Report(run, id, incarnation, ++number, epochs, flat, metrics.clone(), problem, false);
    report.trouble = trouble;
    return report;
  }

  public void exchange(Ledger ledger, long nowMs) {
    take(ledger.report(nowMs, report()));
  }

  /** Its last report. */
  public void end(Ledger ledger, long nowMs) {
    slots.clear();
    ledger.report(
        nowMs,
        new Report(
            "run",
            id,
            incarnation,
            ++number,
            new long[0],
            new long[0],
            metrics.clone(),
            null,
            true));
  }

  public void take(Answer given) {
    answer = given;
    obey(given.orders);
  }

  public void obey(long[] orders) {
    for (int i = 0; i < Order.count(orders); i++) {
      Order order = Order.at(orders, i);
      Held held = slots.get(order.slot);
      obeyed.add(order);
      if (order.kind == Order.Kind.OPEN) {
        slots.putIfAbsent(order.slot, new Held(order.epoch));
      } else if (held != null && held.epoch == order.epoch) {
        obey(order, held);
      }
    }
  }

  private void obey(Order order, Held held) {
    if (order.kind == Order.Kind.SETTLE) {
      held.settled = Math.max(held.settled, order.value);
    } else if (order.kind == Order.Kind.DRAIN) {
      draining.add(order.slot);
    } else {
      slots.remove(order.slot);
      draining.remove(order.slot);
    }
  }
}
