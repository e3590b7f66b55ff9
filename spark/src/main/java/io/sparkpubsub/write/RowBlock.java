package io.sparkpubsub.write;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.Platform;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Rows packed into off-heap memory, as include/pubsub/publisher.h lays them out: little-endian u32 lengths, 0xFFFFFFFF for null.
 * The memory is this object's until {@link #free}.
 */
final class RowBlock {
  private static final int NULL = -1;
  private static final long FULL_BYTES = 1 << 20;
  private static final int FULL_ROWS = 1000;

  private final int data;
  private final boolean dataIsString;
  private final int attributes; // -1: no such column
  private final int orderingKey;
  private final RowId id; // null: rows get none
  private long address;
  private long capacity = FULL_BYTES + (64 << 10);
  private long used;
  private int rows;

  RowBlock(StructType schema, RowId id) {
    this.id = id;
    data = schema.fieldIndex("data");
    dataIsString = schema.fields()[data].dataType().equals(DataTypes.StringType);
    attributes = indexOf(schema, "attributes");
    orderingKey = indexOf(schema, "ordering_key");
    address = Platform.allocateMemory(capacity);
  }

  static int indexOf(StructType schema, String name) {
    for (int i = 0; i < schema.size(); i++) {
      if (schema.fields()[i].name().equals(name)) {
        return i;
      }
    }
    return -1;
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
    if (row.isNullAt(data)) {
      putInt(NULL);
    } else if (dataIsString || row instanceof UnsafeRow) {
      putText(row.getUTF8String(data)); // of an UnsafeRow: a view of the bytes, whatever the type
    } else {
      byte[] bytes = row.getBinary(data);
      putInt(bytes.length);
      put(bytes, Platform.BYTE_ARRAY_OFFSET, bytes.length);
    }
    if (orderingKey < 0 || row.isNullAt(orderingKey)) {
      putInt(NULL);
    } else {
      putText(row.getUTF8String(orderingKey));
    }
    putAttributes(attributes < 0 || row.isNullAt(attributes) ? null : row.getMap(attributes));
    end(start);
  }

  /** A row that could not be published as it is: as much of its data as may be, and why. */
  void addDeadLetter(byte[] bytes, int length, String why) {
    long start = used;
    putInt(0);
    putInt(length);
    put(bytes, Platform.BYTE_ARRAY_OFFSET, length);
    putInt(NULL);
    putInt(1);
    putText(UTF8String.fromString("pubsub_error"));
    putText(UTF8String.fromString(why));
    end(start);
  }

  private void end(long start) {
    Platform.putInt(null, address + start, (int) (used - start - 4));
    rows++;
  }

  private void putAttributes(MapData map) {
    int count = map == null ? 0 : map.numElements();
    putInt(count + (id == null ? 0 : 1));
    if (id != null) {
      putText(id.attribute);
      putText(id.next());
    }
    if (count == 0) {
      return;
    }
    ArrayData keys = map.keyArray();
    ArrayData values = map.valueArray();
    for (int i = 0; i < count; i++) {
      putText(keys.getUTF8String(i));
      if (values.isNullAt(i)) {
        putInt(NULL);
      } else {
        putText(values.getUTF8String(i));
      }
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
