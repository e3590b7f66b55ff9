package io.sparkpubsub.read;

import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarMap;
import org.apache.spark.unsafe.types.UTF8String;

/** Columns that are not in a chunk as they are: made of one that is, row by row. */
final class DerivedVectors {
  private DerivedVectors() {}

  /** publish_time as ms since 1970. */
  static ColumnVector millis(ColumnVector time) {
    return new Derived(DataTypes.LongType, time) {
      @Override
      public long getLong(int row) {
        return Math.floorDiv(source.getLong(row), 1000L);
      }
    };
  }

  /** attributes as a JSON object. */
  static ColumnVector json(ColumnVector attributes) {
    return new Derived(DataTypes.StringType, attributes) {
      @Override
      public UTF8String getUTF8String(int row) {
        ColumnarMap map = source.getMap(row);
        StringBuilder out = new StringBuilder("{");
        for (int i = 0; i < map.numElements(); i++) {
          if (i > 0) {
            out.append(',');
          }
          quote(out, map.keyArray().getUTF8String(i).toString());
          out.append(':');
          quote(out, map.valueArray().getUTF8String(i).toString());
        }
        return UTF8String.fromString(out.append('}').toString());
      }
    };
  }

  /** One attribute as a string; null where a message does not have it. */
  static ColumnVector attribute(ColumnVector attributes, String name) {
    UTF8String key = UTF8String.fromString(name);
    return new Derived(DataTypes.StringType, attributes) {
      @Override
      public boolean hasNull() {
        return true; // may have
      }

      @Override
      public boolean isNullAt(int row) {
        return getUTF8String(row) == null;
      }

      @Override
      public UTF8String getUTF8String(int row) {
        ColumnarMap map = source.getMap(row);
        for (int i = 0; i < map.numElements(); i++) {
          if (map.keyArray().getUTF8String(i).equals(key)) {
            return map.valueArray().getUTF8String(i);
          }
        }
        return null;
      }
    };
  }

  private static void quote(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }

  /** Owns its source; without nulls, unless it says so. */
  private abstract static class Derived extends RefusingVector {
    final ColumnVector source;

    Derived(DataType type, ColumnVector source) {
      super(type);
      this.source = source;
    }

    @Override
    public void close() {
      source.close();
    }

    @Override
    public boolean hasNull() {
      return false;
    }

    @Override
    public int numNulls() {
      return 0;
    }

    @Override
    public boolean isNullAt(int row) {
      return false;
    }
  }
}
