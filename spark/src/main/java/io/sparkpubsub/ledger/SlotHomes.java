package io.sparkpubsub.ledger;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * How many slots there are and which executor is the home of which: evenly, also when executors
 * come and go and when the number changes, and so that each subscription has as many as another,
 * and at least one. A slot that has to leave a living home drains there first, so that no message
 * moves. Not thread-safe.
 */
final class SlotHomes {
  private static final class Load {
    final String executor;
    final int[] of; // slots of each subscription
    int slots;

    Load(String executor, int subscriptions) {
      this.executor = executor;
      this.of = new int[subscriptions];
    }
  }

  private final List<LedgerSlot> slots = new ArrayList<>();
  private final int subscriptions; // slot i reads number i modulo so many
  private final Map<String, TreeSet<Integer>> held =
      new HashMap<>(); // executor -> its slots, moving ones too
  private long nextEpoch;
  private int wanted;

  SlotHomes(int count, long firstEpoch, int subscriptions) {
    this.nextEpoch = firstEpoch;
    this.subscriptions = subscriptions;
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

  /** The slot, if this is its epoch; else null: a dead epoch. */
  LedgerSlot at(int index, long epoch) {
    LedgerSlot slot = get(index);
    return slot != null && slot.epoch == epoch ? slot : null;
  }

  /** The slot, if this is its epoch and it has a home; else null. */
  LedgerSlot living(int index, long epoch) {
    LedgerSlot slot = at(index, epoch);
    return slot == null || slot.home == null ? null : slot;
  }

  /** The slots of an executor, by index. */
  Collection<LedgerSlot> of(String executor) {
    List<LedgerSlot> out = new ArrayList<>();
    held.getOrDefault(executor, new TreeSet<>()).forEach(index -> out.add(slots.get(index)));
    return out;
  }

  void resize(int count) {
    int more = Math.max(count, subscriptions) - wanted;
    wanted += more;
    for (; more > 0; more--) {
      add();
    }
    for (; more < 0; more++) {
      LedgerSlot least = leastMissed();
      least.wanted = false;
      least.moving = least.home != null;
    }
  }

  private void add() {
    int[] wantedOf = wantedOf();
    LedgerSlot missed =
        slots.stream()
            .filter(slot -> !slot.wanted)
            .min(Comparator.comparingInt(slot -> wantedOf[slot.index % subscriptions]))
            .orElse(null);
    if (missed == null) {
      slots.add(new LedgerSlot(slots.size()));
    } else {
      missed.wanted = true; // where it still drains, it gets a home afterwards
    }
  }

  /** None gets a home any more; those that have one drain there. */
  void drain() {
    for (LedgerSlot slot : slots) {
      slot.wanted = false;
      slot.moving = slot.home != null;
    }
  }

  /** How many slots each subscription is to have. */
  private int[] wantedOf() {
    int[] out = new int[subscriptions];
    slots.stream().filter(slot -> slot.wanted).forEach(slot -> out[slot.index % subscriptions]++);
    return out;
  }

  /**
   * One of the subscription that has most; of these, one that has no home, or else one of the home
   * with most of them.
   */
  private LedgerSlot leastMissed() {
    int[] wantedOf = wantedOf();
    Map<String, Integer> load = new HashMap<>();
    slots.stream()
        .filter(slot -> slot.home != null && !slot.moving)
        .forEach(slot -> load.merge(slot.home, 1, Integer::sum));
    return slots.stream()
        .filter(slot -> slot.wanted)
        .max(
            Comparator.comparingInt((LedgerSlot slot) -> wantedOf[slot.index % subscriptions])
                .thenComparingInt(
                    slot ->
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

  /**
   * Gives slots without a home the least loaded of these, of them the one with fewest of the same
   * subscription, and a new epoch.
   */
  void assign(List<String> executors) {
    List<Load> loads = null; // made when it is needed
    for (LedgerSlot slot : slots) {
      if (slot.home == null && slot.wanted && !executors.isEmpty()) {
        loads = loads == null ? loads(executors) : loads;
        Load least = least(loads, slot.index % subscriptions);
        least.slots++;
        least.of[slot.index % subscriptions]++;
        slot.reset(least.executor, nextEpoch++);
        held.computeIfAbsent(least.executor, first -> new TreeSet<>()).add(slot.index);
      }
    }
  }

  private List<Load> loads(List<String> executors) {
    List<Load> out = new ArrayList<>();
    for (String executor : executors) {
      Load load = new Load(executor, subscriptions);
      for (int index : held.getOrDefault(executor, new TreeSet<>())) {
        load.slots++;
        load.of[index % subscriptions]++;
      }
      out.add(load);
    }
    return out;
  }

  private static Load least(List<Load> loads, int subscription) {
    Load least = loads.get(0);
    for (Load load : loads) {
      boolean fewer = load.slots < least.slots;
      boolean same = load.slots == least.slots;
      if (fewer || (same && load.of[subscription] < least.of[subscription])) {
        least = load;
      }
    }
    return least;
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
