package io.sparkpubsub.ledger;

import java.util.LinkedHashMap;
import java.util.Map;

/** Which executor is the home of which slot: evenly, also when executors come and go. Not thread-safe. */
final class SlotHomes {
  private static final class Executor {
    final String host;
    boolean leaving; // gets no more slots

    Executor(String host) {
      this.host = host;
    }
  }

  private final LedgerSlot[] slots;
  private final Map<String, Executor> executors = new LinkedHashMap<>();
  private long nextEpoch;
  private boolean assigning;

  SlotHomes(LedgerSlot[] slots, long firstEpoch) {
    this.slots = slots;
    this.nextEpoch = firstEpoch;
  }

  int count() {
    return executors.size();
  }

  boolean knows(String executor) {
    return executors.containsKey(executor);
  }

  boolean isLeaving(String executor) {
    return executors.get(executor).leaving;
  }

  String host(String executor) {
    return executors.get(executor).host;
  }

  void startAssigning() {
    assigning = true;
    assign();
  }

  void stopAssigning() {
    assigning = false;
  }

  void add(String executor, String host) {
    executors.putIfAbsent(executor, new Executor(host));
    assign();
    spread();
  }

  /** It stays known, without slots. */
  void leave(String executor) {
    Executor leaving = executors.get(executor);
    if (leaving != null) {
      leaving.leaving = true;
      free(executor);
    }
  }

  void remove(String executor) {
    executors.remove(executor);
    free(executor);
  }

  private void free(String executor) {
    for (LedgerSlot slot : slots) {
      if (executor.equals(slot.home)) {
        slot.home = null;
      }
    }
    assign();
  }

  /** Gives slots without a home the least loaded one, and a new epoch. */
  void assign() {
    if (!assigning) {
      return;
    }
    Map<String, Integer> load = load(true);
    for (LedgerSlot slot : slots) {
      if (slot.home != null || load.isEmpty()) {
        continue;
      }
      String least = null;
      for (Map.Entry<String, Integer> entry : load.entrySet()) {
        if (least == null || entry.getValue() < load.get(least)) {
          least = entry.getKey();
        }
      }
      load.merge(least, 1, Integer::sum);
      slot.reset(least, nextEpoch++);
    }
  }

  /** Marks slots of executors that have too many as moving: they drain where they are, and then get the least loaded home. */
  private void spread() {
    Map<String, Integer> load = load(false);
    if (load.isEmpty()) {
      return;
    }
    int atMost = (slots.length + load.size() - 1) / load.size();
    for (LedgerSlot slot : slots) {
      if (slot.home != null && !slot.moving && load.get(slot.home) > atMost) {
        load.merge(slot.home, -1, Integer::sum);
        slot.moving = true;
      }
    }
  }

  /** How many slots each executor has that stays. */
  private Map<String, Integer> load(boolean withMoving) {
    Map<String, Integer> load = new LinkedHashMap<>();
    executors.forEach(
        (id, executor) -> {
          if (!executor.leaving) {
            load.put(id, 0);
          }
        });
    for (LedgerSlot slot : slots) {
      if (slot.home != null && (withMoving || !slot.moving)) {
        load.merge(slot.home, 1, Integer::sum);
      }
    }
    return load;
  }
}
