package io.sparkpubsub.ledger;

/**
 * Whether a micro-batch should wait for more. A batch costs Spark a tenth of a second whatever it
 * holds; while messages come fast, waiting costs little and saves batches. It waits until half of
 * the reservoir is full, but no longer than twice what the batch before took, so that the latency
 * stays in proportion: large batches let the next one grow, small ones begin soon. Slower messages
 * are never waited for. Pure: no clock of its own.
 */
public final class Gathering {
  static final long MAX_WAIT_MS = 500;
  public static final long STEP_MS = 10;

  /** 32 MB/s: below it, what batches cost does not matter. */
  static final double FAST_BYTES_PER_MS = 32_000;

  /** Acknowledgements of the batch before bring new messages within so long, or there are none. */
  private static final long STALL_MS = 100;

  /**
   * A rate is measured over at least so long, and remembered for a second or two: a full reservoir
   * stops the flow for a while.
   */
  private static final long WINDOW_MS = 50;

  private static final double FORGET_PER_MS = 1e-3;

  private long windowMs;
  private long windowBytes;
  private double bytesPerMs =
      Double.MAX_VALUE; // the first messages are waited for until it is known how fast they come
  private boolean measured;
  private long begunMs = -1; // when the batch that runs began; -1: it has ended
  private long batchMs = MAX_WAIT_MS; // what the batch before took
  private long sinceMs = -1; // waiting; -1: not
  private long grewMs;
  private long grewTo;

  /**
   * @param sealedBytes all that was ever sealed
   * @param batchBytes what the batch would hold now
   * @param targetBytes what it is to hold
   */
  public boolean wait(long nowMs, long sealedBytes, long batchBytes, long targetBytes) {
    measure(nowMs, sealedBytes);
    if (begunMs >= 0) {
      batchMs = nowMs - begunMs;
      begunMs = -1;
    }
    if (sinceMs < 0) {
      sinceMs = nowMs;
      grewMs = nowMs;
      grewTo = sealedBytes;
    } else if (sealedBytes > grewTo) {
      grewMs = nowMs;
      grewTo = sealedBytes;
    }
    boolean wait =
        batchBytes > 0
            && batchBytes < targetBytes
            && nowMs - sinceMs < Math.min(MAX_WAIT_MS, 2 * batchMs)
            && nowMs - grewMs < STALL_MS
            && bytesPerMs > FAST_BYTES_PER_MS;
    if (!wait) {
      sinceMs = -1;
      begunMs = batchBytes > 0 ? nowMs : -1;
    }
    return wait;
  }

  private void measure(long nowMs, long sealedBytes) {
    long passed = nowMs - windowMs;
    if (sealedBytes == 0) { // nothing has ever come
      windowMs = nowMs;
    } else if (passed >= WINDOW_MS) {
      double remembered = measured ? bytesPerMs * Math.exp(-FORGET_PER_MS * passed) : 0;
      bytesPerMs = Math.max(remembered, (double) (sealedBytes - windowBytes) / passed);
      measured = true;
      windowMs = nowMs;
      windowBytes = sealedBytes;
    }
  }
}
