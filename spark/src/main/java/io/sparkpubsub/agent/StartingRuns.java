package io.sparkpubsub.agent;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The runs of this driver whose agents are being started: written by AgentStarter, read where its small jobs are planned. */
final class StartingRuns {
  /** One of them. */
  static final class Run {
    final AgentConfig config;
    private final Supplier<Map<String, String>> missing;

    Run(AgentConfig config, Supplier<Map<String, String>> missing) {
      this.config = config;
      this.missing = missing;
    }

    /** Executors without an agent, id -> host. */
    Map<String, String> missing() {
      return missing.get();
    }
  }

  private static final ConcurrentHashMap<String, Run> RUNS = new ConcurrentHashMap<>();

  private StartingRuns() {}

  static void add(Run run) {
    RUNS.put(run.config.run, run);
  }

  static void remove(String run) {
    RUNS.remove(run);
  }

  /** Null: it has ended. */
  static Run of(String run) {
    return RUNS.get(run);
  }
}
