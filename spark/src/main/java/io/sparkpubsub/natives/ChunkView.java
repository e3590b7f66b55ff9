package io.sparkpubsub.natives;

/**
 * Where the columns of one chunk lie in native memory. Filled by NativeReader; valid while the
 * chunk is held.
 */
public final class ChunkView {
  /** In the order of enum border_view. */
  enum Field {
    COLUMNS,
    ROWS,
    ATTRIBUTE_ENTRIES,
    ORDERING_KEY_NULLS,
    DELIVERY_ATTEMPT_NULLS,
    BYTES
  }

  /** In the order of enum pubsub_buffer. */
  public enum Buffer {
    MESSAGE_ID_OFFSETS,
    MESSAGE_ID_BYTES,
    DATA_OFFSETS,
    DATA_BYTES,
    ATTRIBUTES_OFFSETS,
    KEY_OFFSETS,
    KEY_BYTES,
    VALUE_OFFSETS,
    VALUE_BYTES,
    PUBLISH_TIME,
    ORDERING_KEY_VALIDITY,
    ORDERING_KEY_OFFSETS,
    ORDERING_KEY_BYTES,
    DELIVERY_ATTEMPT_VALIDITY,
    DELIVERY_ATTEMPT
  }

  private static final int BUFFERS = Field.values().length;
  static final int LONGS = BUFFERS + 2 * Buffer.values().length;

  final long[] longs = new long[LONGS];

  private long get(Field field) {
    return longs[field.ordinal()];
  }

  public int rows() {
    return (int) get(Field.ROWS);
  }

  /** Over all rows. */
  public int attributeEntries() {
    return (int) get(Field.ATTRIBUTE_ENTRIES);
  }

  public int orderingKeyNulls() {
    return (int) get(Field.ORDERING_KEY_NULLS);
  }

  public int deliveryAttemptNulls() {
    return (int) get(Field.DELIVERY_ATTEMPT_NULLS);
  }

  /** Used bytes of all column buffers. */
  public long bytes() {
    return get(Field.BYTES);
  }

  /** 0: the buffer is absent. */
  public long address(Buffer buffer) {
    return longs[BUFFERS + 2 * buffer.ordinal()];
  }

  public long bytes(Buffer buffer) {
    return longs[BUFFERS + 2 * buffer.ordinal() + 1];
  }
}
