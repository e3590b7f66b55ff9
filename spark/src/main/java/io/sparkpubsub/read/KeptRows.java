package io.sparkpubsub.read;

import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarArray;
import org.apache.spark.sql.vectorized.ColumnarMap;
import org.apache.spark.unsafe.types.UTF8String;

/** A column of a chunk from which rows are left out: row i is the source's row rows[i]. */
final class KeptRows extends ColumnVector {
  private final ColumnVector source;
  private final int[] rows;

  /** Owns its source, which is no struct. */
  KeptRows(ColumnVector source, int[] rows) {
    super(source.dataType());
    this.source = source;
    this.rows = rows;
  }

  @Override
  public void close() {
    source.close();
  }

  @Override
  public boolean hasNull() {
    return source.hasNull();
  }

  @Override
  public int numNulls() {
    return source.numNulls();
  }

  @Override
  public boolean isNullAt(int row) {
    return source.isNullAt(rows[row]);
  }

  @Override
  public boolean getBoolean(int row) {
    return source.getBoolean(rows[row]);
  }

  @Override
  public byte getByte(int row) {
    return source.getByte(rows[row]);
  }

  @Override
  public short getShort(int row) {
    return source.getShort(rows[row]);
  }

  @Override
  public int getInt(int row) {
    return source.getInt(rows[row]);
  }

  @Override
  public long getLong(int row) {
    return source.getLong(rows[row]);
  }

  @Override
  public float getFloat(int row) {
    return source.getFloat(rows[row]);
  }

  @Override
  public double getDouble(int row) {
    return source.getDouble(rows[row]);
  }

  @Override
  public ColumnarArray getArray(int row) {
    return source.getArray(rows[row]);
  }

  @Override
  public ColumnarMap getMap(int row) {
    return source.getMap(rows[row]);
  }

  @Override
  public Decimal getDecimal(int row, int precision, int scale) {
    return source.getDecimal(rows[row], precision, scale);
  }

  @Override
  public UTF8String getUTF8String(int row) {
    return source.getUTF8String(rows[row]);
  }

  @Override
  public byte[] getBinary(int row) {
    return source.getBinary(rows[row]);
  }

  @Override
  public ColumnVector getChild(int ordinal) {
    throw new UnsupportedOperationException("a struct has no rows left out");
  }
}
