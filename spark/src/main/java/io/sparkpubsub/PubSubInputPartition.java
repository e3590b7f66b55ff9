package io.sparkpubsub;

import org.apache.spark.sql.connector.read.InputPartition;

/** The chunks from (inclusive) to (exclusive) of one slot's epoch, with their home as preferred location. */
final class PubSubInputPartition implements InputPartition {
  private static final long serialVersionUID = 1;
  final String run;
  final int slot;
  final long epoch;
  final long from;
  final long to;
  private final String home;

  PubSubInputPartition(String run, int slot, long epoch, long from, long to, String home) {
    this.run = run;
    this.slot = slot;
    this.epoch = epoch;
    this.from = from;
    this.to = to;
    this.home = home;
  }

  @Override
  public String[] preferredLocations() {
    return home == null ? new String[0] : new String[] {home};
  }
}
