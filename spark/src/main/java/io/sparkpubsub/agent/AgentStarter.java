package io.sparkpubsub.agent;

import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.Pause;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.spark.SparkEnv;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.BlockManagerId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts an agent on every executor, and notices executors that come and go: a daemon thread of the driver that looks twice a
 * second. In local mode the one agent is started here; on a cluster by a small job with a task for each executor.
 */
public final class AgentStarter implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(AgentStarter.class);
  private static final long LOOK_EVERY_MS = 500;
  private static final long WAIT_FOR_ALL_MS = 5000;
  private static final String DRIVER = "driver";

  final AgentConfig config;
  private final Ledger ledger;
  private final Consumer<String> leave;
  private final SparkSession session;
  private final Thread thread;
  private volatile boolean stopped;
  private volatile Map<String, String> missing = new HashMap<>(); // executors without an agent, id -> host

  /** @param leave is told, again and again, of executors that are decommissioned */
  public AgentStarter(AgentConfig config, Ledger ledger, Consumer<String> leave, SparkSession session) {
    this.config = config;
    this.ledger = ledger;
    this.leave = leave;
    this.session = session;
    this.thread = new Thread(this, "pubsub-agent-starter");
    thread.setDaemon(true);
    thread.setContextClassLoader(Thread.currentThread().getContextClassLoader());
  }

  public void start() {
    StartingRuns.add(new StartingRuns.Run(config, () -> missing));
    if (session.sparkContext().isLocal()) {
      Agent.start(config);
      ledger.startAssigning();
    } else {
      thread.start();
    }
  }

  public void stop() {
    stopped = true;
    thread.interrupt();
    StartingRuns.remove(config.run);
  }

  private static Map<String, String> executors() {
    Map<String, String> out = new HashMap<>();
    scala.collection.Iterator<BlockManagerId> ids =
        SparkEnv.get().blockManager().master().getMemoryStatus().keysIterator();
    while (ids.hasNext()) {
      BlockManagerId id = ids.next();
      if (!id.executorId().equals(DRIVER)) {
        out.put(id.executorId(), id.host());
      }
    }
    return out;
  }

  /** Decommissioned: gets no more tasks, and will not live to say so itself. */
  private boolean isLeaving(String executor) {
    return session.sparkContext().taskScheduler().getExecutorDecommissionState(executor).isDefined();
  }

  @Override
  public void run() {
    Set<String> known = new HashSet<>();
    long begin = System.currentTimeMillis();
    boolean assigning = false;
    while (!stopped) {
      try {
        Map<String, String> present = executors();
        for (String executor : known) {
          if (!present.containsKey(executor)) {
            LOG.info("executor {} is gone: its slots move", executor);
            ledger.lost(executor);
          }
        }
        known = new HashSet<>(present.keySet());
        Map<String, String> without = new HashMap<>(present);
        without.keySet().removeIf(executor -> ledger.knows(executor) || isLeaving(executor));
        present.keySet().stream().filter(ledger::knows).filter(this::isLeaving).forEach(leave);
        if (!without.isEmpty()) {
          startOn(without);
        }
        boolean all = ledger.agentCount() > 0 && without.isEmpty();
        boolean late = System.currentTimeMillis() - begin > WAIT_FOR_ALL_MS && ledger.agentCount() > 0;
        if (!assigning && (all || late)) {
          assigning = true;
          ledger.startAssigning();
        }
        Thread.sleep(assigning ? LOOK_EVERY_MS : 20);
      } catch (InterruptedException e) {
        return;
      } catch (Throwable e) {
        if (!stopped) {
          LOG.warn("cannot start pubsub agents; trying again", e);
        }
        Pause.ms(LOOK_EVERY_MS);
      }
    }
  }

  private void startOn(Map<String, String> executors) {
    missing = executors;
    session.sparkContext().setJobDescription("pubsub: start agents");
    session.read().format(AgentTableProvider.class.getName()).option("run", config.run).load().collectAsList();
  }
}
