package io.sparkpubsub.natives;

/** Rows and column bytes of one sealed chunk, and when the service got the oldest row. */
public final class ChunkSize {
  /** In the order of enum border_size. */
  enum Field {
    ROWS,
    BYTES,
    OLDEST_PUBLISH_US
  }

  /** Longs of one size. */
  public static final int LONGS = Field.values().length;

  public final long rows;
  public final long bytes;
  public final long oldestPublishUs;

  public ChunkSize(long rows, long bytes, long oldestPublishUs) {
    this.rows = rows;
    this.bytes = bytes;
    this.oldestPublishUs = oldestPublishUs;
  }

  /** Size i of those that NativeReader.chunkSizes has filled. */
  public static ChunkSize at(long[] sizes, int i) {
    int at = i * LONGS;
    return new ChunkSize(
        sizes[at + Field.ROWS.ordinal()],
        sizes[at + Field.BYTES.ordinal()],
        sizes[at + Field.OLDEST_PUBLISH_US.ordinal()]);
  }
}
