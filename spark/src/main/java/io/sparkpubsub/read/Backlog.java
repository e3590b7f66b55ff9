package io.sparkpubsub.read;

import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.PubSubOffset;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * What was there at a moment, for triggers that end: the messages that the service got until then.
 * What came later and is behind them in its slot stays unread and is given back at the end; between
 * them it is read too, as chunks are read in their order. Where unread chunks fill a slot, so that
 * nothing else could come, they are read after all.
 *
 * <p>Waits on the query's own thread, which holds nothing but the query's progress.
 */
final class Backlog {
  private final Ledger ledger;
  private final long targetUs;
  private final long slotBytes; // what a slot may hold
  private final QuietTime quiet;
  private final LongSupplier clockMs;
  private final BooleanSupplier pause; // false: interrupted
  private boolean unreachable;

  /**
   * @param targetUs wall clock; Ledger.NO_TARGET: whatever comes
   */
  Backlog(
      Ledger ledger,
      long targetUs,
      long slotBytes,
      QuietTime quiet,
      LongSupplier clockMs,
      BooleanSupplier pause) {
    this.ledger = ledger;
    this.targetUs = targetUs;
    this.slotBytes = slotBytes;
    this.quiet = quiet;
    this.clockMs = clockMs;
    this.pause = pause;
  }

  long targetUs() {
    return targetUs;
  }

  /** Whether no slot has opened in time, so that the end says nothing. */
  boolean isUnreachable() {
    return unreachable;
  }

  /** The end of the next batch; from itself: all is read, or the thread was interrupted. */
  PubSubOffset next(PubSubOffset from, Limits limits) {
    quiet.resume(clockMs.getAsLong());
    do {
      ledger.failOnError();
      PubSubOffset end = ledger.latest(from, limits.maxRows, limits.maxBytes, targetUs);
      if (end != from) {
        quiet.heard();
        return end;
      }
      if (isFull(limits)) {
        return ledger.latest(from, limits.maxRows, limits.maxBytes, Ledger.NO_TARGET);
      }
    } while (!isOver() && pause.getAsBoolean());
    return from;
  }

  /** All of it, or as much of it as executors hold, for one batch. */
  PubSubOffset all(PubSubOffset from) {
    PubSubOffset end = from;
    quiet.resume(clockMs.getAsLong());
    do {
      ledger.failOnError();
      PubSubOffset more = ledger.latest(from, Limits.NONE, Limits.NONE, targetUs);
      if (!more.equals(end)) {
        quiet.heard();
        end = more;
      }
    } while (!isOver() && pause.getAsBoolean());
    return end;
  }

  private boolean isOver() {
    QuietTime.State state =
        quiet.look(
            clockMs.getAsLong(), ledger.openSlots(), ledger.slotCount(), ledger.haveAllGrown());
    unreachable = state == QuietTime.State.UNREACHABLE;
    return unreachable || state == QuietTime.State.OVER;
  }

  private boolean isFull(Limits limits) {
    long[] later = ledger.mostBeyond(targetUs);
    return later[1] >= Math.max(1, Math.min(limits.maxBytes, slotBytes / 2))
        || later[0] >= Math.max(1, limits.maxRows / ledger.slotCount());
  }
}
