package io.sparkpubsub.write;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A row that the service would refuse, as it goes to the dead-letter topic: its data, cut only
 * where it does not fit, what is valid of its attributes and its ordering key, and the reason in
 * the attribute {@code pubsub_error}. Views into the row.
 */
final class DeadLetter {
  private static final UTF8String REASON = UTF8String.fromString("pubsub_error");

  /** Of a message, besides its data and attributes. */
  private static final int FRAMING_BYTES = 2000;

  final byte[] data;
  final int dataBytes;
  final UTF8String orderingKey; // null: none
  final Map<UTF8String, UTF8String> attributes = new LinkedHashMap<>();

  DeadLetter(SinkColumns columns, InternalRow row, String reason) {
    attributes.put(REASON, UTF8String.fromString(reason));
    int bytes = FRAMING_BYTES + keepAttributes(columns.attributes(row));
    UTF8String key = columns.orderingKey(row);
    orderingKey = key != null && RowLimits.orderingKeyProblem(key) == null ? key : null;
    bytes += orderingKey == null ? 0 : orderingKey.numBytes();
    data = columns.data(row);
    dataBytes = Math.min(data.length, RowLimits.MESSAGE_BYTES - bytes);
  }

  /** Returns the bytes that they take. */
  private int keepAttributes(MapData map) {
    int bytes = 0;
    int count = map == null ? 0 : map.numElements();
    for (int i = 0; i < count && attributes.size() < RowLimits.ATTRIBUTES; i++) {
      UTF8String key = map.keyArray().getUTF8String(i);
      UTF8String value = RowLimits.value(map, i);
      if (RowLimits.attributeProblem(key, value) == null
          && attributes.putIfAbsent(key, value) == null) {
        bytes += key.numBytes() + value.numBytes() + 20; // with its framing
      }
    }
    return bytes;
  }
}
