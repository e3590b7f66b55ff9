package io.sparkpubsub.write;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The service's limits of a message, looked at before it is handed over: only where rows over them go to a dead-letter topic. */
final class RowLimits {
  static final int MESSAGE_BYTES = 10_000_000;
  /** What a dead letter may keep of the data: the attribute and the request's own fields need room too. */
  static final int DEAD_LETTER_BYTES = MESSAGE_BYTES - 10_000;

  private static final int ATTRIBUTES = 100;
  private static final int KEY_BYTES = 256;
  private static final int VALUE_BYTES = 1024;
  private static final int FRAMING_BYTES = 1000; // of the message in its request

  private final int data;
  private final boolean dataIsString;
  private final int attributes;
  private final int orderingKey;
  private final int ownAttributes;

  /** ownAttributes: what the writer adds to each row. */
  RowLimits(StructType schema, int ownAttributes) {
    data = schema.fieldIndex("data");
    dataIsString = schema.fields()[data].dataType().equals(DataTypes.StringType);
    attributes = RowBlock.indexOf(schema, "attributes");
    orderingKey = RowBlock.indexOf(schema, "ordering_key");
    this.ownAttributes = ownAttributes;
  }

  byte[] data(InternalRow row) {
    if (row.isNullAt(data)) {
      return new byte[0];
    }
    return dataIsString ? row.getUTF8String(data).getBytes() : row.getBinary(data);
  }

  /** What is wrong with the row; null: nothing. */
  String problem(InternalRow row) {
    long bytes = FRAMING_BYTES;
    long dataBytes = 0;
    if (!row.isNullAt(data)) {
      dataBytes = dataIsString ? row.getUTF8String(data).numBytes() : row.getBinary(data).length;
    }
    bytes += dataBytes;
    if (orderingKey >= 0 && !row.isNullAt(orderingKey)) {
      int key = row.getUTF8String(orderingKey).numBytes();
      if (key > VALUE_BYTES) {
        return "the ordering key has " + key + " bytes, the limit is " + VALUE_BYTES;
      }
      bytes += key;
    }
    MapData map = attributes < 0 || row.isNullAt(attributes) ? null : row.getMap(attributes);
    int count = map == null ? 0 : map.numElements();
    if (count + ownAttributes > ATTRIBUTES) {
      return "there are " + (count + ownAttributes) + " attributes, the limit is " + ATTRIBUTES;
    }
    if (dataBytes == 0 && count + ownAttributes == 0) {
      return "there is neither data nor an attribute";
    }
    for (int i = 0; i < count; i++) {
      ArrayData keys = map.keyArray();
      ArrayData values = map.valueArray();
      int key = keys.getUTF8String(i).numBytes();
      if (key == 0 || key > KEY_BYTES) {
        return "an attribute's key has " + key + " bytes, the limit is " + KEY_BYTES;
      }
      if (values.isNullAt(i)) {
        return "the attribute " + keys.getUTF8String(i) + " is null";
      }
      int value = values.getUTF8String(i).numBytes();
      if (value > VALUE_BYTES) {
        return "the attribute " + keys.getUTF8String(i) + " has " + value + " bytes, the limit is " + VALUE_BYTES;
      }
      bytes += key + value;
    }
    return bytes > MESSAGE_BYTES ? "the message has " + bytes + " bytes, the limit is " + MESSAGE_BYTES : null;
  }
}
