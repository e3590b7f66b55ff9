package io.sparkpubsub.agent;

import java.util.Map;
import java.util.function.BiConsumer;

/** What the starter of agents needs of Spark. */
interface Cluster {
  /** The executors that Spark has and that can run tasks, or will soon: id -> host. */
  Map<String, String> executors();

  /** Decommissioned: gets no more tasks, and will not live to say so itself. */
  boolean isLeaving(String executor);

  /** What Spark takes for the number of cores. */
  int parallelism();

  /**
   * Starts an agent on each of these, in the background; tells when each is over, and why where it
   * is known to have failed.
   */
  void start(AgentConfig config, Map<String, String> executors, BiConsumer<String, String> ended);

  /**
   * Runs a task that does nothing, in the background: Spark gets itself an executor for it, or
   * keeps the one it has. It runs on `preferred` where that has a core free: anywhere at random, it
   * would keep several from being idle. At most one, id -> host.
   */
  void keepAnExecutor(Map<String, String> preferred);

  /** After so long Spark itself takes executors away that have nothing to do; 0: it does not. */
  long idleTimeoutMs();

  /** `changed` runs whenever executors come or go, `over` when the application ends. */
  void watch(Runnable changed, Runnable over);

  /** Ends what runs in the background. */
  void close();
}
