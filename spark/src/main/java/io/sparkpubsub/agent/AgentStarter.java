package io.sparkpubsub.agent;

import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.Pause;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries what Spark says of its executors to the ledger, and starts agents where the ledger wants
 * them: a daemon thread of the driver that looks when Spark's events say so, and twice a second.
 * Where there is no executor it asks Spark for one, and where Spark takes idle ones away it keeps
 * one busy now and then, as messages can come at any time.
 */
public final class AgentStarter implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(AgentStarter.class);
  private static final long LOOK_EVERY_MS = 500;
  private static final long LOOK_FIRST_EVERY_MS = 20;
  private static final long KEEP_EVERY_MS =
      15_000; // or a third of what Spark lets executors be idle

  private final AgentConfig config;
  private final Ledger ledger;
  private final Consumer<String> leave;
  private final Runnable ended;
  private final Cluster cluster;
  private final Sizing sizing;
  private final Object wake = new Object();
  private Thread thread;
  private volatile boolean stopped;
  private boolean changed; // under wake
  private long keptMs = Long.MIN_VALUE / 2;
  private Map<String, String> known = new HashMap<>();

  /**
   * @param leave is told, again and again, of executors that are decommissioned
   * @param parallelism what the ledger's first slots are for
   * @param slotsOf how many slots for another parallelism
   * @param ended is called when the application ends and nobody has stopped the query
   */
  public AgentStarter(
      AgentConfig config,
      Ledger ledger,
      Consumer<String> leave,
      SparkSession session,
      int parallelism,
      IntUnaryOperator slotsOf,
      Runnable ended) {
    this.config = config;
    this.ledger = ledger;
    this.leave = leave;
    this.ended = ended;
    this.cluster = new SparkCluster(session);
    this.sizing = new Sizing(parallelism, ledger.slotCount(), slotsOf);
  }

  public void start() {
    cluster.watch(this::wakeUp, this::applicationEnded);
    thread = new Thread(this, "pubsub-agent-starter");
    thread.setDaemon(true);
    thread.start();
  }

  /** Also of one that has not started. */
  public void stop() {
    stopped = true;
    if (thread != null) {
      thread.interrupt();
    }
    cluster.close();
  }

  private void wakeUp() {
    synchronized (wake) {
      changed = true;
      wake.notifyAll();
    }
  }

  /** Nobody may have stopped the query: agents are told while Spark's channel still works. */
  private void applicationEnded() {
    ledger.stop();
    stopped = true;
    thread.interrupt();
    ended.run();
  }

  @Override
  public void run() {
    while (!stopped) {
      try {
        look(System.nanoTime() / 1_000_000);
        await(ledger.agentCount() > 0 ? LOOK_EVERY_MS : LOOK_FIRST_EVERY_MS);
      } catch (InterruptedException e) {
        return;
      } catch (Throwable e) {
        if (!stopped) {
          LOG.warn("cannot look after pubsub agents; trying again", e);
        }
        Pause.ms(LOOK_EVERY_MS);
      }
    }
  }

  private void await(long ms) throws InterruptedException {
    synchronized (wake) {
      if (!changed) {
        wake.wait(ms);
      }
      changed = false;
    }
  }

  private void look(long nowMs) {
    Map<String, String> present = cluster.executors();
    for (String gone : known.keySet()) {
      if (!present.containsKey(gone)) {
        LOG.info("executor {} is gone: its slots move", gone);
      }
    }
    known = present;
    ledger.executors(nowMs, present);
    present.keySet().stream().filter(cluster::isLeaving).forEach(leave);
    ledger.resize(sizing.slots(nowMs, cluster.parallelism()));
    ledger.tick(nowMs);
    Map<String, String> starting = ledger.start(nowMs);
    if (!starting.isEmpty()) {
      cluster.start(config.withSlots(ledger.slotCount()), starting, this::ended);
    }
    keepAnExecutor(nowMs);
  }

  private void ended(String executor, String reason) {
    ledger.startEnded(System.nanoTime() / 1_000_000, executor, reason);
    wakeUp();
  }

  /** Of the executors that work, the one with the lowest id: the same every time. */
  private Map<String, String> oldest() {
    return known.keySet().stream()
        .filter(ledger::works)
        .min(Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder()))
        .map(id -> Collections.singletonMap(id, known.get(id)))
        .orElse(Collections.emptyMap());
  }

  private void keepAnExecutor(long nowMs) {
    boolean none = !ledger.hasExecutors();
    long idleMs = cluster.idleTimeoutMs();
    boolean due =
        idleMs > 0
            && nowMs - keptMs >= Math.max(LOOK_EVERY_MS, Math.min(KEEP_EVERY_MS, idleMs / 3));
    if (none || due) {
      keptMs = nowMs;
      cluster.keepAnExecutor(oldest());
    }
  }
}
