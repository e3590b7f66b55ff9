package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.Pause;
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
  /** Of the service, the gaps in a delivery; an emulator delivers at once. */
  private static final long QUIET_MS = 5000;

  private static final long EMULATOR_QUIET_MS = 1000;
  private static final long LOOK_EVERY_MS = 20;

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

  /** With what the options say of a quiet time. */
  static Backlog of(PubSubOptions options, Ledger ledger, long targetUs, LongSupplier clockMs) {
    long quietMs = options.plaintext() ? EMULATOR_QUIET_MS : QUIET_MS;
    if (options.has(Option.AVAILABLE_NOW_QUIET)) {
      quietMs = options.millis(Option.AVAILABLE_NOW_QUIET);
    }
    QuietTime quiet = new QuietTime(quietMs, options.millis(Option.AVAILABLE_NOW_TIMEOUT));
    long budgetBytes = options.number(Option.MAX_RESERVOIR_BYTES, 0);
    long slotBytes = budgetBytes * Math.max(1, ledger.agentCount()) / ledger.slotCount();
    return new Backlog(ledger, targetUs, slotBytes, quiet, clockMs, () -> Pause.ms(LOOK_EVERY_MS));
  }

  long targetUs() {
    return targetUs;
  }

  /** No slot has opened in time: the end says nothing. */
  void failIfUnreachable(PubSubOptions options) {
    if (!unreachable) {
      return;
    }
    boolean one = options.subscriptions().size() == 1;
    throw new IllegalStateException(
        "cannot read what there is of '"
            + (one ? options.subscription() : ledger.unopened())
            + "': none of "
            + (one ? ledger.slotCount() + " streams" : "its streams")
            + " has opened for "
            + options.text(Option.AVAILABLE_NOW_TIMEOUT)
            + " (availableNowTimeout); "
            + ledger.trouble());
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

  /**
   * The same for a read that ends: no more than maxRows, of which `enough` will do, gathered within
   * the time.
   */
  PubSubOffset bounded(long maxRows, long enough, long maxMs) {
    PubSubOffset from = PubSubOffset.NOTHING;
    PubSubOffset all = from;
    long began = clockMs.getAsLong();
    quiet.resume(began);
    boolean over;
    do {
      ledger.failOnError();
      PubSubOffset more = ledger.latest(from, Limits.NONE, Limits.NONE, targetUs);
      if (!more.equals(all)) {
        quiet.heard();
        all = more;
      }
      over =
          ledger.size(from, all)[0] >= Math.min(maxRows, enough)
              || clockMs.getAsLong() - began >= maxMs
              || isOver();
    } while (!over && pause.getAsBoolean());
    return ledger.latest(from, maxRows, Limits.NONE, targetUs);
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
