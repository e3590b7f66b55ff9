package io.sparkpubsub.write;

import io.sparkpubsub.PubSubSchema;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * What the service would refuse of a row, looked at before it is handed over: only where such rows
 * go to a dead-letter topic. Otherwise C looks, and fails the task.
 */
final class RowLimits {
  static final int MESSAGE_BYTES = 10_000_000;
  static final int ATTRIBUTES = 100;

  private static final int KEY_BYTES = 256;
  private static final int VALUE_BYTES = 1024;
  private static final int FRAMING_BYTES = 1000; // of the message in its request
  private static final UTF8String RESERVED = UTF8String.fromString("goog");

  /**
   * Set by Google's own clients and the schema service: whoever copies messages writes them again.
   */
  private static final UTF8String CLIENTS = UTF8String.fromString("googclient_");

  private static final UTF8String TRACE_ATTRIBUTE =
      UTF8String.fromString(PubSubSchema.TRACE_ATTRIBUTE);

  private final SinkColumns columns;
  private final int ownAttributes;

  /** ownAttributes: what the writer adds to each row. */
  RowLimits(SinkColumns columns, int ownAttributes) {
    this.columns = columns;
    this.ownAttributes = ownAttributes + (columns.traceparent < 0 ? 0 : 1);
  }

  /** What is wrong with the row; null: nothing. */
  String problem(InternalRow row) {
    int dataBytes = columns.dataBytes(row);
    UTF8String orderingKey = columns.orderingKey(row);
    String wrongKey = orderingKey == null ? null : orderingKeyProblem(orderingKey);
    if (wrongKey != null) {
      return wrongKey;
    }
    MapData map = columns.attributes(row);
    int count = map == null ? 0 : map.numElements();
    if (count + ownAttributes > ATTRIBUTES) {
      return "there are " + (count + ownAttributes) + " attributes, the limit is " + ATTRIBUTES;
    }
    if (dataBytes == 0 && count + ownAttributes == 0) {
      return "there is neither data nor an attribute";
    }
    UTF8String trace = columns.traceparent(row);
    String wrongTrace = trace == null ? null : attributeProblem(TRACE_ATTRIBUTE, trace);
    if (wrongTrace != null) {
      return wrongTrace;
    }
    long bytes =
        (long) FRAMING_BYTES + dataBytes + (orderingKey == null ? 0 : orderingKey.numBytes());
    for (int i = 0; i < count; i++) {
      UTF8String key = map.keyArray().getUTF8String(i);
      UTF8String value = value(map, i);
      String wrong = attributeProblem(key, value);
      if (wrong != null) {
        return wrong;
      }
      bytes += key.numBytes() + value.numBytes();
    }
    return bytes > MESSAGE_BYTES
        ? "the message has " + bytes + " bytes, the limit is " + MESSAGE_BYTES
        : null;
  }

  /** Of entry i; null: it is null. */
  static UTF8String value(MapData map, int i) {
    ArrayData values = map.valueArray();
    return values.isNullAt(i) ? null : values.getUTF8String(i);
  }

  /** What is wrong with an ordering key; null: nothing. */
  static String orderingKeyProblem(UTF8String key) {
    if (key.numBytes() > VALUE_BYTES) {
      return "the ordering key has " + key.numBytes() + " bytes, the limit is " + VALUE_BYTES;
    }
    return Utf8.isValid(key) ? null : "the ordering key is not valid UTF-8";
  }

  /** What is wrong with an attribute; null: nothing. */
  static String attributeProblem(UTF8String key, UTF8String value) {
    if (key.numBytes() == 0 || key.numBytes() > KEY_BYTES) {
      return "an attribute's key has " + key.numBytes() + " bytes, the limit is " + KEY_BYTES;
    }
    if (!Utf8.isValid(key)) {
      return "an attribute's key is not valid UTF-8";
    }
    if (key.startsWith(RESERVED) && !key.startsWith(CLIENTS)) {
      return "attribute '" + key + "': keys that begin with 'goog' are reserved";
    }
    if (value == null) {
      return "the value of attribute '" + key + "' is null";
    }
    if (value.numBytes() > VALUE_BYTES) {
      return "the value of attribute '"
          + key
          + "' has "
          + value.numBytes()
          + " bytes, the limit is "
          + VALUE_BYTES;
    }
    return Utf8.isValid(value) ? null : "the value of attribute '" + key + "' is not valid UTF-8";
  }
}
