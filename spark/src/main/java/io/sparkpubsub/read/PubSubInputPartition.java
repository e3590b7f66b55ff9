package io.sparkpubsub.read;

import org.apache.spark.sql.connector.read.InputPartition;

/**
 * The chunks of one slot's epoch from (inclusive) to (exclusive), as the offsets of the batch say,
 * with their home as preferred location. The ledger knows what is read in truth; late as in {@link
 * Ledger#range}.
 */
final class PubSubInputPartition implements InputPartition {
  private static final long serialVersionUID = 1;
  final String endpoint; // of the ledger, in the driver
  final String run;
  final String subscription; // full name
  final int slot;
  final long epoch;
  final long from;
  final long to;
  final boolean late;
  private final String home;

  PubSubInputPartition(
      String endpoint,
      String run,
      String subscription,
      int slot,
      long epoch,
      long from,
      long to,
      boolean late,
      String home) {
    this.endpoint = endpoint;
    this.run = run;
    this.subscription = subscription;
    this.slot = slot;
    this.epoch = epoch;
    this.from = from;
    this.to = to;
    this.late = late;
    this.home = home;
  }

  @Override
  public String[] preferredLocations() {
    return home == null ? new String[0] : new String[] {home};
  }
}
