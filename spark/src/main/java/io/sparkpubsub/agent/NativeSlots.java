package io.sparkpubsub.agent;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.natives.SlotReport;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** The native reader. Every call throws IllegalStateException once it is closed. */
final class NativeSlots implements SlotReader {
  private static final int USUAL_EPOCHS = 64;
  private final long reader;
  private final AgentConfig config;
  private final Set<Long> open = new HashSet<>(); // epochs that receive

  NativeSlots(long reader, AgentConfig config) {
    this.reader = reader;
    this.config = config;
  }

  /** The service is asked for what the next few batches take of the slots that are here. */
  private void tellTrigger() {
    NativeReader.setTrigger(
        reader,
        config.share(PubSubOptions.Option.MAX_ROWS_PER_TRIGGER, open.size()),
        config.share(PubSubOptions.Option.MAX_BYTES_PER_TRIGGER, open.size()));
  }

  @Override
  public long[] report() {
    long[] epochs = new long[USUAL_EPOCHS * SlotReport.LONGS];
    int count = NativeReader.report(reader, epochs);
    while (count * SlotReport.LONGS > epochs.length) {
      epochs = new long[(count + 16) * SlotReport.LONGS];
      count = NativeReader.report(reader, epochs);
    }
    return Arrays.copyOf(epochs, count * SlotReport.LONGS);
  }

  @Override
  public int chunkSizes(int slot, long epoch, long fromSeq, long[] out) {
    return NativeReader.chunkSizes(reader, slot, epoch, fromSeq, out);
  }

  @Override
  public String slotError(int slot, long epoch) {
    return NativeReader.slotError(reader, slot, epoch);
  }

  @Override
  public long[] metrics() {
    long[] metrics = new long[ReaderMetric.LONGS];
    NativeReader.metrics(reader, metrics);
    return metrics;
  }

  @Override
  public void openSlot(int slot, long epoch, int delayMs) {
    if (open.add(epoch)) {
      tellTrigger(); // before its stream is opened
    }
    NativeReader.openSlot(reader, slot, epoch, delayMs);
  }

  @Override
  public void closeSlot(int slot, long epoch, boolean giveBack) {
    NativeReader.closeSlot(reader, slot, epoch, giveBack);
    if (open.remove(epoch)) {
      tellTrigger();
    }
  }

  @Override
  public void settle(int slot, long epoch, long endSeq) {
    NativeReader.settle(reader, slot, epoch, endSeq, true);
  }
}
