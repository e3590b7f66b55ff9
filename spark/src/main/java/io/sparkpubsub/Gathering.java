package io.sparkpubsub;

/**
 * Whether a micro-batch should wait for more. A batch costs Spark a tenth of a second whatever it holds; while messages come so
 * fast that half of the reservoir would be full within MAX_WAIT_MS, waiting for that costs little and saves batches. Slower than
 * that, a batch begins at once. Pure: no clock of its own.
 */
final class Gathering {
  static final long MAX_WAIT_MS = 500;
  static final long STEP_MS = 10;
  /** Acknowledgements of the batch before bring new messages within so long, or there are none. */
  private static final long STALL_MS = 100;
  /** A rate is measured over at least so long, and remembered for a second or two: a full reservoir stops the flow for a while. */
  private static final long WINDOW_MS = 50;
  private static final double FORGET_PER_MS = 1e-3;

  private long windowMs = -1;
  private long windowBytes;
  private double bytesPerMs;
  private long sinceMs = -1; // waiting; -1: not
  private long grewMs;
  private long grewTo;

  /**
   * @param sealedBytes all that was ever sealed
   * @param batchBytes what the batch would hold now
   * @param targetBytes what it is to hold
   */
  boolean wait(long nowMs, long sealedBytes, long batchBytes, long targetBytes) {
    measure(nowMs, sealedBytes);
    if (sinceMs < 0 || sealedBytes > grewTo) {
      grewMs = nowMs;
      grewTo = sealedBytes;
    }
    if (sinceMs < 0) {
      sinceMs = nowMs;
    }
    long left = MAX_WAIT_MS - (nowMs - sinceMs);
    boolean wait =
        batchBytes > 0
            && batchBytes < targetBytes
            && left > 0
            && nowMs - grewMs < STALL_MS
            && targetBytes - batchBytes < bytesPerMs * left;
    if (!wait) {
      sinceMs = -1;
    }
    return wait;
  }

  private void measure(long nowMs, long sealedBytes) {
    long passed = nowMs - windowMs;
    if (windowMs < 0) {
      windowMs = nowMs;
      windowBytes = sealedBytes;
    } else if (passed >= WINDOW_MS) {
      double remembered = bytesPerMs * Math.exp(-FORGET_PER_MS * passed);
      bytesPerMs = Math.max(remembered, (double) (sealedBytes - windowBytes) / passed);
      windowMs = nowMs;
      windowBytes = sealedBytes;
    }
  }
}
