package io.sparkpubsub.agent;

import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.natives.SlotReport;
import java.util.Arrays;

/** The native reader. Every call throws IllegalStateException once it is closed. */
final class NativeSlots implements SlotReader {
  private static final int USUAL_EPOCHS = 64;
  private final long reader;

  NativeSlots(long reader) {
    this.reader = reader;
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
    NativeReader.openSlot(reader, slot, epoch, delayMs);
  }

  @Override
  public void closeSlot(int slot, long epoch, boolean giveBack) {
    NativeReader.closeSlot(reader, slot, epoch, giveBack);
  }

  @Override
  public void settle(int slot, long epoch, long endSeq) {
    NativeReader.settle(reader, slot, epoch, endSeq, true);
  }
}
