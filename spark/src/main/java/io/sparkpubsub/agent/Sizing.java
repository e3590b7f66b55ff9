package io.sparkpubsub.agent;

import java.util.function.IntUnaryOperator;

/**
 * How many slots there are to be while the cluster grows and shrinks: more at once, fewer only when
 * the cores have been fewer for a while, as an executor that is replaced comes back. Pure: time is
 * an argument.
 */
final class Sizing {
  static final long SHRINK_AFTER_MS = 30_000;

  private final IntUnaryOperator slotsOf;
  private int parallelism;
  private int slots;
  private long lowSinceMs = -1; // -1: it is not lower than what the slots are for

  /**
   * @param slotsOf how many for that many cores; asked when their number has changed
   */
  Sizing(int parallelism, int slots, IntUnaryOperator slotsOf) {
    this.parallelism = parallelism;
    this.slots = slots;
    this.slotsOf = slotsOf;
  }

  int slots(long nowMs, int newParallelism) {
    if (newParallelism >= parallelism) {
      lowSinceMs = -1;
    } else if (lowSinceMs < 0) {
      lowSinceMs = nowMs;
    }
    boolean lowForLong = lowSinceMs >= 0 && nowMs - lowSinceMs >= SHRINK_AFTER_MS;
    if (newParallelism > parallelism || lowForLong) {
      parallelism = newParallelism;
      slots = slotsOf.applyAsInt(newParallelism);
      lowSinceMs = -1;
    }
    return slots;
  }
}
