package io.sparkpubsub.natives;

/** Where the columns of a batch of payloads lie in native memory, in the order of the schema. */
public final class PayloadView {
  /** In the order of enum border_payload. */
  enum Field {
    ROWS,
    NULLS,
    VALIDITY,
    OFFSETS,
    DATA
  }

  static final int LONGS = Field.values().length;

  final long[] longs;

  /** Of so many columns. */
  public PayloadView(int columns) {
    longs = new long[columns * LONGS];
  }

  private long get(int column, Field field) {
    return longs[column * LONGS + field.ordinal()];
  }

  public int rows(int column) {
    return (int) get(column, Field.ROWS);
  }

  public int nulls(int column) {
    return (int) get(column, Field.NULLS);
  }

  /** Address of a bitmap: bit i is set where row i is not null. */
  public long validity(int column) {
    return get(column, Field.VALIDITY);
  }

  /** Address of rows + 1 ints: of text, bytes, arrays and maps. */
  public long offsets(int column) {
    return get(column, Field.OFFSETS);
  }

  public long data(int column) {
    return get(column, Field.DATA);
  }
}
