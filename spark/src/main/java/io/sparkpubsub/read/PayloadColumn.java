package io.sparkpubsub.read;

import io.sparkpubsub.natives.PayloadView;
import java.math.BigDecimal;
import java.math.BigInteger;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarArray;
import org.apache.spark.sql.vectorized.ColumnarMap;
import org.apache.spark.unsafe.Platform;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A column of a decoded payload, read where the native decoder has put it, in Arrow's layout. Its
 * children are those of its type. The memory is the decoder's.
 */
final class PayloadColumn extends ColumnVector {
  private static final int DECIMAL_BYTES = 16;
  private static final int LONG_DIGITS = 18; // of which a long holds all

  private final int index; // in the order of the schema
  private final PayloadColumn[] children;
  private long validity;
  private long offsets;
  private long data;
  private int rows;
  private int nulls;

  /** Takes the indexes from next[0] on, one for each column of the tree. */
  PayloadColumn(DataType type, int[] next) {
    super(type);
    index = next[0]++;
    children = children(type, next);
  }

  private static PayloadColumn[] children(DataType type, int[] next) {
    if (type instanceof StructType) {
      StructField[] fields = ((StructType) type).fields();
      PayloadColumn[] out = new PayloadColumn[fields.length];
      for (int i = 0; i < fields.length; i++) {
        out[i] = new PayloadColumn(fields[i].dataType(), next);
      }
      return out;
    }
    if (type instanceof ArrayType) {
      return new PayloadColumn[] {new PayloadColumn(((ArrayType) type).elementType(), next)};
    }
    if (type instanceof MapType) {
      PayloadColumn key = new PayloadColumn(DataTypes.StringType, next);
      return new PayloadColumn[] {key, new PayloadColumn(((MapType) type).valueType(), next)};
    }
    return new PayloadColumn[0];
  }

  /** Looks where it lies now, its children too. */
  void point(PayloadView view) {
    validity = view.validity(index);
    offsets = view.offsets(index);
    data = view.data(index);
    rows = view.rows(index);
    nulls = view.nulls(index);
    for (PayloadColumn child : children) {
      child.point(view);
    }
  }

  int rows() {
    return rows;
  }

  @Override
  public void close() {}

  @Override
  public boolean hasNull() {
    return nulls > 0;
  }

  @Override
  public int numNulls() {
    return nulls;
  }

  private static boolean bit(long bits, int row) {
    return (Platform.getByte(null, bits + (row >> 3)) >> (row & 7) & 1) != 0;
  }

  @Override
  public boolean isNullAt(int row) {
    return nulls > 0 && !bit(validity, row);
  }

  @Override
  public boolean getBoolean(int row) {
    return bit(data, row);
  }

  @Override
  public byte getByte(int row) {
    return Platform.getByte(null, data + row);
  }

  @Override
  public short getShort(int row) {
    return Platform.getShort(null, data + 2L * row);
  }

  @Override
  public int getInt(int row) {
    return Platform.getInt(null, data + 4L * row);
  }

  @Override
  public long getLong(int row) {
    return Platform.getLong(null, data + 8L * row);
  }

  @Override
  public float getFloat(int row) {
    return Platform.getFloat(null, data + 4L * row);
  }

  @Override
  public double getDouble(int row) {
    return Platform.getDouble(null, data + 8L * row);
  }

  private int offset(int row) {
    return Platform.getInt(null, offsets + 4L * row);
  }

  @Override
  public UTF8String getUTF8String(int row) {
    if (isNullAt(row)) {
      return null;
    }
    int from = offset(row);
    return UTF8String.fromAddress(null, data + from, offset(row + 1) - from);
  }

  @Override
  public byte[] getBinary(int row) {
    if (isNullAt(row)) {
      return null;
    }
    int from = offset(row);
    byte[] out = new byte[offset(row + 1) - from];
    Platform.copyMemory(null, data + from, out, Platform.BYTE_ARRAY_OFFSET, out.length);
    return out;
  }

  @Override
  public Decimal getDecimal(int row, int precision, int scale) {
    if (isNullAt(row)) {
      return null;
    }
    long at = data + (long) DECIMAL_BYTES * row;
    if (precision <= LONG_DIGITS) {
      return Decimal.createUnsafe(Platform.getLong(null, at), precision, scale);
    }
    byte[] bytes = new byte[DECIMAL_BYTES]; // most significant first
    for (int i = 0; i < DECIMAL_BYTES; i++) {
      bytes[DECIMAL_BYTES - 1 - i] = Platform.getByte(null, at + i);
    }
    return Decimal.apply(new BigDecimal(new BigInteger(bytes), scale), precision, scale);
  }

  @Override
  public ColumnarArray getArray(int row) {
    if (isNullAt(row)) {
      return null;
    }
    int from = offset(row);
    return new ColumnarArray(children[0], from, offset(row + 1) - from);
  }

  @Override
  public ColumnarMap getMap(int row) {
    if (isNullAt(row)) {
      return null;
    }
    int from = offset(row);
    return new ColumnarMap(children[0], children[1], from, offset(row + 1) - from);
  }

  @Override
  public ColumnVector getChild(int ordinal) {
    return children[ordinal];
  }
}
