package io.sparkpubsub.ledger;

import java.util.Arrays;
import org.apache.spark.rpc.RpcEndpointRef;

/**
 * What crosses between driver and executors, one class a message: {@code encode} makes the array of
 * JDK types that travels (the other side may not see our classes), {@code decode} reads it. The
 * first element says which message it is, the second, towards the driver, which run it is for. What
 * travels often is made of strings and arrays alone: Java writes and reads a description of every
 * other class with each message, which costs more than what is in it.
 *
 * <pre>
 * Register     agent  → ledger   → a Verdict: whether it may work
 * Report       agent  → ledger   → Answer
 * Leave        agent  → ledger   → orders, to be obeyed before it gives back the rest; its last Report follows
 * StartFailed  a task → ledger   → null
 * Range        a task → ledger   → from, to: what it reads; null: its home is gone, nothing
 * ReadToEnd    a task → ledger   → null
 * Fetch        a task → ledger   → a packed chunk; empty: the chunk has its outcome already; null: its home is gone, the range is lost
 * Orders       ledger → agent, told: ahead of the answer to its next Report
 * Chunk        ledger → agent    → a packed chunk; null: it is not held
 * </pre>
 */
public final class LedgerMessages {
  /** What the ledger thinks of who writes to it. */
  public enum Verdict {
    /** Go on. */
    WORK,
    /**
     * The ledger does not know this agent, or no longer: it gives everything back, and may register
     * anew.
     */
    REGISTER_AGAIN,
    /** The run has ended, or never was: give everything back and end. */
    OVER
  }

  private LedgerMessages() {}

  /** Its first element. */
  public static String kind(Object[] message) {
    return (String) message[0];
  }

  static String run(Object[] message) {
    return (String) message[1];
  }

  /** Of an agent that can work: its reader is open and has a token. */
  public static final class Register {
    static final String KIND = "register";
    public final String run;
    public final String executor;
    public final String host;

    /** Grows with each agent of an executor. */
    public final long incarnation;

    public final RpcEndpointRef agent;

    public Register(
        String run, String executor, String host, long incarnation, RpcEndpointRef agent) {
      this.run = run;
      this.executor = executor;
      this.host = host;
      this.incarnation = incarnation;
      this.agent = agent;
    }

    public Object[] encode() {
      return new Object[] {KIND, run, executor, host, incarnation, agent};
    }

    static Register decode(Object[] m) {
      return new Register(
          (String) m[1], (String) m[2], (String) m[3], (Long) m[4], (RpcEndpointRef) m[5]);
    }

    public static Verdict verdict(Object answer) {
      return Verdict.valueOf((String) answer);
    }
  }

  /** What an agent has, all of it. Numbered: of two the later counts, whichever comes first. */
  public static final class Report {
    static final String KIND = "report";
    private static final int HEAD = 5; // incarnation, number, last, lengths of epochs and of sizes
    public final String run;
    public final String executor;
    public final long incarnation;
    public final long number;

    /** SlotReport.LONGS an epoch. */
    public final long[] epochs;

    /** SealedSize.LONGS a chunk that the ledger may not know of. */
    public final long[] sizes;

    /** ReaderMetric.LONGS. */
    public final long[] metrics;

    /** Why the query must fail; null: nothing. */
    public final String problem;

    /** The agent has ended: it holds nothing any more. */
    public final boolean last;

    /** Why slots do not open; it may pass. Null: nothing. */
    public String trouble;

    public Report(
        String run,
        String executor,
        long incarnation,
        long number,
        long[] epochs,
        long[] sizes,
        long[] metrics,
        String problem,
        boolean last) {
      this.run = run;
      this.executor = executor;
      this.incarnation = incarnation;
      this.number = number;
      this.epochs = epochs;
      this.sizes = sizes;
      this.metrics = metrics;
      this.problem = problem;
      this.last = last;
    }

    public Object[] encode() {
      long[] numbers = new long[HEAD + epochs.length + sizes.length + metrics.length];
      numbers[0] = incarnation;
      numbers[1] = number;
      numbers[2] = last ? 1 : 0;
      numbers[3] = epochs.length;
      numbers[4] = sizes.length;
      System.arraycopy(epochs, 0, numbers, HEAD, epochs.length);
      System.arraycopy(sizes, 0, numbers, HEAD + epochs.length, sizes.length);
      int at = HEAD + epochs.length + sizes.length;
      System.arraycopy(metrics, 0, numbers, at, metrics.length);
      return new Object[] {KIND, run, executor, numbers, problem, trouble};
    }

    static Report decode(Object[] m) {
      long[] numbers = (long[]) m[3];
      int sizesAt = HEAD + (int) numbers[3];
      int metricsAt = sizesAt + (int) numbers[4];
      Report report =
          new Report(
              (String) m[1],
              (String) m[2],
              numbers[0],
              numbers[1],
              Arrays.copyOfRange(numbers, HEAD, sizesAt),
              Arrays.copyOfRange(numbers, sizesAt, metricsAt),
              Arrays.copyOfRange(numbers, metricsAt, numbers.length),
              (String) m[4],
              numbers[2] == 1);
      report.trouble = (String) m[5];
      return report;
    }
  }

  /** To a report. */
  public static final class Answer {
    static final Answer OVER = new Answer(Verdict.OVER, Order.NONE, 0, 0);
    private static final int HEAD = 3; // verdict, pace, slots
    public final Verdict verdict;
    public final long[] orders;

    /** The pause before the next report. */
    public final int paceMs;

    /** How many the query has; 0: that says nothing. */
    public final int slots;

    public Answer(Verdict verdict, long[] orders, int paceMs, int slots) {
      this.verdict = verdict;
      this.orders = orders;
      this.paceMs = paceMs;
      this.slots = slots;
    }

    long[] encode() {
      long[] out = new long[HEAD + orders.length];
      out[0] = verdict.ordinal();
      out[1] = paceMs;
      out[2] = slots;
      System.arraycopy(orders, 0, out, HEAD, orders.length);
      return out;
    }

    public static Answer decode(Object answer) {
      long[] in = (long[]) answer;
      long[] orders = Arrays.copyOfRange(in, HEAD, in.length);
      return new Answer(Verdict.values()[(int) in[0]], orders, (int) in[1], (int) in[2]);
    }
  }

  /** The agent's process is told to go. */
  public static final class Leave {
    static final String KIND = "leave";
    public final String run;
    public final String executor;
    public final long incarnation;

    public Leave(String run, String executor, long incarnation) {
      this.run = run;
      this.executor = executor;
      this.incarnation = incarnation;
    }

    public Object[] encode() {
      return new Object[] {KIND, run, executor, incarnation};
    }

    static Leave decode(Object[] m) {
      return new Leave((String) m[1], (String) m[2], (Long) m[3]);
    }

    public static long[] orders(Object answer) {
      return (long[]) answer;
    }
  }

  /** No agent could be started on an executor; what was begun is undone. */
  public static final class StartFailed {
    static final String KIND = "startFailed";
    public final String run;
    public final String executor;
    public final String reason;

    public StartFailed(String run, String executor, String reason) {
      this.run = run;
      this.executor = executor;
      this.reason = reason;
    }

    public Object[] encode() {
      return new Object[] {KIND, run, executor, reason};
    }

    static StartFailed decode(Object[] m) {
      return new StartFailed((String) m[1], (String) m[2], (String) m[3]);
    }
  }

  /** As {@link Ledger#range}. */
  public static final class Range {
    static final String KIND = "range";
    public final String run;
    public final int slot;
    public final long epoch;
    public final long from;
    public final long to;
    public final boolean late;

    public Range(String run, int slot, long epoch, long from, long to, boolean late) {
      this.run = run;
      this.slot = slot;
      this.epoch = epoch;
      this.from = from;
      this.to = to;
      this.late = late;
    }

    public Object[] encode() {
      return new Object[] {KIND, run, slot, epoch, from, to, late};
    }

    static Range decode(Object[] m) {
      return new Range(
          (String) m[1], (Integer) m[2], (Long) m[3], (Long) m[4], (Long) m[5], (Boolean) m[6]);
    }
  }

  /** An attempt of a task has read all of a slot's part of a bounded read. */
  public static final class ReadToEnd {
    static final String KIND = "readToEnd";
    public final String run;
    public final int slot;

    public ReadToEnd(String run, int slot) {
      this.run = run;
      this.slot = slot;
    }

    public Object[] encode() {
      return new Object[] {KIND, run, slot};
    }

    static ReadToEnd decode(Object[] m) {
      return new ReadToEnd((String) m[1], (Integer) m[2]);
    }
  }

  /** A chunk that another executor holds. */
  public static final class Fetch {
    static final String KIND = "fetch";
    public final String run;
    public final int slot;
    public final long epoch;
    public final long seq;

    public Fetch(String run, int slot, long epoch, long seq) {
      this.run = run;
      this.slot = slot;
      this.epoch = epoch;
      this.seq = seq;
    }

    public Object[] encode() {
      return new Object[] {KIND, run, slot, epoch, seq};
    }

    static Fetch decode(Object[] m) {
      return new Fetch((String) m[1], (Integer) m[2], (Long) m[3], (Long) m[4]);
    }
  }

  /** Told to an agent. */
  public static final class Orders {
    public static final String KIND = "orders";
    public final long[] orders;

    Orders(long[] orders) {
      this.orders = orders;
    }

    Object[] encode() {
      return new Object[] {KIND, orders};
    }

    public static Orders decode(Object[] m) {
      return new Orders((long[]) m[1]);
    }
  }

  /** Asked of the agent that holds it. */
  public static final class Chunk {
    public static final String KIND = "chunk";
    public final int slot;
    public final long epoch;
    public final long seq;

    Chunk(int slot, long epoch, long seq) {
      this.slot = slot;
      this.epoch = epoch;
      this.seq = seq;
    }

    Object[] encode() {
      return new Object[] {KIND, slot, epoch, seq};
    }

    public static Chunk decode(Object[] m) {
      return new Chunk((Integer) m[1], (Long) m[2], (Long) m[3]);
    }
  }
}
