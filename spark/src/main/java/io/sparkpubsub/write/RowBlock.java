package io.sparkpubsub.write;

import io.sparkpubsub.PubSubSchema;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.unsafe.Platform;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Rows packed into off-heap memory, as include/pubsub/publisher.h lays them out: little-endian u32
 * lengths, 0xFFFFFFFF for null. The memory is this object's until {@link #free}.
 */
final class RowBlock {
  private static final int NULL = -1;
  private static final UTF8String TRACE_ATTRIBUTE =
      UTF8String.fromString(PubSubSchema.TRACE_ATTRIBUTE);
  private static final long FULL_BYTES = 1 << 20;
  private static final int FULL_ROWS = 1000;

  private final SinkColumns columns;
  private final RowId id; // null: rows get none
  private long address;
  private long capacity = FULL_BYTES + (64 << 10);
  private long used;
  private int rows;

  RowBlock(SinkColumns columns, RowId id) {
    this.columns = columns;
    this.id = id;
    address = Platform.allocateMemory(capacity);
  }

  long address() {
    return address;
  }

  long bytes() {
    return used;
  }

  int rows() {
    return rows;
  }

  boolean full() {
    return rows >= FULL_ROWS || used >= FULL_BYTES;
  }

  void clear() {
    used = 0;
    rows = 0;
  }

  void free() {
    if (address != 0) {
      Platform.freeMemory(address);
      address = 0;
    }
  }

  void add(InternalRow row) {
    long start = used;
    putInt(0); // the row's length, known below
    int data = columns.data;
    if (data < 0 || row.isNullAt(data)) {
      putInt(NULL);
    } else if (columns.dataIsString || row instanceof UnsafeRow) {
      putText(row.getUTF8String(data)); // of an UnsafeRow: a view of the bytes, whatever the type
    } else {
      byte[] bytes = row.getBinary(data);
      putInt(bytes.length);
      put(bytes, Platform.BYTE_ARRAY_OFFSET, bytes.length);
    }
    putOptionalText(columns.orderingKey(row));
    putAttributes(columns.attributes(row), columns.traceparent(row));
    end(start);
  }

  /** A row that could not be published as it is: what of it may be, and why. */
  void add(DeadLetter letter) {
    long start = used;
    putInt(0);
    putInt(letter.dataBytes);
    put(letter.data, Platform.BYTE_ARRAY_OFFSET, letter.dataBytes);
    putOptionalText(letter.orderingKey);
    putInt(letter.attributes.size());
    letter.attributes.forEach(
        (key, value) -> {
          putText(key);
          putText(value);
        });
    end(start);
  }

  private void end(long start) {
    Platform.putInt(null, address + start, (int) (used - start - 4));
    rows++;
  }

  /** trace: stands for what the map says of it; null: none. */
  private void putAttributes(MapData map, UTF8String trace) {
    int elements = map == null ? 0 : map.numElements();
    int count = 0;
    long countAt = used;
    putInt(0); // known below
    if (id != null) {
      count += putAttribute(id.attribute, id.next());
    }
    if (trace != null) {
      count += putAttribute(TRACE_ATTRIBUTE, trace);
    }
    ArrayData keys = elements == 0 ? null : map.keyArray();
    ArrayData values = elements == 0 ? null : map.valueArray();
    for (int i = 0; i < elements; i++) {
      UTF8String key = keys.getUTF8String(i);
      if (trace == null || !key.equals(TRACE_ATTRIBUTE)) {
        count += putAttribute(key, values.isNullAt(i) ? null : values.getUTF8String(i));
      }
    }
    Platform.putInt(null, address + countAt, count);
  }

  private int putAttribute(UTF8String key, UTF8String value) {
    putText(key);
    putOptionalText(value);
    return 1;
  }

  private void putOptionalText(UTF8String text) {
    if (text == null) {
      putInt(NULL);
    } else {
      putText(text);
    }
  }

  private void putText(UTF8String text) {
    putInt(text.numBytes());
    put(text.getBaseObject(), text.getBaseOffset(), text.numBytes());
  }

  private void putInt(int value) {
    reserve(4);
    Platform.putInt(null, address + used, value);
    used += 4;
  }

  private void put(Object base, long offset, long bytes) {
    reserve(bytes);
    Platform.copyMemory(base, offset, null, address + used, bytes);
    used += bytes;
  }

  private void reserve(long more) {
    if (used + more <= capacity) {
      return;
    }
    long larger = Math.max(capacity * 2, used + more);
    address = Platform.reallocateMemory(address, used, larger);
    capacity = larger;
  }
}
