package io.sparkpubsub.agent;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A model of the service: messages wait, are lent to a stream until a deadline, and are
 * acknowledged or come again.
 */
final class SimService {
  static final long DEADLINE_MS = 60_000;

  /** One message, lent once. */
  static final class Lease {
    final int message;
    private long endMs;
    private boolean over;

    Lease(int message, long endMs) {
      this.message = message;
      this.endMs = endMs;
    }
  }

  private final SimClock clock;
  private final ArrayDeque<Integer> waiting = new ArrayDeque<>();
  private final Map<Integer, Lease> lent = new HashMap<>(); // by message
  final List<Integer> deliveries = new ArrayList<>(); // by message
  private final List<Boolean> acknowledged = new ArrayList<>();
  int acknowledgedCount;
  private long firstEndMs;

  SimService(SimClock clock) {
    this.clock = clock;
  }

  void publish(int count) {
    for (int i = 0; i < count; i++) {
      waiting.add(deliveries.size());
      deliveries.add(0);
      acknowledged.add(false);
    }
  }

  int published() {
    return deliveries.size();
  }

  boolean isAcknowledged(int message) {
    return acknowledged.get(message);
  }

  /** Lends up to so many. */
  List<Lease> pull(int count) {
    expire();
    List<Lease> out = new ArrayList<>();
    while (out.size() < count && !waiting.isEmpty()) {
      int message = waiting.poll();
      deliveries.set(message, deliveries.get(message) + 1);
      Lease lease = new Lease(message, clock.nowMs() + DEADLINE_MS);
      lent.put(message, lease);
      out.add(lease);
    }
    return out;
  }

  void extend(Lease lease) {
    if (isCurrent(lease)) {
      lease.endMs = clock.nowMs() + DEADLINE_MS;
    }
  }

  /** True: it counts. */
  boolean acknowledge(Lease lease) {
    boolean current = isCurrent(lease);
    if (current) {
      end(lease);
      acknowledged.set(lease.message, true);
      acknowledgedCount++;
    }
    return current;
  }

  void giveBack(Lease lease) {
    if (isCurrent(lease)) {
      end(lease);
      waiting.add(lease.message);
    }
  }

  private boolean isCurrent(Lease lease) {
    if (!lease.over && lease.endMs <= clock.nowMs()) {
      end(lease);
      waiting.add(lease.message);
    }
    return !lease.over;
  }

  private void end(Lease lease) {
    lease.over = true;
    lent.remove(lease.message, lease);
  }

  private void expire() {
    if (clock.nowMs() < firstEndMs) {
      return;
    }
    firstEndMs = clock.nowMs() + 1000; // looked at once a second
    for (Lease lease : new ArrayList<>(lent.values())) {
      isCurrent(lease);
    }
  }

  int lentCount() {
    expire();
    return lent.size();
  }
}
