package io.sparkpubsub.natives;

/**
 * The native subscriber of one agent. Handles are numbers: using one after {@link #close} throws
 * IllegalStateException; a chunk handle is a reference of its own and outlives the reader. Every
 * method may be called on any thread; only await and close wait.
 */
public final class NativeReader {
  public static final int STATE_WAITING = 0;
  public static final int STATE_OPEN = 1;
  public static final int STATE_DRAINING = 2;
  public static final int STATE_CLOSED = 3;
  public static final int STATE_FAILED = 4;

  private NativeReader() {}

  /**
   * Key, value, key, value …: endpoint, plaintext, ca_file, subscription, columns, chunk_rows,
   * chunk_bytes, linger_ms, ….
   */
  public static long open(String[] keyValues) {
    NativeLoader.load();
    return openReader(keyValues);
  }

  private static native long openReader(String[] keyValues);

  public static native void setToken(long reader, byte[] token);

  /** Calls that were answered UNAUTHENTICATED so far. */
  public static native long unauthenticated(long reader);

  public static native void openSlot(long reader, int slot, long epoch, int delayMs);

  public static native void closeSlot(long reader, int slot, long epoch, boolean giveBack);

  /**
   * What one batch takes of this reader at most, of all its slots together; 0: no limit. No more is
   * asked for than the next few batches take. To be told again when the reader's share of the slots
   * is another.
   */
  public static native void setTrigger(long reader, long rows, long bytes);

  public static native void settle(long reader, int slot, long epoch, long endSeq, boolean ack);

  /**
   * Fills out, {@link SlotReport#LONGS} each; returns how many epochs there are, which may be more
   * than fit.
   */
  public static native int report(long reader, long[] out);

  /**
   * Sizes of the chunks from fromSeq on, {@link ChunkSize#LONGS} each; returns how many were
   * filled.
   */
  public static native int chunkSizes(long reader, int slot, long epoch, long fromSeq, long[] out);

  /** "CODE\nretryable (0 or 1)\ntext"; null: no error. */
  public static native String slotError(long reader, int slot, long epoch);

  /** Waits until something changed since generation; returns the new one. */
  public static native long await(long reader, long generation, int timeoutMs);

  /** A chunk handle, to be released once, with its view; 0: the chunk is not held (any more). */
  public static long chunk(long reader, int slot, long epoch, long seq, ChunkView view) {
    return chunk(reader, slot, epoch, seq, view.longs);
  }

  private static native long chunk(long reader, int slot, long epoch, long seq, long[] view);

  public static native void releaseChunk(long chunk);

  public static native byte[] packChunk(long chunk);

  /** As {@link #chunk}, of what packChunk has made. */
  public static long unpackChunk(byte[] packed, ChunkView view) {
    NativeLoader.load();
    return unpack(packed, view.longs);
  }

  private static native long unpack(byte[] packed, long[] view);

  /** In the order of {@link ReaderMetric}. */
  public static native void metrics(long reader, long[] out);

  /**
   * Finishes what was asked to be acknowledged, gives back the rest, frees. False: some outcomes
   * are unconfirmed. Twice is harmless.
   */
  public static boolean close(long reader, int timeoutMs) {
    return close(reader, timeoutMs, null);
  }

  /**
   * Also fills lastMetrics, as {@link #metrics} would at the end; unchanged if the reader was
   * closed before.
   */
  public static native boolean close(long reader, int timeoutMs, long[] lastMetrics);

  /** Blocks of native memory in use. */
  public static long liveAllocations() {
    NativeLoader.load();
    return allocations();
  }

  private static native long allocations();
}
