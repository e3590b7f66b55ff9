package io.sparkpubsub.read;

import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarArray;
import org.apache.spark.sql.vectorized.ColumnarMap;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * The column `payload` of one chunk: a struct whose fields are decoded when they are first used.
 */
final class PayloadVector extends ColumnVector {
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

  private static UnsupportedOperationException other() {
    return new UnsupportedOperationException("the payload is a STRUCT");
  }

  @Override
  public boolean getBoolean(int row) {
    throw other();
  }

  @Override
  public byte getByte(int row) {
    throw other();
  }

  @Override
  public short getShort(int row) {
    throw other();
  }

  @Override
  public int getInt(int row) {
    throw other();
  }

  @Override
  public long getLong(int row) {
    throw other();
  }

  @Override
  public float getFloat(int row) {
    throw other();
  }

  @Override
  public double getDouble(int row) {
    throw other();
  }

  @Override
  public ColumnarArray getArray(int row) {
    throw other();
  }

  @Override
  public ColumnarMap getMap(int row) {
    throw other();
  }

  @Override
  public Decimal getDecimal(int row, int precision, int scale) {
    throw other();
  }

  @Override
  public UTF8String getUTF8String(int row) {
    throw other();
  }

  @Override
  public byte[] getBinary(int row) {
    throw other();
  }
}
