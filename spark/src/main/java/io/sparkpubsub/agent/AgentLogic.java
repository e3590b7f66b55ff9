package io.sparkpubsub.agent;

import io.sparkpubsub.ledger.LedgerMessages.Answer;
import io.sparkpubsub.ledger.LedgerMessages.Report;
import io.sparkpubsub.ledger.LedgerMessages.Verdict;
import io.sparkpubsub.ledger.Order;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.SlotReport;
import java.util.HashSet;
import java.util.Set;

/**
 * What an agent says and does, from its registration to its end. Pure: time is an argument
 * (monotonic ms), the reader is an interface, and messages are carried by others, who may lose,
 * repeat and delay them. Thread-safe.
 *
 * <pre>
 *            the ledger: OVER; or its process goes; or the run's endpoint is gone
 *   WORKING ─────────────────────────────────────────────────────────────────────▶ OVER
 *      │ ───── no answer for LEASE_MS ───────────────────────────────────────────▶ OVER     (if it returns, the driver starts another)
 *      └────── the ledger: REGISTER_AGAIN ───────────────────────────────────────▶ AGAIN    (another begins in its place)
 * </pre>
 *
 * Whatever the end is, the reader is then closed: what it was told to settle is settled, the rest
 * given back.
 */
final class AgentLogic {
  /**
   * Shorter than Membership.GONE_MS: what this agent has is given back before it gets another home.
   */
  static final long LEASE_MS = 25_000;

  /** How it stands. */
  enum State {
    WORKING,
    AGAIN,
    OVER
  }

  private final String run;
  private final String executor;
  private final long incarnation;
  private final SlotReader reader;
  private final SizeBook sizes;
  private final Set<Long> closed = new HashSet<>(); // epochs that are not opened again
  private State state = State.WORKING;
  private long heardMs; // when the last message was sent that has an answer
  private long sentMs;
  private long number;
  private int paceMs = 5;

  AgentLogic(String run, String executor, long incarnation, SlotReader reader, long nowMs) {
    this.run = run;
    this.executor = executor;
    this.incarnation = incarnation;
    this.reader = reader;
    this.sizes = new SizeBook(reader);
    this.heardMs = nowMs;
  }

  synchronized State state() {
    return state;
  }

  /** The pause between two reports. */
  synchronized int paceMs() {
    return paceMs;
  }

  /**
   * The next report; null: it is over, there is none. Its answer goes to {@link #answered}, before
   * the next one is made.
   */
  synchronized Report report(long nowMs) {
    if (nowMs - heardMs >= LEASE_MS) {
      state = State.OVER;
    }
    if (state != State.WORKING) {
      return null;
    }
    sentMs = nowMs;
    long[] epochs = reader.report();
    String problem = error(epochs, NativeReader.STATE_FAILED);
    Report report =
        new Report(
            run,
            executor,
            incarnation,
            ++number,
            epochs,
            sizes.untold(epochs),
            reader.metrics(),
            problem,
            false);
    report.trouble = error(epochs, NativeReader.STATE_WAITING);
    return report;
  }

  /** The answer to the report with this number; late ones are ignored. */
  synchronized void answered(long answeredNumber, Answer answer) {
    if (answeredNumber != number || state != State.WORKING) {
      return;
    }
    heardMs = sentMs;
    paceMs = Math.max(1, answer.paceMs);
    sizes.told();
    if (answer.slots > 0) {
      reader.slotsOfQuery(answer.slots);
    }
    obey(answer.orders);
    if (answer.verdict != Verdict.WORK) {
      state = answer.verdict == Verdict.OVER ? State.OVER : State.AGAIN;
    }
  }

  /** There is nobody any more who could answer. */
  synchronized void abandoned() {
    state = state == State.WORKING ? State.OVER : state;
  }

  /** Orders, of an answer or told ahead. */
  synchronized void obey(long[] orders) {
    for (int i = 0; i < Order.count(orders) && state == State.WORKING; i++) {
      Order order = Order.at(orders, i);
      if (order != null) {
        obey(order);
      }
    }
  }

  private void obey(Order order) {
    switch (order.kind) {
      case OPEN:
        if (!closed.contains(order.epoch)) {
          reader.openSlot(order.slot, order.epoch, (int) order.value);
        }
        break;
      case CLOSE:
        closed.add(order.epoch);
        reader.closeSlot(order.slot, order.epoch, true);
        break;
      case DRAIN:
        closed.add(order.epoch);
        reader.closeSlot(order.slot, order.epoch, false);
        break;
      default:
        reader.settle(order.slot, order.epoch, order.value);
    }
  }

  /** The last one, when the reader is closed. */
  synchronized Report lastReport(long[] lastMetrics, String problem) {
    state = state == State.WORKING ? State.OVER : state;
    return new Report(
        run, executor, incarnation, ++number, new long[0], new long[0], lastMetrics, problem, true);
  }

  /** That of the first slot in that state which has one. */
  private String error(long[] epochs, int state) {
    for (int i = 0; i < SlotReport.count(epochs); i++) {
      SlotReport epoch = SlotReport.at(epochs, i);
      if (epoch.state == state) {
        String error = reader.slotError(epoch.slot, epoch.epoch);
        if (error != null) {
          return error.substring(error.indexOf('\n', error.indexOf('\n') + 1) + 1);
        }
      }
    }
    return null;
  }
}
