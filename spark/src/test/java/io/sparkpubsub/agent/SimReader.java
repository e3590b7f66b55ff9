package io.sparkpubsub.agent;

import io.sparkpubsub.natives.ChunkSize;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.natives.SlotReport;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A model of the native reader: epochs that pull from the service, seal chunks, keep them leased
 * until they are settled, and then forget them. It does what NativeReader's contract says, and
 * checks that it is asked for nothing that the contract forbids.
 */
final class SimReader implements SlotReader {
  static final int MAX_HELD = 200; // messages: its budget
  private static final int CHUNK = 8;

  /** One sealed chunk. */
  private static final class Chunk {
    final List<SimService.Lease> leases;
    boolean settling;
    boolean settled;

    Chunk(List<SimService.Lease> leases) {
      this.leases = leases;
    }
  }

  private static final class Epoch {
    final int slot;
    final long epoch;
    int state = NativeReader.STATE_WAITING;
    final TreeMap<Long, Chunk> chunks = new TreeMap<>();
    long sealed;
    long settled;
    long asked; // to be acknowledged below it

    Epoch(int slot, long epoch) {
      this.slot = slot;
      this.epoch = epoch;
    }
  }

  private final SimClock clock;
  private final SimService service;
  private final SimExecutor executor;
  private final Map<Long, Epoch> epochs = new HashMap<>();
  private boolean closed;

  SimReader(SimClock clock, SimService service, SimExecutor executor) {
    this.clock = clock;
    this.service = service;
    this.executor = executor;
    clock.after(SimService.DEADLINE_MS / 3, this::extend);
  }

  boolean isClosed() {
    return closed;
  }

  int held() {
    int sum = 0;
    for (Epoch epoch : epochs.values()) {
      for (Chunk chunk : epoch.chunks.values()) {
        sum += chunk.leases.size();
      }
    }
    return sum;
  }

  /** Nothing happens in a process that is stopped: what is due happens when it goes on. */
  private boolean holdsUp(Runnable what) {
    return executor.holdsUp(what);
  }

  private void extend() {
    if (closed || holdsUp(this::extend)) {
      return;
    }
    epochs
        .values()
        .forEach(
            epoch -> epoch.chunks.values().forEach(chunk -> chunk.leases.forEach(service::extend)));
    clock.after(SimService.DEADLINE_MS / 3, this::extend);
  }

  private void pull(Epoch epoch) {
    if (closed || epoch.state > NativeReader.STATE_OPEN || holdsUp(() -> pull(epoch))) {
      return;
    }
    epoch.state = NativeReader.STATE_OPEN;
    List<SimService.Lease> got =
        service.pull((int) Math.min(clock.between(1, CHUNK), MAX_HELD - held()));
    if (!got.isEmpty()) {
      epoch.chunks.put(epoch.sealed++, new Chunk(got));
      if (held() > MAX_HELD) {
        throw new AssertionError("more is held than the budget allows");
      }
    }
    clock.soon(50, got.isEmpty() ? 800 : 200, () -> pull(epoch));
  }

  @Override
  public long[] report() {
    long[] out = new long[epochs.size() * SlotReport.LONGS];
    int i = 0;
    List<Long> over = new ArrayList<>();
    for (Epoch epoch : epochs.values()) {
      new SlotReport(epoch.slot, epoch.epoch, epoch.state, epoch.sealed, epoch.settled, 0, 0, 0)
          .put(out, i++);
      if (epoch.state == NativeReader.STATE_CLOSED) {
        over.add(epoch.epoch); // reported once more, then forgotten
      }
    }
    epochs.keySet().removeAll(over);
    return out;
  }

  @Override
  public int chunkSizes(int slot, long epochId, long fromSeq, long[] out) {
    Epoch epoch = epochs.get(epochId);
    long first =
        epoch == null ? 0 : epoch.chunks.isEmpty() ? epoch.sealed : epoch.chunks.firstKey();
    int count = 0;
    for (long seq = fromSeq; epoch != null && fromSeq >= first && seq < epoch.sealed; seq++) {
      Chunk chunk = epoch.chunks.get(seq);
      if (chunk == null || (count + 1) * ChunkSize.LONGS > out.length) {
        break;
      }
      out[count++ * ChunkSize.LONGS] = chunk.leases.size();
    }
    return count;
  }

  @Override
  public String slotError(int slot, long epoch) {
    return null;
  }

  @Override
  public long[] metrics() {
    return new long[ReaderMetric.LONGS];
  }

  @Override
  public void slotsOfQuery(int count) {} // it takes what there is

  @Override
  public void openSlot(int slot, long epoch, int delayMs) {
    if (closed || epochs.containsKey(epoch)) {
      return;
    }
    executor.world.opened(epoch, this);
    Epoch opened = new Epoch(slot, epoch);
    epochs.put(epoch, opened);
    clock.soon(delayMs, delayMs + 300L, () -> pull(opened));
  }

  @Override
  public void closeSlot(int slot, long epochId, boolean giveBack) {
    Epoch epoch = epochs.get(epochId);
    if (epoch == null) {
      return;
    }
    epoch.state = Math.max(epoch.state, NativeReader.STATE_DRAINING);
    if (giveBack) {
      for (Map.Entry<Long, Chunk> entry : epoch.chunks.entrySet()) {
        if (entry.getKey() >= epoch.asked) {
          settle(epoch, entry.getValue(), false);
        }
      }
    }
    advance(epoch);
  }

  @Override
  public void settle(int slot, long epochId, long endSeq) {
    Epoch epoch = epochs.get(epochId);
    if (epoch != null && endSeq > epoch.asked) {
      epoch.asked = endSeq;
      epoch.chunks.headMap(endSeq).values().forEach(chunk -> settle(epoch, chunk, true));
    }
  }

  private void settle(Epoch epoch, Chunk chunk, boolean ack) {
    if (!chunk.settling) { // what was asked before keeps its outcome
      chunk.settling = true;
      clock.soon(1, executor.world.isFaulty() ? 2000 : 50, () -> outcome(epoch, chunk, ack));
    }
  }

  private void outcome(Epoch epoch, Chunk chunk, boolean ack) {
    if (executor.isDead() || holdsUp(() -> outcome(epoch, chunk, ack))) {
      return;
    }
    for (SimService.Lease lease : chunk.leases) {
      if (!ack) {
        service.giveBack(lease);
      } else if (service.acknowledge(lease)) {
        executor.world.acknowledged(lease.message);
      }
    }
    chunk.settled = true;
    advance(epoch);
  }

  private void advance(Epoch epoch) {
    while (!epoch.chunks.isEmpty() && epoch.chunks.firstEntry().getValue().settled) {
      epoch.settled = epoch.chunks.pollFirstEntry().getKey() + 1;
    }
    if (epoch.chunks.isEmpty() && epoch.state == NativeReader.STATE_DRAINING) {
      epoch.state = NativeReader.STATE_CLOSED;
    }
  }

  /**
   * A lease is given up, as after maxAckExtension: the oldest chunk has its outcome without an
   * order.
   */
  void giveUpOne() {
    for (Epoch epoch : epochs.values()) {
      if (!epoch.chunks.isEmpty() && !epoch.chunks.firstEntry().getValue().settling) {
        settle(epoch, epoch.chunks.firstEntry().getValue(), false);
        return;
      }
    }
  }

  /** The messages of a chunk; null: it is not held. */
  List<Integer> read(long epochId, long seq) {
    Epoch epoch = epochs.get(epochId);
    Chunk chunk = closed || epoch == null ? null : epoch.chunks.get(seq);
    if (chunk == null) {
      return null;
    }
    List<Integer> out = new ArrayList<>();
    chunk.leases.forEach(lease -> out.add(lease.message));
    return out;
  }

  /** What it was told to settle is settled, the rest given back. */
  void close() {
    for (Epoch epoch : new ArrayList<>(epochs.values())) {
      closeSlot(epoch.slot, epoch.epoch, true);
    }
    closed = true;
  }
}
