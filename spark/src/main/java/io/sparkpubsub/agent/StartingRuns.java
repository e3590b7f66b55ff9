package io.sparkpubsub.agent;

import java.util.Collections;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The small jobs of this driver that start agents, or ask for an executor: written by SparkCluster,
 * read where they are planned.
 */
final class StartingRuns {
  /** One of them. */
  static final class Job {
    /** Null: its tasks do nothing. */
    final AgentConfig config;

    /** Where its tasks want to run, id -> host; empty: one task, wherever. */
    final Map<String, String> executors;

    Job(AgentConfig config, Map<String, String> executors) {
      this.config = config;
      this.executors = executors;
    }
  }

  private static final ConcurrentHashMap<String, Job> JOBS = new ConcurrentHashMap<>();

  private StartingRuns() {}

  /** Returns the name that its table has. */
  static String add(Job job) {
    String name = UUID.randomUUID().toString();
    JOBS.put(name, job);
    return name;
  }

  static void remove(String name) {
    JOBS.remove(name);
  }

  /** One without tasks' work, where it has ended. */
  static Job of(String name) {
    Job job = JOBS.get(name);
    return job == null ? new Job(null, Collections.emptyMap()) : job;
  }
}
