package io.sparkpubsub.read;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.arrow.memory.ForeignAllocation;

/**
 * One buffer's hold on its chunk, given up once, however often Arrow or who called it says so: a
 * wrapping that fails does both.
 */
final class ChunkHold extends ForeignAllocation {
  private final Runnable release;
  private final AtomicBoolean released = new AtomicBoolean();

  ChunkHold(long bytes, long address, Runnable release) {
    super(bytes, address);
    this.release = release;
  }

  @Override
  protected void release0() {
    if (released.compareAndSet(false, true)) {
      release.run();
    }
  }
}
