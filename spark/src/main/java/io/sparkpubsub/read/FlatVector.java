package io.sparkpubsub.read;

import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarArray;
import org.apache.spark.sql.vectorized.ColumnarMap;
import org.apache.spark.unsafe.types.UTF8String;

/** A column that is a field of the payload: decoded when it is first used. */
final class FlatVector extends ColumnVector {
  private final PayloadDecoder decoder;
  private final int ordinal;
  private final ColumnVector attribute;
  private final Runnable release;
  private ColumnVector decoded;

  /**
   * @param attribute what stands in where the field is null; null: nothing does
   * @param release lets the chunk go
   */
  FlatVector(PayloadDecoder decoder, int ordinal, ColumnVector attribute, Runnable release) {
    super(decoder.plan().type().fields()[ordinal].dataType());
    this.decoder = decoder;
    this.ordinal = ordinal;
    this.attribute = attribute;
    this.release = release;
  }

  private ColumnVector column() {
    if (decoded == null) {
      decoded = decoder.field(ordinal);
    }
    return decoded;
  }

  @Override
  public void close() {
    if (attribute != null) {
      attribute.close();
    }
    release.run();
  }

  @Override
  public boolean hasNull() {
    return true; // may have
  }

  @Override
  public int numNulls() {
    return column().numNulls();
  }

  @Override
  public boolean isNullAt(int row) {
    return column().isNullAt(row) && (attribute == null || attribute.isNullAt(row));
  }

  @Override
  public boolean getBoolean(int row) {
    return column().getBoolean(row);
  }

  @Override
  public byte getByte(int row) {
    return column().getByte(row);
  }

  @Override
  public short getShort(int row) {
    return column().getShort(row);
  }

  @Override
  public int getInt(int row) {
    return column().getInt(row);
  }

  @Override
  public long getLong(int row) {
    return column().getLong(row);
  }

  @Override
  public float getFloat(int row) {
    return column().getFloat(row);
  }

  @Override
  public double getDouble(int row) {
    return column().getDouble(row);
  }

  @Override
  public ColumnarArray getArray(int row) {
    return column().getArray(row);
  }

  @Override
  public ColumnarMap getMap(int row) {
    return column().getMap(row);
  }

  @Override
  public Decimal getDecimal(int row, int precision, int scale) {
    return column().getDecimal(row, precision, scale);
  }

  @Override
  public UTF8String getUTF8String(int row) {
    UTF8String text = column().getUTF8String(row);
    return text == null && attribute != null ? attribute.getUTF8String(row) : text;
  }

  @Override
  public byte[] getBinary(int row) {
    return column().getBinary(row);
  }

  @Override
  public ColumnVector getChild(int child) {
    return column().getChild(child);
  }
}
