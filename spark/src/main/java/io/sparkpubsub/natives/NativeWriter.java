package io.sparkpubsub.natives;

/**
 * The native publishers of one task, one a topic, on one connection. Used by one thread. Rows are
 * handed over in blocks (layout: include/pubsub/publisher.h).
 */
public final class NativeWriter {
  private NativeWriter() {}

  public static long open(String[] keyValues) {
    NativeLoader.load();
    return openWriter(keyValues);
  }

  private static native long openWriter(String[] keyValues);

  public static native void setToken(long writer, byte[] token);

  /** Calls that were answered UNAUTHENTICATED so far. */
  public static native long unauthenticated(long writer);

  /** Adds a topic; its index. */
  public static native int topic(long writer, String fullName);

  /** Waits, at most so long, until {@link #publish} would not wait; whether it came to that. */
  public static native boolean room(long writer, int topic, int timeoutMs);

  /** Copies the rows; waits while too much is in flight. firstRow is only for messages. */
  public static native void publish(
      long writer, int topic, long address, long bytes, int rows, long firstRow);

  /**
   * Sends everything and waits, at most so long, until every row has its id; whether it came to
   * that. Throws what can not be sent.
   */
  public static native boolean flush(long writer, int timeoutMs);

  /** In the order of {@link WriterMetric}. */
  public static native void metrics(long writer, long[] out);

  public static native void close(long writer);
}
