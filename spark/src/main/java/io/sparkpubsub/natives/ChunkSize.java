package io.sparkpubsub.natives;

/** Rows and column bytes of one sealed chunk. */
public final class ChunkSize {
  /** In the order of enum border_size. */
  enum Field {
    ROWS,
    BYTES
  }

  /** Longs of one size. */
  public static final int LONGS = Field.values().length;

  public final long rows;
  public final long bytes;

  public ChunkSize(long rows, long bytes) {
    this.rows = rows;
    this.bytes = bytes;
  }

  /** Size i of those that NativeReader.chunkSizes has filled. */
  public static ChunkSize at(long[] sizes, int i) {
    return new ChunkSize(sizes[i * LONGS + Field.ROWS.ordinal()], sizes[i * LONGS + Field.BYTES.ordinal()]);
  }
}
