package io.sparkpubsub.agent;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.natives.NativeReader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The native readers. Every call throws IllegalStateException once they are closed. */
final class NativeSlots implements SlotReader {
  private static final int USUAL_EPOCHS = 64;
  private final NativeReaders readers;
  private final AgentConfig config;
  private final List<Set<Long>> open = new ArrayList<>(); // by reader: epochs that receive
  private int slotsOfQuery;

  NativeSlots(NativeReaders readers, AgentConfig config) {
    this.readers = readers;
    this.config = config;
    for (int i = 0; i < readers.count(); i++) {
      open.add(new HashSet<>());
    }
    this.slotsOfQuery = config.slots;
  }

  /** The service is asked for what the next few batches take of the slots that are here. */
  private void tellTrigger(int reader) {
    int slots = open.get(reader).size();
    NativeReader.setTrigger(
        readers.at(reader),
        config.share(PubSubOptions.Option.MAX_ROWS_PER_TRIGGER, slots, slotsOfQuery),
        config.share(PubSubOptions.Option.MAX_BYTES_PER_TRIGGER, slots, slotsOfQuery));
  }

  @Override
  public long[] report() {
    return readers.report(USUAL_EPOCHS);
  }

  @Override
  public int chunkSizes(int slot, long epoch, long fromSeq, long[] out) {
    return NativeReader.chunkSizes(readers.of(slot), slot, epoch, fromSeq, out);
  }

  @Override
  public String slotError(int slot, long epoch) {
    return NativeReader.slotError(readers.of(slot), slot, epoch);
  }

  @Override
  public long[] metrics() {
    return readers.metrics();
  }

  @Override
  public void slotsOfQuery(int count) {
    if (count != slotsOfQuery) {
      slotsOfQuery = count;
      for (int i = 0; i < readers.count(); i++) {
        tellTrigger(i);
      }
    }
  }

  @Override
  public void openSlot(int slot, long epoch, int delayMs) {
    int reader = readers.index(slot);
    if (open.get(reader).add(epoch)) {
      tellTrigger(reader); // before its stream is opened
    }
    NativeReader.openSlot(readers.at(reader), slot, epoch, delayMs);
  }

  @Override
  public void closeSlot(int slot, long epoch, boolean giveBack) {
    int reader = readers.index(slot);
    NativeReader.closeSlot(readers.at(reader), slot, epoch, giveBack);
    if (open.get(reader).remove(epoch)) {
      tellTrigger(reader);
    }
  }

  @Override
  public void settle(int slot, long epoch, long endSeq) {
    NativeReader.settle(readers.of(slot), slot, epoch, endSeq, true);
  }
}
