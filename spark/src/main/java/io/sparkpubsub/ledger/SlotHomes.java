package io.sparkpubsub.ledger;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeSet;

/**
 * How many slots there are and which executor is the home of which: evenly, also when executors
 * come and go and when the number changes. A slot that has to leave a living home drains there
 * first, so that no message moves. Not thread-safe.
 */
final class SlotHomes {
  private static final class Load {
    final String executor;
    final int order; // among those with as many
    int slots;

    Load(String executor, int order, int slots) {
      this.executor = executor;
      this.order = order;
      this.slots = slots;
    }
  }

  private final List<LedgerSlot> slots = new ArrayList<>();
  private final Map<String, TreeSet<Integer>> held =
      new HashMap<>(); // executor -> its slots, moving ones too
  private long nextEpoch;
  private int wanted;

  SlotHomes(int count, long firstEpoch) {
    this.nextEpoch = firstEpoch;
    resize(count);
  }

  List<LedgerSlot> all() {
    return slots;
  }

  /** How many there are to be. */
  int wanted() {
    return wanted;
  }

  /** Null: there is none. */
  LedgerSlot get(int index) {
    return index >= 0 && index < slots.size() ? slots.get(index) : null;
  }

  /** The slots of an executor, by index. */
  Collection<LedgerSlot> of(String executor) {
    List<LedgerSlot> out = new ArrayList<>();
    held.getOrDefault(executor, new TreeSet<>()).forEach(index -> out.add(slots.get(index)));
    return out;
  }

  void resize(int count) {
    int more = count - wanted;
    wanted = count;
    for (LedgerSlot slot : slots) {
      if (more > 0 && !slot.wanted) {
        slot.wanted = true; // where it still drains, it gets a home afterwards
        more--;
      }
    }
    for (; more > 0; more--) {
      slots.add(new LedgerSlot(slots.size()));
    }
    for (; more < 0; more++) {
      LedgerSlot least = leastMissed();
      least.wanted = false;
      least.moving = least.home != null;
    }
  }

  /** One that has no home, or else one of the home with most of them. */
  private LedgerSlot leastMissed() {
    Map<String, Integer> load = new HashMap<>();
    slots.stream()
        .filter(slot -> slot.home != null && !slot.moving)
        .forEach(slot -> load.merge(slot.home, 1, Integer::sum));
    return slots.stream()
        .filter(slot -> slot.wanted)
        .max(
            Comparator.comparingInt(
                    (LedgerSlot slot) ->
                        slot.home == null || slot.moving ? Integer.MAX_VALUE : load.get(slot.home))
                .thenComparingInt(slot -> slot.index))
        .orElseThrow(IllegalStateException::new);
  }

  /** It has no home any more. */
  void free(LedgerSlot slot) {
    TreeSet<Integer> its = held.get(slot.home);
    its.remove(slot.index);
    if (its.isEmpty()) {
      held.remove(slot.home);
    }
    slot.home = null;
    slot.moving = false;
  }

  /** Gives slots without a home the least loaded of these, and a new epoch. */
  void assign(List<String> executors) {
    PriorityQueue<Load> loads =
        new PriorityQueue<>(
            Comparator.comparingInt((Load load) -> load.slots)
                .thenComparingInt(load -> load.order));
    for (String executor : executors) {
      TreeSet<Integer> its = held.get(executor);
      loads.add(new Load(executor, loads.size(), its == null ? 0 : its.size()));
    }
    for (LedgerSlot slot : slots) {
      if (slot.home == null && slot.wanted && !loads.isEmpty()) {
        Load least = loads.poll();
        least.slots++;
        loads.add(least);
        slot.reset(least.executor, nextEpoch++);
        held.computeIfAbsent(least.executor, first -> new TreeSet<>()).add(slot.index);
      }
    }
  }

  /**
   * Marks slots of executors that have too many as moving: they drain where they are, and then get
   * the least loaded home.
   */
  void spread(List<String> executors) {
    if (executors.isEmpty()) {
      return;
    }
    int atMost = (wanted + executors.size() - 1) / executors.size();
    Map<String, Integer> load = new HashMap<>();
    for (LedgerSlot slot : slots) {
      if (slot.home != null && !slot.moving && load.merge(slot.home, 1, Integer::sum) > atMost) {
        slot.moving = true;
      }
    }
  }
}
