package io.sparkpubsub.read;

import io.sparkpubsub.PubSubSchema;
import io.sparkpubsub.natives.ChunkView;
import io.sparkpubsub.natives.ChunkView.Buffer;
import io.sparkpubsub.natives.NativeReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.spark.sql.execution.vectorized.ConstantColumnVector;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ArrowColumnVector;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A chunk as a ColumnarBatch over its native buffers, without a copy. The chunk is released with
 * the last vector.
 */
final class ChunkVectors {
  private static final BufferAllocator ALLOCATOR = new RootAllocator(Long.MAX_VALUE);
  private static final ArrowType UTF8 = new ArrowType.Utf8();
  private static final Field[] FIELDS = {
    field("message_id", UTF8),
    field("data", new ArrowType.Binary()),
    field(
        "attributes",
        new ArrowType.Map(false),
        field("entries", new ArrowType.Struct(), field("key", UTF8), field("value", UTF8))),
    field("publish_time", new ArrowType.Timestamp(TimeUnit.MICROSECOND, "UTC")),
    new Field("ordering_key", new FieldType(true, UTF8, null), null),
    new Field("delivery_attempt", new FieldType(true, new ArrowType.Int(32, true), null), null)
  };

  private ChunkVectors() {}

  private static Field field(String name, ArrowType type, Field... children) {
    return new Field(name, new FieldType(false, type, null), Arrays.asList(children));
  }

  /** Takes the chunk, of that subscription, in any case. The decoder of payloads may be null. */
  static ColumnarBatch wrap(
      long chunk, ChunkView view, StructType schema, String subscription, PayloadDecoder payloads) {
    Buffers buffers = new Buffers(chunk, view);
    ColumnVector[] columns = new ColumnVector[schema.size()];
    boolean done = false;
    try {
      int[] kept = null;
      if (payloads != null) {
        payloads.begin(view);
        kept = payloads.plan().drops() ? payloads.kept() : null;
      }
      for (int i = 0; i < columns.length; i++) {
        columns[i] = column(schema.fields()[i], buffers, subscription, payloads, kept);
      }
      done = true;
      return new ColumnarBatch(columns, kept == null ? buffers.rows : kept.length);
    } finally {
      if (!done) {
        for (ColumnVector column : columns) {
          if (column != null) {
            column.close();
          }
        }
      }
      buffers.release(); // ours: the vectors hold their own
    }
  }

  private static ColumnVector constant(String value, int rows) {
    ConstantColumnVector vector = new ConstantColumnVector(rows, DataTypes.StringType);
    vector.setUtf8String(UTF8String.fromString(value));
    return vector;
  }

  private static ColumnVector flat(
      StructField field, Buffers buffers, PayloadDecoder payloads, int[] kept) {
    int ordinal = payloads.plan().type().fieldIndex(field.name());
    ColumnVector attribute = null;
    if (PubSubSchema.isOrAttribute(field)) {
      int attributes = PubSubSchema.FULL.fieldIndex("attributes");
      attribute = DerivedVectors.attribute(buffers.column(attributes), field.name());
      attribute = kept == null ? attribute : new KeptRows(attribute, kept);
    }
    buffers.held.incrementAndGet();
    return new FlatVector(payloads, ordinal, attribute, buffers::release);
  }

  private static ColumnVector column(
      StructField field,
      Buffers buffers,
      String subscription,
      PayloadDecoder payloads,
      int[] kept) {
    if (PubSubSchema.isOfSlot(field)) {
      return constant(subscription, buffers.rows);
    }
    if (PubSubSchema.isFlat(field)) {
      return flat(field, buffers, payloads, kept);
    }
    if (PubSubSchema.isDecoded(field)) {
      buffers.held.incrementAndGet();
      return new PayloadVector(payloads, buffers::release);
    }
    ColumnVector whole = adapt(field, buffers.column(PubSubSchema.column(field)));
    return kept == null ? whole : new KeptRows(whole, kept);
  }

  /** Takes the vector of that column; returns one of the field's type. */
  private static ColumnVector adapt(StructField field, ColumnVector vector) {
    if (field.dataType().equals(DataTypes.LongType)) {
      return DerivedVectors.millis(vector);
    }
    if (field.name().equals(PubSubSchema.TRACEPARENT)) {
      return DerivedVectors.attribute(vector, PubSubSchema.TRACE_ATTRIBUTE);
    }
    boolean json =
        field.name().equals("attributes") && field.dataType().equals(DataTypes.StringType);
    return json ? DerivedVectors.json(vector) : vector;
  }

  /** The buffers of one chunk, and the count of those that Arrow still holds. */
  private static final class Buffers {
    private final long chunk;
    private final ChunkView view;
    final int rows;
    private final AtomicInteger held = new AtomicInteger(1);

    Buffers(long chunk, ChunkView view) {
      this.chunk = chunk;
      this.view = view;
      this.rows = view.rows();
    }

    void release() {
      if (held.decrementAndGet() == 0) {
        NativeReader.releaseChunk(chunk);
      }
    }

    /** An absent one is empty (validity without nulls: Arrow then makes its own). */
    private ArrowBuf buffer(Buffer buffer) {
      long address = view.address(buffer);
      long bytes = view.bytes(buffer);
      if (address == 0 || bytes == 0) {
        return ALLOCATOR.getEmpty();
      }
      held.incrementAndGet();
      ChunkHold hold = new ChunkHold(bytes, address, this::release);
      boolean done = false;
      try {
        ArrowBuf wrapped = ALLOCATOR.wrapForeignAllocation(hold);
        done = true;
        return wrapped;
      } finally {
        if (!done) {
          hold.release0(); // Arrow has done so, or has not
        }
      }
    }

    private void load(FieldVector vector, int count, int nulls, Buffer validity, Buffer... others) {
      List<ArrowBuf> list = new ArrayList<>(3);
      try {
        list.add(validity == null ? ALLOCATOR.getEmpty() : buffer(validity));
        for (Buffer other : others) {
          list.add(buffer(other));
        }
        vector.loadFieldBuffers(new ArrowFieldNode(count, nulls), list);
      } finally {
        for (ArrowBuf buf : list) {
          buf.close(); // the vector holds its own references
        }
      }
    }

    ColumnVector column(int index) {
      FieldVector vector = FIELDS[index].createVector(ALLOCATOR);
      boolean done = false;
      try {
        fill(index, vector);
        done = true;
        return new ArrowColumnVector(vector);
      } finally {
        if (!done) {
          vector.close();
        }
      }
    }

    private void fill(int index, FieldVector vector) {
      switch (index) {
        case 0:
          load(vector, rows, 0, null, Buffer.MESSAGE_ID_OFFSETS, Buffer.MESSAGE_ID_BYTES);
          break;
        case 1:
          load(vector, rows, 0, null, Buffer.DATA_OFFSETS, Buffer.DATA_BYTES);
          break;
        case 2:
          fillMap((MapVector) vector);
          break;
        case 3:
          load(vector, rows, 0, null, Buffer.PUBLISH_TIME);
          break;
        case 4:
          load(
              vector,
              rows,
              view.orderingKeyNulls(),
              Buffer.ORDERING_KEY_VALIDITY,
              Buffer.ORDERING_KEY_OFFSETS,
              Buffer.ORDERING_KEY_BYTES);
          break;
        default:
          load(
              vector,
              rows,
              view.deliveryAttemptNulls(),
              Buffer.DELIVERY_ATTEMPT_VALIDITY,
              Buffer.DELIVERY_ATTEMPT);
      }
    }

    private void fillMap(MapVector map) {
      int entries = view.attributeEntries();
      load(map, rows, 0, null, Buffer.ATTRIBUTES_OFFSETS);
      StructVector pairs = (StructVector) map.getDataVector();
      load(pairs, entries, 0, null);
      load(
          pairs.getChildrenFromFields().get(0),
          entries,
          0,
          null,
          Buffer.KEY_OFFSETS,
          Buffer.KEY_BYTES);
      load(
          pairs.getChildrenFromFields().get(1),
          entries,
          0,
          null,
          Buffer.VALUE_OFFSETS,
          Buffer.VALUE_BYTES);
    }
  }
}
