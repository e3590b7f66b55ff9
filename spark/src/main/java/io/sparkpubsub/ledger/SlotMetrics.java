package io.sparkpubsub.ledger;

import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import java.util.List;
import java.util.Map;

/** What the slots of a query have, for people. Not thread-safe; the ledger owns it. */
final class SlotMetrics {
  private final SlotHomes homes;
  private final List<String> subscriptions;

  SlotMetrics(SlotHomes homes, List<String> subscriptions) {
    this.homes = homes;
    this.subscriptions = subscriptions;
  }

  /** Slots with an open stream, of each subscription. */
  private int[] open() {
    int[] open = new int[subscriptions.size()];
    for (LedgerSlot slot : homes.all()) {
      boolean isOpen = slot.wanted && slot.home != null && slot.state == NativeReader.STATE_OPEN;
      open[slot.index % open.length] += isOpen ? 1 : 0;
    }
    return open;
  }

  /** As {@link Ledger#openSlots} says. */
  int openSlots() {
    int open = 0;
    for (int of : open()) {
      open += of;
    }
    return unopened() == null ? open : 0;
  }

  /** As {@link Ledger#unopened} says. */
  String unopened() {
    int[] open = open();
    for (int i = 0; i < open.length; i++) {
      if (open[i] == 0) {
        return subscriptions.get(i);
      }
    }
    return null;
  }

  /** Into the metrics of a query. */
  void addTo(Map<String, String> out, long nowUs) {
    long oldest = Long.MAX_VALUE;
    for (LedgerSlot slot : homes.all()) {
      if (slot.home != null && slot.oldestUs > 0) {
        oldest = Math.min(oldest, slot.oldestUs);
      }
    }
    long age = oldest == Long.MAX_VALUE ? 0 : Math.max(0, (nowUs - oldest) / 1000);
    out.put("oldestUnacknowledgedMs", Long.toString(age));
    out.put("slots", Integer.toString(homes.wanted()));
    long[] ready = new long[2];
    for (LedgerSlot slot : homes.all()) {
      slot.addTo(ready, slot.settleAsked, slot.sealed);
    }
    out.put(
        "numRecordsReadyToProcess",
        Long.toString(ready[0])); // these three as Databricks' connector calls them
    out.put("sizeOfRecordsReadyToProcess", Long.toString(ready[1]));
    out.put("numDuplicatesSinceStreamStart", out.get(ReaderMetric.REDELIVERED_ROWS.key));
    if (subscriptions.size() > 1) {
      addEach(out, nowUs);
    }
  }

  /** What waits of each subscription, under its name. */
  private void addEach(Map<String, String> out, long nowUs) {
    for (int i = 0; i < subscriptions.size(); i++) {
      long rows = 0;
      long oldest = nowUs;
      for (LedgerSlot slot : homes.all()) {
        if (slot.home != null && slot.index % subscriptions.size() == i) {
          rows += slot.backlogRows;
          oldest = slot.oldestUs > 0 ? Math.min(oldest, slot.oldestUs) : oldest;
        }
      }
      String of = "[" + subscriptions.get(i) + "]";
      out.put("backlogRows" + of, Long.toString(rows));
      out.put("oldestUnacknowledgedMs" + of, Long.toString((nowUs - oldest) / 1000));
    }
  }
}
