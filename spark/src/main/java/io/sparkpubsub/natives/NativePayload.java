package io.sparkpubsub.natives;

/**
 * A native decoder of payloads. A handle belongs to one thread at a time and ends with {@link
 * #close}; whoever has it takes care of both. Nothing here waits.
 */
public final class NativePayload {
  public static final int PERMISSIVE = 0;
  public static final int FAILFAST = 1;
  public static final int DROPMALFORMED = 2;

  /** Bits of what JSON may be, in the order of enum pubsub_payload_allow. */
  public static final int ALLOW_COMMENTS = 1;

  public static final int ALLOW_UNQUOTED_NAMES = 1 << 1;
  public static final int ALLOW_SINGLE_QUOTES = 1 << 2;
  public static final int ALLOW_LEADING_ZEROS = 1 << 3;
  public static final int ALLOW_NON_NUMERIC_NUMBERS = 1 << 4;
  public static final int ALLOW_BACKSLASH_ANY = 1 << 5;
  public static final int ALLOW_CONTROL_CHARS = 1 << 6;

  private NativePayload() {}

  /**
   * Schema and name in UTF-8, the name may be null. The zone: local second and offset before it, …
   * and the offset after all.
   */
  public static long open(
      byte[] schema, int mode, int allow, byte[] corruptRecord, long[] zone, int lastOffset) {
    NativeLoader.load();
    return openPayload(schema, mode, allow, corruptRecord, zone, lastOffset);
  }

  private static native long openPayload(
      byte[] schema, int mode, int allow, byte[] corruptRecord, long[] zone, int lastOffset);

  /** The payloads of a batch, by address: they must stay until the next one. */
  public static native void begin(long handle, long offsets, long bytes, int rows);

  /** Decodes those fields (bits; null: all) of the batch that have not been. */
  public static native void decode(long handle, long[] fields);

  /** Where the last {@link #decode} has failed. */
  public static native int failedRow(long handle);

  /** Where the columns are. */
  public static void columns(long handle, PayloadView view) {
    columns(handle, view.longs);
  }

  private static native void columns(long handle, long[] out);

  /** Address of the rows that stay, as ints; 0: all do. */
  public static native long kept(long handle);

  public static native void close(long handle);
}
