package io.sparkpubsub.ledger;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.spark.rpc.RpcCallContext;
import org.apache.spark.rpc.RpcEndpointRef;

/**
 * The ledger's door in the driver: agents report to it, tasks away from home fetch chunks through it.
 *
 * <pre>
 * register  executor, host, agent's ref                      -> slots
 * report    executor, reports, sizes, metrics, problem, last   -> { stop, orders }
 * leave     executor                                         -> orders; the last report follows
 * orders    orders; to an agent, ahead of the answer to its next report
 * range     slot, epoch, from, to, late                      -> from, to: what a task reads; null: its home is gone, nothing
 * fetch     slot, epoch, seq                                 -> packed chunk; null: its home is gone, the range is noted as lost
 * </pre>
 */
public final class LedgerEndpoint {
  private static final String PREFIX = "pubsub-ledger-";
  private static final long FETCH_TIMEOUT_MS = 20000;
  private static final long FETCH_PAUSE_MS = 200;
  private final Ledger ledger;
  private final int slots;
  private final String name;
  private RpcEndpointRef ref;
  private final ConcurrentHashMap<String, RpcEndpointRef> agents = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Boolean> closed = new ConcurrentHashMap<>();
  private final ExecutorService fetchers =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "pubsub-fetch");
            thread.setDaemon(true);
            return thread;
          });
  private volatile boolean stopping;

  public LedgerEndpoint(String run, Ledger ledger, int slots) {
    this.ledger = ledger;
    this.slots = slots;
    this.name = name(run);
  }

  public void start() {
    ref = Rpc.serve(name, this::handle);
  }

  public static String name(String run) {
    return PREFIX + run;
  }

  /** Spark has committed everything below this offset: agents are told at once, and again by the answers to their reports. */
  public void committed(PubSubOffset offset) {
    if (!ledger.committed(offset)) {
      return;
    }
    agents.forEach(
        (executor, agent) -> {
          long[] orders = ledger.settleOrders(executor);
          if (orders.length > 0) {
            Rpc.tell(agent, "orders", orders);
          }
        });
  }

  /** An executor is decommissioned. What it is to acknowledge it is told now; to give back the rest, by its next report. */
  public void leave(String executor) {
    long[] orders = ledger.leave(executor);
    if (orders.length > 0) {
      Rpc.tell(agents.get(executor), "orders", orders);
    }
  }

  private void handle(Object[] message, RpcCallContext context) {
    switch ((String) message[0]) {
      case "register":
        agents.put((String) message[1], (RpcEndpointRef) message[3]);
        closed.remove((String) message[1]);
        ledger.register((String) message[1], (String) message[2]);
        context.reply(slots);
        break;
      case "report":
        String executor = (String) message[1];
        long[] orders =
            ledger.report(
                executor, (long[]) message[2], (long[]) message[3], (long[]) message[4], (String) message[5]);
        if ((Boolean) message[6]) {
          ledger.left(executor, (long[]) message[4]);
          closed.put(executor, true);
        }
        context.reply(new Object[] {stopping, orders});
        break;
      case "leave":
        context.reply(ledger.leave((String) message[1]));
        break;
      case "range":
        range(context, (Integer) message[1], (Long) message[2], (Long) message[3], (Long) message[4], (Boolean) message[5]);
        break;
      case "fetch":
        fetchers.execute(
            () -> fetchFromHome(context, (Integer) message[1], (Long) message[2], (Long) message[3]));
        break;
      default:
        context.sendFailure(new IllegalArgumentException("unknown message " + message[0]));
    }
  }

  private void range(RpcCallContext context, int slot, long epoch, long from, long to, boolean late) {
    if (ledger.isAcknowledged(slot, epoch, from)) {
      context.sendFailure(
          new IllegalStateException(
              "the batch of this frame has committed, and its messages are acknowledged: they cannot be read any more. A frame of"
                  + " foreachBatch is read within its function: cache() or write there what is wanted later"));
    } else {
      context.reply(ledger.range(slot, epoch, from, to, late));
    }
  }

  /** Asks the home as long as it lives, or seems to: a killed executor is noticed a moment later than its silence. */
  private void fetchFromHome(RpcCallContext context, int slot, long epoch, long seq) {
    long deadline = System.nanoTime() + FETCH_TIMEOUT_MS * 1000000;
    Throwable last = null;
    while (System.nanoTime() < deadline) {
      String home = ledger.home(slot, epoch);
      RpcEndpointRef agent = home == null ? null : agents.get(home);
      if (agent == null) {
        ledger.lostRange(slot, epoch, seq);
        context.reply(null);
        return;
      }
      try {
        Object packed = Rpc.ask(agent, "chunk", slot, epoch, seq);
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
    context.sendFailure(
        new RuntimeException("cannot fetch chunk " + seq + " of slot " + slot + " epoch " + epoch + ": " + last));
  }

  /** Tells agents to finish; waits until all have, at most timeoutMs. */
  public void stop(long timeoutMs) {
    ledger.stopAssigning();
    stopping = true;
    long deadline = System.nanoTime() + timeoutMs * 1000000;
    while (System.nanoTime() < deadline && !allClosed() && Pause.ms(10)) {}
    fetchers.shutdown();
    Rpc.stop(ref);
  }

  private boolean allClosed() {
    for (String executor : agents.keySet()) {
      if (!closed.containsKey(executor) && ledger.knows(executor)) {
        return false;
      }
    }
    return true;
  }
}
