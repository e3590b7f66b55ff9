package io.sparkpubsub.read;

import org.apache.spark.sql.vectorized.ColumnVector;

/**
 * The column `payload` of one chunk: a struct whose fields are decoded when they are first used.
 */
final class PayloadVector extends RefusingVector {
  private final PayloadDecoder decoder;
  private final Runnable release;
  private final PayloadColumn[] fields;

  /**
   * @param release lets the chunk go
   */
  PayloadVector(PayloadDecoder decoder, Runnable release) {
    super(decoder.plan().type());
    this.decoder = decoder;
    this.release = release;
    this.fields = new PayloadColumn[decoder.plan().type().size()];
  }

  @Override
  public void close() {
    release.run();
  }

  @Override
  public boolean hasNull() {
    return true; // may have
  }

  @Override
  public int numNulls() {
    return 0;
  }

  @Override
  public boolean isNullAt(int row) {
    return decoder.isBlank(row);
  }

  @Override
  public ColumnVector getChild(int ordinal) {
    PayloadColumn field = fields[ordinal];
    if (field == null) {
      field = decoder.field(ordinal);
      fields[ordinal] = field;
    }
    return field;
  }
}
