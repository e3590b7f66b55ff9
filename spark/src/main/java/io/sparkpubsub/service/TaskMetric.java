package io.sparkpubsub.service;

import org.apache.spark.sql.connector.metric.CustomTaskMetric;

/** A number that a task counts, by the name of the metric that sums it up. */
public final class TaskMetric implements CustomTaskMetric {
  private final String name;
  private final long value;

  public TaskMetric(String name, long value) {
    this.name = name;
    this.value = value;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long value() {
    return value;
  }
}
