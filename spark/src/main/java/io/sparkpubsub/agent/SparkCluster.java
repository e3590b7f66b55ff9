package io.sparkpubsub.agent;

import java.lang.reflect.InvocationTargetException;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerExecutorAdded;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Spark's executors: its scheduler says which there are (a missing block manager says nothing), its
 * events say when to look. Agents are started by small jobs, each in a thread of its own: a task
 * that hangs holds up nobody else. In local mode the driver is the one executor.
 */
final class SparkCluster implements Cluster {
  private static final Logger LOG = LoggerFactory.getLogger(SparkCluster.class);
  private static final String LOCAL = "driver";

  private final SparkSession session;
  private final SparkContext context;
  private final ConcurrentHashMap<String, String> hosts = new ConcurrentHashMap<>(); // by executor
  private final AtomicBoolean asking = new AtomicBoolean();
  private final String group = "pubsub-" + UUID.randomUUID();
  private final ClassLoader loader = Thread.currentThread().getContextClassLoader();
  private final ExecutorService jobs =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "pubsub-agent-job");
            thread.setDaemon(true);
            return thread;
          });
  private SparkListener listener;

  SparkCluster(SparkSession session) {
    this.session = session;
    this.context = session.sparkContext();
  }

  @Override
  public Map<String, String> executors() {
    if (context.isLocal()) {
      return Collections.singletonMap(LOCAL, SparkEnv.get().blockManager().blockManagerId().host());
    }
    Map<String, String> out = new HashMap<>();
    scala.collection.Iterator<?> ids = ids();
    while (ids.hasNext()) {
      String id = (String) ids.next();
      String host = hosts.computeIfAbsent(id, this::host);
      if (host != null) {
        out.put(id, host);
      }
    }
    return out;
  }

  /** The type of the result differs between Scala's versions. */
  private scala.collection.Iterator<?> ids() {
    try {
      Object ids = SparkContext.class.getMethod("getExecutorIds").invoke(context);
      return ((scala.collection.Iterable<?>) ids).iterator();
    } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("Spark does not say which executors it has", e);
    }
  }

  /**
   * Of one that was there before anybody listened; null: Spark's own listener has not heard of it
   * yet.
   */
  private String host(String executor) {
    try {
      String hostPort = context.statusStore().executorSummary(executor).hostPort();
      return hostPort.substring(0, hostPort.lastIndexOf(':'));
    } catch (RuntimeException e) {
      return null;
    }
  }

  @Override
  public boolean isLeaving(String executor) {
    return context.taskScheduler().getExecutorDecommissionState(executor).isDefined();
  }

  @Override
  public int parallelism() {
    return Math.max(1, context.defaultParallelism());
  }

  @Override
  public void start(
      AgentConfig config, Map<String, String> executors, BiConsumer<String, String> ended) {
    inBackground(
        () -> {
          String reason = null;
          try {
            if (context.isLocal()) {
              LedgerClient.startOrTell(config);
            } else {
              run("pubsub: start agents", new StartingRuns.Job(config, executors));
            }
          } catch (Throwable e) {
            LOG.warn("cannot start pubsub agents on {}; trying again", executors.keySet(), e);
            reason = e.getMessage();
          }
          for (String executor : executors.keySet()) {
            ended.accept(executor, reason);
          }
        });
  }

  @Override
  public void keepAnExecutor(Map<String, String> preferred) {
    if (!asking.compareAndSet(false, true)) {
      return; // the one before still waits
    }
    inBackground(
        () -> {
          try {
            run("pubsub: keep an executor", new StartingRuns.Job(null, preferred));
          } catch (Throwable e) {
            LOG.debug("nothing has been run", e);
          } finally {
            asking.set(false);
          }
        });
  }

  private void inBackground(Runnable work) {
    try {
      jobs.execute(work);
    } catch (RejectedExecutionException e) {
      LOG.debug("stopping", e);
    }
  }

  private void run(String description, StartingRuns.Job job) {
    String name = StartingRuns.add(job);
    try {
      Thread.currentThread().setContextClassLoader(loader);
      context.setJobGroup(group, description, false);
      session
          .read()
          .format(AgentTableProvider.class.getName())
          .option("job", name)
          .load()
          .collectAsList();
    } finally {
      StartingRuns.remove(name);
    }
  }

  @Override
  public long idleTimeoutMs() {
    boolean dynamic =
        !context.isLocal() && context.conf().getBoolean("spark.dynamicAllocation.enabled", false);
    return dynamic
        ? context.conf().getTimeAsMs("spark.dynamicAllocation.executorIdleTimeout", "60s")
        : 0;
  }

  @Override
  public void watch(Runnable changed, Runnable over) {
    listener =
        new SparkListener() {
          @Override
          public void onExecutorAdded(SparkListenerExecutorAdded event) {
            hosts.put(event.executorId(), event.executorInfo().executorHost());
            changed.run();
          }

          @Override
          public void onExecutorRemoved(SparkListenerExecutorRemoved event) {
            hosts.remove(event.executorId());
            changed.run();
          }

          @Override
          public void onApplicationEnd(SparkListenerApplicationEnd event) {
            over.run();
          }
        };
    context.addSparkListener(listener);
  }

  @Override
  public void close() {
    if (listener != null) {
      context.removeSparkListener(listener);
    }
    jobs.shutdown();
    try {
      context.cancelJobGroup(group);
    } catch (RuntimeException e) {
      LOG.debug("Spark has stopped before", e);
    }
  }
}
