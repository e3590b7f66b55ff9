package io.sparkpubsub.ledger;

import io.sparkpubsub.ledger.LedgerMessages.Report;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.SlotReport;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * What an agent is to do, after what it reports: slots are opened, drained and closed, and settled
 * as far as is committed. Not thread-safe; the ledger owns it.
 */
final class Orders {
  private final SlotHomes homes;
  private final Partings partings;
  private final int jitterMs;
  private final Runnable assign;
  private final Random random = new Random();

  /**
   * @param jitterMs slots are opened within so long, so that not all are at once
   * @param assign is called when slots have lost their home
   */
  Orders(SlotHomes homes, Partings partings, int jitterMs, Runnable assign) {
    this.homes = homes;
    this.partings = partings;
    this.jitterMs = jitterMs;
    this.assign = assign;
  }

  /** Those of an agent that works. */
  List<Order> of(Report report) {
    List<Order> orders = new ArrayList<>();
    Set<Integer> seen = new HashSet<>();
    for (int i = 0; i < SlotReport.count(report.epochs); i++) {
      SlotReport epoch = SlotReport.at(report.epochs, i);
      LedgerSlot slot = homes.at(epoch.slot, epoch.epoch);
      if (slot == null || !report.executor.equals(slot.home)) {
        partings.part(orders, epoch, report.executor);
      } else if (epoch.state != NativeReader.STATE_CLOSED) { // else nothing is left of it
        seen.add(epoch.slot);
        slot.report(epoch);
        addSettle(orders, slot);
        if (slot.moving && epoch.state != NativeReader.STATE_DRAINING) {
          orders.add(new Order(Order.Kind.DRAIN, epoch.slot, epoch.epoch, 0));
        }
      } else {
        slot.opened = true;
      }
    }
    boolean freed = false;
    for (LedgerSlot slot : homes.of(report.executor)) {
      if (!seen.contains(slot.index) && (slot.opened || slot.moving)) {
        homes.free(slot); // it is over there
        freed = true;
      }
    }
    if (freed) {
      assign.run();
    }
    for (LedgerSlot slot : homes.of(report.executor)) {
      if (!seen.contains(slot.index)) {
        long delay = jitterMs == 0 ? 0 : random.nextInt(jitterMs + 1);
        orders.add(new Order(Order.Kind.OPEN, slot.index, slot.epoch, delay));
      }
    }
    return orders;
  }

  private static void addSettle(List<Order> orders, LedgerSlot slot) {
    if (slot.isSettling()) {
      orders.add(new Order(Order.Kind.SETTLE, slot.index, slot.epoch, slot.settleAsked));
    }
  }

  /** What an executor is to acknowledge. */
  List<Order> settles(String executor) {
    List<Order> orders = new ArrayList<>();
    homes.of(executor).forEach(slot -> addSettle(orders, slot));
    return orders;
  }
}
