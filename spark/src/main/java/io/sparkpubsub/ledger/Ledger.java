package io.sparkpubsub.ledger;

import io.sparkpubsub.ledger.LedgerMessages.Answer;
import io.sparkpubsub.ledger.LedgerMessages.Report;
import io.sparkpubsub.ledger.LedgerMessages.Verdict;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * The driver's view of one query: slot -> home, epoch, sealed, settled. Pure: no Spark, no I/O, and
 * no clock of its own (nowMs: a monotonic time). Agents report what they have, the answer is what
 * they are to do; both may be lost, be repeated or come late without harm. Thread-safe.
 *
 * <p>A position is settled only when Spark has committed it, in the epoch it was read from, and not
 * beyond a range that was reported lost. Who may have slots, {@link Membership} knows; which
 * executor has which, {@link SlotHomes}.
 */
public final class Ledger {
  /** Reports of all agents together come about so often, however many there are. */
  private static final int REPORTS_PER_SECOND = 2000;

  private static final int MIN_PACE_MS = 5;

  /** A target that everything is part of. */
  public static final long NO_TARGET = Long.MAX_VALUE;

  private final List<String> subscriptions;
  private final boolean[] grown; // whether anything of a subscription was ever sealed
  private final SlotHomes homes;
  private final Membership membership = new Membership();
  private final Planner planner;
  private final SlotMetrics slotMetrics;
  private final AgentMetrics agentMetrics = new AgentMetrics();
  private final Partings partings = new Partings();
  private final Orders orders;
  private boolean assigning;
  private boolean stopping;
  private boolean draining;
  private long growths; // how often something new was sealed
  private long sealedBytes;
  private String error;
  private String trouble; // the last that an agent has told

  /** No epoch from firstEpoch on may be one of an earlier run of the same query. */
  public Ledger(int slotCount, long firstEpoch, int jitterMs) {
    this(slotCount, firstEpoch, jitterMs, Collections.singletonList(""));
  }

  /**
   * @param subscriptions their names; slot i reads number i modulo how many there are
   */
  public Ledger(int slotCount, long firstEpoch, int jitterMs, List<String> subscriptions) {
    this.homes = new SlotHomes(slotCount, firstEpoch, subscriptions.size());
    this.orders = new Orders(homes, partings, jitterMs, this::assign);
    this.subscriptions = new ArrayList<>(subscriptions);
    this.grown = new boolean[subscriptions.size()];
    this.planner = new Planner(homes);
    this.slotMetrics = new SlotMetrics(homes, this.subscriptions);
  }

  /**
   * A first epoch that no other run has had: clocks that were set back and restarts within a moment
   * do no harm.
   */
  public static long freshEpoch(long wallClockMs) {
    long perSecond = 100_000_000;
    return wallClockMs / 1000 * perSecond + new Random().nextInt((int) (perSecond / 2));
  }

  // ---- executors and agents ----

  /**
   * The executors that Spark has, id -> host. What others had is redelivered by the service; their
   * slots get new homes.
   */
  public synchronized void executors(long nowMs, Map<String, String> present) {
    for (Membership.Member gone : membership.executors(nowMs, present)) {
      if (gone.incarnation() > 0 && !gone.counted) {
        agentMetrics.gone(gone.executor, gone.state == Membership.State.LEAVING);
      }
      partings.forget(gone.executor);
      freeAll(gone.executor);
    }
    assign();
  }

  /**
   * Executors on which an agent is to be started now, id -> host. Each start ends with {@link
   * #startEnded}.
   */
  public synchronized Map<String, String> start(long nowMs) {
    return stopping ? new HashMap<>() : membership.start(nowMs);
  }

  /** A start is over. Reason: why there is no agent; null: there is one, or nobody knows. */
  public synchronized void startEnded(long nowMs, String executor, String reason) {
    membership.startEnded(nowMs, executor, reason);
  }

  /**
   * Lets time pass: agents that are silent for too long are gone, and what can never work fails the
   * query.
   */
  public synchronized void tick(long nowMs) {
    for (Membership.Member gone : membership.tick(nowMs)) {
      agentMetrics.gone(gone.executor, false);
      gone.counted = true;
      freeAll(gone.executor);
    }
    String problem = membership.problem(nowMs);
    if (error == null && problem != null) {
      error = problem;
    }
    if (!assigning && !stopping && membership.isGathered(nowMs)) {
      assigning = true;
      spread();
    }
    assign();
  }

  /**
   * An agent that is ready to work. The same one may register twice, a newer one takes its
   * executor's place.
   */
  public synchronized Verdict register(long nowMs, String executor, long incarnation) {
    if (stopping) {
      return Verdict.OVER;
    }
    boolean again = membership.knows(executor, incarnation);
    if (!membership.register(nowMs, executor, incarnation)) {
      return Verdict.OVER;
    }
    if (!again) {
      agentMetrics.registered(executor);
      freeAll(executor); // an agent before it has nothing any more
      spread();
      assign();
    }
    return Verdict.WORK;
  }

  /**
   * An executor is about to go. Returns what it is to acknowledge first; it gives back the rest,
   * and its slots get new homes and epochs.
   */
  public synchronized long[] leave(long nowMs, String executor) {
    List<Order> settles = orders.settles(executor);
    if (membership.leave(nowMs, executor)) {
      for (LedgerSlot slot : homes.of(executor)) {
        partings.add(executor, slot);
      }
      freeAll(executor);
      assign();
    }
    return Order.encode(settles);
  }

  /** Whether an executor has an agent that works and is not about to go. */
  public synchronized boolean works(String executor) {
    Membership.Member member = membership.get(executor);
    return member != null
        && (member.state == Membership.State.WORKING || member.state == Membership.State.SILENT);
  }

  /** Whether Spark has any executor that stays. */
  public synchronized boolean hasExecutors() {
    return membership.hasExecutors();
  }

  public synchronized int agentCount() {
    return membership.workingCount();
  }

  /** Whether an agent of this executor has something still, as far as is known. */
  public synchronized boolean hasAgent(String executor) {
    Membership.Member member = membership.get(executor);
    return member != null && member.hasAgent();
  }

  /** The query stops: nothing is opened any more, and agents are told that it is over. */
  public synchronized void stop() {
    stopping = true;
  }

  // ---- slots ----

  /** From now on there are so many. Those that are too many drain first. */
  public synchronized void resize(int count) {
    if (count != homes.wanted() && !draining) {
      homes.resize(count);
      spread();
      assign();
    }
  }

  /** Nothing more is received; what is held stays readable until it is settled, or the stop. */
  public synchronized void drain() {
    draining = true;
    homes.drain();
  }

  public synchronized int slotCount() {
    return homes.wanted();
  }

  /** The one that a slot reads. */
  public String subscription(int slot) {
    return subscriptions.get(slot % subscriptions.size());
  }

  private void freeAll(String executor) {
    homes.of(executor).forEach(homes::free);
  }

  private List<String> ids(boolean silentToo) {
    List<String> out = new ArrayList<>();
    for (Membership.Member member : membership.working()) {
      if (silentToo || member.state == Membership.State.WORKING) {
        out.add(member.executor);
      }
    }
    return out;
  }

  private void assign() {
    if (assigning && !stopping && !draining) {
      homes.assign(ids(false));
    }
  }

  private void spread() {
    if (assigning && !stopping && !draining) {
      homes.spread(ids(true));
    }
  }

  // ---- reports ----

  /** What an agent has. Of reports that cross, the one with the larger number counts. */
  public synchronized Answer report(long nowMs, Report report) {
    noteProblem(report);
    if (!membership.knows(report.executor, report.incarnation)) {
      return answer(stopping ? Verdict.OVER : Verdict.REGISTER_AGAIN, partings.ordersOf(report));
    }
    if (!membership.reported(nowMs, report.executor, report.number)) {
      return answer(Verdict.WORK, Order.NONE);
    }
    if (report.last) {
      end(nowMs, report);
      return Answer.OVER;
    }
    agentMetrics.report(report.executor, report.metrics);
    addSizes(report);
    return answer(stopping ? Verdict.OVER : Verdict.WORK, Order.encode(orders.of(report)));
  }

  private Answer answer(Verdict verdict, long[] orders) {
    return new Answer(verdict, orders, paceMs(), homes.wanted());
  }

  private void noteProblem(Report report) {
    trouble = report.trouble == null ? trouble : report.trouble;
    if (report.problem != null && error == null) {
      error = report.problem;
    }
  }

  private int paceMs() {
    return Math.max(MIN_PACE_MS, membership.workingCount() * 1000 / REPORTS_PER_SECOND);
  }

  /**
   * The last report: its agent holds nothing any more. If its executor stays, it may register
   * again.
   */
  private void end(long nowMs, Report report) {
    agentMetrics.left(report.executor, report.metrics);
    membership.ended(nowMs, report.executor);
    partings.forget(report.executor);
    freeAll(report.executor);
    assign();
  }

  private void addSizes(Report report) {
    for (int i = 0; i < SealedSize.count(report.sizes); i++) {
      SealedSize sealed = SealedSize.at(report.sizes, i);
      LedgerSlot slot = homes.at(sealed.slot, sealed.epoch);
      if (slot != null
          && report.executor.equals(slot.home)
          && slot.addSize(sealed.seq, sealed.size)) {
        growths++;
        grown[slot.index % grown.length] = true;
        sealedBytes += sealed.size.bytes;
      }
    }
  }

  // ---- offsets ----

  public PubSubOffset latest(PubSubOffset start, long maxRows, long maxBytes) {
    return latest(start, maxRows, maxBytes, NO_TARGET);
  }

  /** As {@link Planner#latest} says. */
  public synchronized PubSubOffset latest(
      PubSubOffset start, long maxRows, long maxBytes, long targetUs) {
    return planner.latest(start, maxRows, maxBytes, targetUs);
  }

  /** The end of all that was ever sealed in living epochs, as far as it is part of a target. */
  public synchronized PubSubOffset end(long targetUs) {
    return planner.end(targetUs);
  }

  /** The most rows, and bytes, that a slot holds behind what is part of a target. */
  public synchronized long[] mostBeyond(long targetUs) {
    return planner.mostBeyond(targetUs);
  }

  /** Rows and bytes between two offsets, as far as they are held. */
  public synchronized long[] size(PubSubOffset start, PubSubOffset end) {
    return planner.size(start, end);
  }

  /**
   * The seqs that a batch reads of a slot, from and to, where its offsets say from and to. Null:
   * the epoch has died; its messages come again from the service, and the range is never settled.
   * The answer is the same whenever it is asked for, but for chunks whose lease has ended.
   *
   * @param late whether what was sealed since the end was determined is part of the batch
   */
  public synchronized long[] range(int index, long epoch, long from, long to, boolean late) {
    LedgerSlot slot = homes.living(index, epoch);
    if (slot == null) {
      lostRange(index, epoch, from);
      return null;
    }
    long end = late ? slot.extend(to) : slot.end(to);
    return new long[] {Math.min(slot.readable(slot.end(from)), end), end};
  }

  /** Whether a chunk has its outcome already: nobody can read it any more. */
  public synchronized boolean isSettled(int index, long epoch, long seq) {
    LedgerSlot slot = homes.living(index, epoch);
    return slot != null && seq < slot.settled;
  }

  /**
   * Whether the range from this seq on has begun to be acknowledged: it cannot be read any more.
   */
  synchronized boolean isAcknowledged(int index, long epoch, long from) {
    LedgerSlot slot = homes.at(index, epoch);
    return slot != null && slot.home != null && slot.settleAsked > slot.end(from);
  }

  /**
   * Spark has committed everything below this offset. True: there is more to be acknowledged than
   * before.
   */
  public synchronized boolean committed(PubSubOffset offset) {
    boolean more = false;
    for (Map.Entry<Integer, PubSubOffset.Position> entry : offset.positions.entrySet()) {
      LedgerSlot slot = homes.living(entry.getKey(), entry.getValue().epoch);
      if (slot != null) { // else a dead epoch: redelivered, never settled
        more |= slot.commit(entry.getValue().seq);
      }
    }
    return more;
  }

  /** What an executor is to acknowledge, as in the answer to its report. */
  public synchronized long[] settleOrders(String executor) {
    return Order.encode(orders.settles(executor));
  }

  /** Whether there is nothing in it that could still be acknowledged. */
  synchronized boolean isCommitted(PubSubOffset offset) {
    for (Map.Entry<Integer, PubSubOffset.Position> entry : offset.positions.entrySet()) {
      LedgerSlot slot = homes.living(entry.getKey(), entry.getValue().epoch);
      if (slot != null && !slot.isCommitted(entry.getValue().seq)) {
        return false;
      }
    }
    return true;
  }

  /** The range from this seq on could not be read: it must come again from the service. */
  public synchronized void lostRange(int index, long epoch, long from) {
    LedgerSlot slot = homes.at(index, epoch);
    if (slot != null) {
      slot.lose(from);
    }
  }

  /** Executor id of the home of an epoch; null: it is gone. */
  public synchronized String home(int index, long epoch) {
    LedgerSlot slot = homes.at(index, epoch);
    return slot == null ? null : slot.home;
  }

  /** As Spark wants preferred locations: executor_HOST_ID; null: the epoch is gone. */
  public synchronized String location(int index, long epoch) {
    String home = home(index, epoch);
    return home == null ? null : "executor_" + membership.get(home).host + "_" + home;
  }

  // ---- what people ask ----

  /** Why the query must fail; null: nothing. */
  public synchronized String error() {
    return error;
  }

  /** Throws it, if there is one. */
  public void failOnError() {
    String why = error();
    if (why != null) {
      throw new IllegalStateException(why);
    }
  }

  /** Why slots do not open, as far as is known, for a sentence that says that they do not. */
  public synchronized String trouble() {
    if (membership.workingCount() == 0) {
      return "no executor has begun to read";
    }
    return trouble == null ? "the service has not answered" : trouble;
  }

  /** All that agents have ever sealed. */
  public synchronized long sealedBytes() {
    return sealedBytes;
  }

  public synchronized long growths() {
    return growths;
  }

  /** Whether every subscription has brought a message. */
  public synchronized boolean haveAllGrown() {
    for (boolean one : grown) {
      if (!one) {
        return false;
      }
    }
    return true;
  }

  /**
   * Slots that have an open stream, of those that there are to be; 0 where a subscription has none:
   * nothing can be said of all that there is.
   */
  public synchronized int openSlots() {
    return slotMetrics.openSlots();
  }

  /** A subscription of which no stream is open; null: there is none. */
  public synchronized String unopened() {
    return slotMetrics.unopened();
  }

  /** Everything that was asked settled is confirmed. */
  public synchronized boolean allSettled() {
    for (LedgerSlot slot : homes.all()) {
      if (slot.home != null && slot.isSettling()) {
        return false;
      }
    }
    return true;
  }

  public synchronized Map<String, String> metrics(long nowUs) {
    Map<String, String> out = agentMetrics.toMap();
    out.put("executors", Integer.toString(membership.workingCount()));
    slotMetrics.addTo(out, nowUs);
    if (trouble != null) {
      out.put("lastReopenReason", trouble);
    }
    return out;
  }

  /** What {@link #metrics} gives, in alphabetical order. */
  public static Set<String> metricNames() {
    return new TreeSet<>(new Ledger(1, 1, 0).metrics(0).keySet());
  }

  @Override
  public synchronized String toString() {
    return "agents: " + membership + "; " + homes.wanted() + " slots";
  }
}
