package io.sparkpubsub.agent;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;

/**
 * Virtual time, what happens at which of its moments, and the one source of chance: the same seed
 * gives the same trace.
 */
final class SimClock {
  private static final class Event {
    final long atMs;
    final long order;
    final Runnable what;

    Event(long atMs, long order, Runnable what) {
      this.atMs = atMs;
      this.order = order;
      this.what = what;
    }
  }

  private final Random random;
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(
          (a, b) ->
              a.atMs != b.atMs ? Long.compare(a.atMs, b.atMs) : Long.compare(a.order, b.order));
  private final List<String> trace;
  private long nowMs;
  private long scheduled;

  SimClock(long seed, boolean traced) {
    this.random = new Random(seed);
    this.trace = traced ? new ArrayList<>() : null;
  }

  long nowMs() {
    return nowMs;
  }

  void after(long ms, Runnable what) {
    events.add(new Event(nowMs + Math.max(0, ms), scheduled++, what));
  }

  /** After a time between these. */
  void soon(long minMs, long maxMs, Runnable what) {
    after(between(minMs, maxMs), what);
  }

  /** The next event; false: it is later than until, and the time is then. */
  boolean step(long untilMs) {
    if (events.isEmpty() || events.peek().atMs > untilMs) {
      nowMs = untilMs;
      return false;
    }
    Event next = events.poll();
    nowMs = next.atMs;
    next.what.run();
    return true;
  }

  long between(long min, long max) {
    return min + (max <= min ? 0 : (long) (random.nextDouble() * (max - min + 1)));
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  void say(String format, Object... arguments) {
    if (trace != null) {
      trace.add(String.format("%9d ", nowMs) + String.format(format, arguments));
    }
  }

  List<String> trace() {
    return trace;
  }
}
