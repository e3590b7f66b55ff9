package io.sparkpubsub.natives;

/**
 * How one epoch of a slot stands: an agent's reader fills it, the ledger reads it. Travels as
 * longs.
 */
public final class SlotReport {
  /** In the order of enum border_report. */
  enum Field {
    SLOT,
    EPOCH,
    STATE,
    SEALED,
    SETTLED,
    SEALED_ROWS,
    SEALED_BYTES,
    BACKLOG_ROWS,
    BACKLOG_BYTES,
    OLDEST_US
  }

  /** Longs of one report. */
  public static final int LONGS = Field.values().length;

  public final int slot;
  public final long epoch;

  /** NativeReader.STATE_…. */
  public final int state;

  /** Chunks below it exist, or did. */
  public final long sealed;

  /** Chunks below it have their outcome. */
  public final long settled;

  public final long backlogRows;
  public final long backlogBytes;

  /** Wall-clock µs of the oldest unsettled row; 0: none. */
  public final long oldestUs;

  public SlotReport(
      int slot,
      long epoch,
      int state,
      long sealed,
      long settled,
      long backlogRows,
      long backlogBytes,
      long oldestUs) {
    this.slot = slot;
    this.epoch = epoch;
    this.state = state;
    this.sealed = sealed;
    this.settled = settled;
    this.backlogRows = backlogRows;
    this.backlogBytes = backlogBytes;
    this.oldestUs = oldestUs;
  }

  public static int count(long[] reports) {
    return reports.length / LONGS;
  }

  /** Report i of those that travelled together. */
  public static SlotReport at(long[] reports, int i) {
    int at = i * LONGS;
    return new SlotReport(
        (int) reports[at + Field.SLOT.ordinal()],
        reports[at + Field.EPOCH.ordinal()],
        (int) reports[at + Field.STATE.ordinal()],
        reports[at + Field.SEALED.ordinal()],
        reports[at + Field.SETTLED.ordinal()],
        reports[at + Field.BACKLOG_ROWS.ordinal()],
        reports[at + Field.BACKLOG_BYTES.ordinal()],
        reports[at + Field.OLDEST_US.ordinal()]);
  }

  /** What {@link #at} reads. */
  public void put(long[] reports, int i) {
    int at = i * LONGS;
    reports[at + Field.SLOT.ordinal()] = slot;
    reports[at + Field.EPOCH.ordinal()] = epoch;
    reports[at + Field.STATE.ordinal()] = state;
    reports[at + Field.SEALED.ordinal()] = sealed;
    reports[at + Field.SETTLED.ordinal()] = settled;
    reports[at + Field.BACKLOG_ROWS.ordinal()] = backlogRows;
    reports[at + Field.BACKLOG_BYTES.ordinal()] = backlogBytes;
    reports[at + Field.OLDEST_US.ordinal()] = oldestUs;
  }
}
