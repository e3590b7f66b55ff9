package io.sparkpubsub.ledger;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.spark.rpc.RpcCallContext;
import org.apache.spark.rpc.RpcEndpointRef;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run's room behind the driver's door: agents report to its ledger, tasks away from home fetch
 * chunks through it. {@link LedgerMessages} says what is asked and answered.
 */
public final class LedgerEndpoint {
  private static final long FETCH_TIMEOUT_MS = 20000;
  private static final long FETCH_PAUSE_MS = 200;
  private static final byte[] SETTLED = {};
  private static final int MANY_TROUBLES = 50; // reasons that are said in the log of a run
  private static final Logger LOG = LoggerFactory.getLogger(LedgerEndpoint.class);

  private final Ledger ledger;
  private final String run;
  private final Set<String> troubles = ConcurrentHashMap.newKeySet(); // that the log has said
  private LedgerDoor door;
  private volatile boolean over; // a bounded read has its outcome
  private final ConcurrentHashMap<String, RpcEndpointRef> agents = new ConcurrentHashMap<>();
  private final Set<Integer> readToEnd = ConcurrentHashMap.newKeySet(); // slots, of a bounded read
  private final ExecutorService fetchers =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "pubsub-fetch");
            thread.setDaemon(true);
            return thread;
          });

  public LedgerEndpoint(String run, Ledger ledger) {
    this.run = run;
    this.ledger = ledger;
  }

  public void start() {
    door = LedgerDoor.get();
    door.open(run, this::handle);
  }

  /** Of the endpoint in the driver, for {@link Rpc#driver}. */
  public String name() {
    return door.name();
  }

  /** Whether some attempt of a task has read all that a bounded read has of this slot. */
  public boolean isReadToEnd(int slot) {
    return readToEnd.contains(slot);
  }

  /** A bounded read has its outcome: tasks that still read, or begin to, are refused. */
  public void over() {
    over = true;
  }

  static long nowMs() {
    return System.nanoTime() / 1_000_000;
  }

  /**
   * Spark has committed everything below this offset: agents are told at once, and again by the
   * answers to their reports.
   */
  public void committed(PubSubOffset offset) {
    if (!ledger.committed(offset)) {
      return;
    }
    agents.forEach((executor, agent) -> tell(agent, ledger.settleOrders(executor)));
  }

  private static void tell(RpcEndpointRef agent, long[] orders) {
    if (agent != null && orders.length > 0) {
      Rpc.tell(agent, new LedgerMessages.Orders(orders).encode());
    }
  }

  /**
   * An executor is decommissioned. What it is to acknowledge it is told now; that again and to give
   * back the rest, by its next report.
   */
  public void leave(String executor) {
    tell(agents.get(executor), ledger.leave(nowMs(), executor));
  }

  private void handle(Object[] message, RpcCallContext context) {
    switch (LedgerMessages.kind(message)) {
      case LedgerMessages.Register.KIND:
        LedgerMessages.Register register = LedgerMessages.Register.decode(message);
        context.reply(register(register).name());
        break;
      case LedgerMessages.Report.KIND:
        context.reply(report(LedgerMessages.Report.decode(message)).encode());
        break;
      case LedgerMessages.Leave.KIND:
        context.reply(ledger.leave(nowMs(), LedgerMessages.Leave.decode(message).executor));
        break;
      case LedgerMessages.StartFailed.KIND:
        LedgerMessages.StartFailed failed = LedgerMessages.StartFailed.decode(message);
        ledger.startEnded(nowMs(), failed.executor, failed.reason);
        context.reply(null);
        break;
      case LedgerMessages.Range.KIND:
        range(context, LedgerMessages.Range.decode(message));
        break;
      case LedgerMessages.ReadToEnd.KIND:
        readToEnd.add(LedgerMessages.ReadToEnd.decode(message).slot);
        context.reply(null);
        break;
      case LedgerMessages.Fetch.KIND:
        fetchers.execute(() -> fetchFromHome(context, LedgerMessages.Fetch.decode(message)));
        break;
      default:
        context.sendFailure(new IllegalArgumentException("unknown message " + message[0]));
    }
  }

  private LedgerMessages.Answer report(LedgerMessages.Report report) {
    String trouble = report.trouble;
    if (trouble != null && troubles.size() < MANY_TROUBLES && troubles.add(trouble)) {
      LOG.warn(
          "a stream to the service has ended, or does not open, on executor {}; it is opened again"
              + " (said once): {}",
          report.executor,
          trouble);
    }
    return ledger.report(nowMs(), report);
  }

  private LedgerMessages.Verdict register(LedgerMessages.Register register) {
    LedgerMessages.Verdict verdict =
        ledger.register(nowMs(), register.executor, register.incarnation);
    if (verdict == LedgerMessages.Verdict.WORK) {
      agents.put(register.executor, register.agent);
    }
    return verdict;
  }

  private void range(RpcCallContext context, LedgerMessages.Range range) {
    boolean acknowledged = ledger.isAcknowledged(range.slot, range.epoch, range.from);
    long[] seqs =
        acknowledged
            ? null
            : ledger.range(range.slot, range.epoch, range.from, range.to, range.late);
    if (over) {
      context.sendFailure(LedgerDoor.ended(run));
    } else if (acknowledged) {
      context.sendFailure(
          new IllegalStateException(
              "the batch of this frame has committed, and its messages are acknowledged: they"
                  + " cannot be read any more. A frame of foreachBatch is read within its function:"
                  + " cache() or write there what is wanted later"));
    } else {
      context.reply(seqs);
    }
  }

  /**
   * Asks the home as long as it lives, or seems to: a killed executor is noticed a moment later
   * than its silence.
   */
  private void fetchFromHome(RpcCallContext context, LedgerMessages.Fetch fetch) {
    long deadline = System.nanoTime() + FETCH_TIMEOUT_MS * 1000000;
    Throwable last = null;
    while (!over && System.nanoTime() < deadline) {
      String home = ledger.home(fetch.slot, fetch.epoch);
      RpcEndpointRef agent = home == null ? null : agents.get(home);
      if (over) {
        break;
      }
      if (agent == null) {
        ledger.lostRange(fetch.slot, fetch.epoch, fetch.seq);
        context.reply(null);
        return;
      }
      if (ledger.isSettled(fetch.slot, fetch.epoch, fetch.seq)) {
        context.reply(SETTLED); // its lease has ended: the service delivers it again
        return;
      }
      try {
        Object packed =
            Rpc.ask(agent, new LedgerMessages.Chunk(fetch.slot, fetch.epoch, fetch.seq).encode());
        if (packed != null) {
          context.reply(packed);
          return;
        }
        last = new IllegalStateException("executor " + home + " no longer holds the chunk");
      } catch (Throwable e) { // Scala throws checked exceptions undeclared
        last = e;
      }
      if (!Pause.ms(FETCH_PAUSE_MS)) {
        break;
      }
    }
    if (over) {
      context.sendFailure(LedgerDoor.ended(run));
      return;
    }
    context.sendFailure(
        new RuntimeException(
            "cannot fetch chunk "
                + fetch.seq
                + " of slot "
                + fetch.slot
                + " epoch "
                + fetch.epoch
                + ": "
                + last));
  }

  /**
   * Tells agents that it is over; waits until all have ended, at most timeoutMs. Who reports later
   * is turned away at the door.
   */
  public void stop(long timeoutMs) {
    ledger.stop();
    long deadline = System.nanoTime() + timeoutMs * 1000000;
    while (System.nanoTime() < deadline
        && agents.keySet().stream().anyMatch(ledger::hasAgent)
        && Pause.ms(10)) {}
    door.close(run);
    fetchers.shutdown();
  }
}
