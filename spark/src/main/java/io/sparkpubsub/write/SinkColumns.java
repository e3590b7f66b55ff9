package io.sparkpubsub.write;

import io.sparkpubsub.PubSubSchema;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Locale;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.NullType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Where a sink's columns stand in its rows; -1: there is none. A column of untyped nulls is none.
 * Every string type is a string: with a collation, CHAR and VARCHAR. Says in words which columns a
 * sink takes.
 */
final class SinkColumns implements Serializable {
  private static final long serialVersionUID = 1;
  private static final String EXPECTED =
      "a pubsub sink takes data (BINARY or STRING), attributes (MAP<STRING,STRING>), at least one"
          + " of them, ordering_key (STRING, optional) and topic (STRING, optional)";
  private static final String[] NAMES = {
    "data", "attributes", "ordering_key", "topic", PubSubSchema.TRACEPARENT
  };
  private static final int DATA = 0;
  private static final int ATTRIBUTES = 1;
  private static final int ORDERING_KEY = 2;
  private static final int TOPIC = 3;
  private static final int TRACEPARENT = 4; // on request

  final int data;
  final int attributes;
  final int orderingKey;
  final int topic;
  final int traceparent;
  final boolean dataIsString;

  /**
   * caseSensitive: as the session resolves names; traces: a column traceparent is taken. Throws
   * IllegalArgumentException in words for the user.
   */
  SinkColumns(StructType schema, boolean caseSensitive, boolean traces) {
    int[] at = {-1, -1, -1, -1, -1};
    boolean[] seen = new boolean[NAMES.length];
    for (int i = 0; i < schema.size(); i++) {
      StructField field = schema.fields()[i];
      int column = column(field.name(), caseSensitive);
      if (column < 0 || (column == TRACEPARENT && !traces)) {
        throw new IllegalArgumentException(unknown(field.name()));
      }
      if (seen[column]) {
        throw new IllegalArgumentException(
            "column '" + field.name() + "' is there twice: " + EXPECTED);
      }
      if (!isGood(column, field.dataType())) {
        throw new IllegalArgumentException(
            "column '" + field.name() + "' is of type " + field.dataType().sql() + ": " + EXPECTED);
      }
      seen[column] = true;
      at[column] = isNull(field.dataType()) ? -1 : i;
    }
    if (!seen[DATA] && !seen[ATTRIBUTES]) {
      throw new IllegalArgumentException(
          "there is neither a column 'data' nor 'attributes': " + EXPECTED);
    }
    data = at[DATA];
    attributes = at[ATTRIBUTES];
    orderingKey = at[ORDERING_KEY];
    topic = at[TOPIC];
    traceparent = at[TRACEPARENT];
    dataIsString = data >= 0 && isString(schema.fields()[data].dataType());
  }

  private static int column(String name, boolean caseSensitive) {
    return Arrays.asList(NAMES).indexOf(caseSensitive ? name : name.toLowerCase(Locale.ROOT));
  }

  private static String unknown(String name) {
    boolean unnamed = name.matches("col\\d+");
    return "unknown column '"
        + name
        + "': "
        + EXPECTED
        + (name.equalsIgnoreCase(PubSubSchema.TRACEPARENT)
            ? ". With traceContext=true also traceparent (STRING)"
            : "")
        + (unnamed ? ". Name what is inserted: INSERT INTO … SELECT 'hello' AS data" : "");
  }

  private static boolean isGood(int column, DataType type) {
    if (type instanceof NullType) {
      return true;
    }
    switch (column) {
      case DATA:
        return type instanceof BinaryType || isString(type);
      case ATTRIBUTES:
        return type instanceof MapType && (isNull(type) || isText((MapType) type));
      default:
        return isString(type);
    }
  }

  private static boolean isText(MapType map) {
    return isString(map.keyType())
        && (isString(map.valueType()) || map.valueType() instanceof NullType);
  }

  /** There is nothing in it: untyped nulls, or maps without a type, which are empty. */
  private static boolean isNull(DataType type) {
    return type instanceof NullType
        || (type instanceof MapType && ((MapType) type).keyType() instanceof NullType);
  }

  private static boolean isString(DataType type) {
    String name = type.typeName().toLowerCase(Locale.ROOT);
    return type instanceof StringType || name.startsWith("varchar") || name.startsWith("char");
  }

  /** Of a row; null: none. */
  UTF8String orderingKey(InternalRow row) {
    return orderingKey < 0 || row.isNullAt(orderingKey) ? null : row.getUTF8String(orderingKey);
  }

  /** Of a row; null: none. */
  UTF8String traceparent(InternalRow row) {
    return traceparent < 0 || row.isNullAt(traceparent) ? null : row.getUTF8String(traceparent);
  }

  /** Of a row; null: none. */
  MapData attributes(InternalRow row) {
    return attributes < 0 || row.isNullAt(attributes) ? null : row.getMap(attributes);
  }

  /** Of a row, copied; empty where it is null. */
  byte[] data(InternalRow row) {
    if (data < 0 || row.isNullAt(data)) {
      return new byte[0];
    }
    return dataIsString ? row.getUTF8String(data).getBytes() : row.getBinary(data);
  }

  /** Length of a row's data; 0 where it is null. */
  int dataBytes(InternalRow row) {
    if (data < 0 || row.isNullAt(data)) {
      return 0;
    }
    boolean view = dataIsString || row instanceof UnsafeRow; // whatever the type: no copy
    return view ? row.getUTF8String(data).numBytes() : row.getBinary(data).length;
  }
}
