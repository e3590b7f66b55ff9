package io.sparkpubsub.ledger;

import io.sparkpubsub.ledger.LedgerMessages.Report;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.SlotReport;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Epochs that their homes no longer have, and may not know so: what is committed of one is settled
 * before the rest is given back. Not thread-safe; the ledger owns it.
 */
final class Partings {
  private static final class Parting {
    final String executor;
    final long settleAsked;

    Parting(String executor, long settleAsked) {
      this.executor = executor;
      this.settleAsked = settleAsked;
    }
  }

  private final Map<Long, Parting> byEpoch = new HashMap<>();

  void add(String executor, LedgerSlot slot) {
    byEpoch.put(slot.epoch, new Parting(executor, slot.settleAsked));
  }

  /** An executor, or its agent, holds nothing any more. */
  void forget(String executor) {
    byEpoch.values().removeIf(parting -> parting.executor.equals(executor));
  }

  /**
   * An epoch that is not this agent's any more. What was committed of it is settled before the rest
   * is given back.
   */
  void part(List<Order> orders, SlotReport epoch, String executor) {
    Parting parting = byEpoch.get(epoch.epoch);
    boolean its = parting != null && parting.executor.equals(executor);
    if (epoch.state == NativeReader.STATE_CLOSED) {
      if (its) {
        byEpoch.remove(epoch.epoch);
      }
      return;
    }
    if (its && parting.settleAsked > epoch.settled) {
      orders.add(new Order(Order.Kind.SETTLE, epoch.slot, epoch.epoch, parting.settleAsked));
    }
    orders.add(new Order(Order.Kind.CLOSE, epoch.slot, epoch.epoch, 0));
  }

  /** What a stranger is to do with what it has. */
  long[] ordersOf(Report report) {
    List<Order> orders = new ArrayList<>();
    for (int i = 0; i < SlotReport.count(report.epochs); i++) {
      part(orders, SlotReport.at(report.epochs, i), report.executor);
    }
    return Order.encode(orders);
  }
}
