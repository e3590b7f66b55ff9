package io.sparkpubsub.read;

import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.PubSubOffset;
import java.util.ArrayList;
import java.util.List;
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
  final boolean bounded; // the ledger wants to know when it is read to its end
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
      boolean bounded,
      String home) {
    this.endpoint = endpoint;
    this.run = run;
    this.subscription = subscription;
    this.slot = slot;
    this.epoch = epoch;
    this.from = from;
    this.to = to;
    this.late = late;
    this.bounded = bounded;
    this.home = home;
  }

  /**
   * One for each slot that has something between two offsets. What of it is in an epoch that has
   * died is noted as lost: it comes again from the service.
   */
  static InputPartition[] plan(
      Ledger ledger,
      String endpoint,
      String run,
      PubSubOffset start,
      PubSubOffset end,
      boolean late,
      boolean bounded) {
    List<InputPartition> out = new ArrayList<>();
    end.positions.forEach(
        (slot, to) -> {
          long from = start.from(slot, to.epoch);
          String home = ledger.location(slot, to.epoch);
          if (from < to.seq && home != null) {
            out.add(
                new PubSubInputPartition(
                    endpoint,
                    run,
                    ledger.subscription(slot),
                    slot,
                    to.epoch,
                    from,
                    to.seq,
                    late,
                    bounded,
                    home));
          } else if (from < to.seq) {
            ledger.lostRange(slot, to.epoch, from);
          }
        });
    return out.toArray(new InputPartition[0]);
  }

  @Override
  public String[] preferredLocations() {
    return home == null ? new String[0] : new String[] {home};
  }
}
