package io.sparkpubsub.read;

import io.sparkpubsub.PubSubSchema;
import io.sparkpubsub.natives.NativeReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.ForeignAllocation;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ArrowColumnVector;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/** A chunk as a ColumnarBatch over its native buffers, without a copy. The chunk is released with the last vector. */
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

  /** Takes the chunk in any case. view as {@link NativeReader#VIEW_LONGS} says. */
  static ColumnarBatch wrap(long chunk, long[] view, StructType schema) {
    Buffers buffers = new Buffers(chunk, view);
    ColumnVector[] columns = new ColumnVector[schema.size()];
    boolean done = false;
    try {
      for (int i = 0; i < columns.length; i++) {
        StructField field = schema.fields()[i];
        columns[i] = adapt(field, buffers.column(PubSubSchema.column(field)));
      }
      done = true;
      return new ColumnarBatch(columns, buffers.rows);
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

  /** Takes the vector of that column; returns one of the field's type. */
  private static ColumnVector adapt(StructField field, ColumnVector vector) {
    if (field.dataType().equals(DataTypes.LongType)) {
      return DerivedVectors.millis(vector);
    }
    boolean json = field.name().equals("attributes") && field.dataType().equals(DataTypes.StringType);
    return json ? DerivedVectors.json(vector) : vector;
  }

  /** The buffers of one chunk, and the count of those that Arrow still holds. */
  private static final class Buffers {
    private final long chunk;
    private final long[] view;
    final int rows;
    private final AtomicInteger held = new AtomicInteger(1);

    Buffers(long chunk, long[] view) {
      this.chunk = chunk;
      this.view = view;
      this.rows = (int) view[1];
    }

    void release() {
      if (held.decrementAndGet() == 0) {
        NativeReader.releaseChunk(chunk);
      }
    }

    /** Buffer i; an absent one is empty (validity without nulls: Arrow then makes its own). */
    private ArrowBuf buffer(int i) {
      long address = view[6 + 2 * i];
      long bytes = view[7 + 2 * i];
      if (address == 0 || bytes == 0) {
        return ALLOCATOR.getEmpty();
      }
      held.incrementAndGet();
      boolean done = false;
      try {
        ArrowBuf wrapped =
            ALLOCATOR.wrapForeignAllocation(
                new ForeignAllocation(bytes, address) {
                  @Override
                  protected void release0() {
                    release();
                  }
                });
        done = true;
        return wrapped;
      } finally {
        if (!done) {
          release();
        }
      }
    }

    private void load(FieldVector vector, int count, int nulls, int validity, int... indexes) {
      List<ArrowBuf> list = new ArrayList<>(3);
      try {
        list.add(validity < 0 ? ALLOCATOR.getEmpty() : buffer(validity));
        for (int index : indexes) {
          list.add(buffer(index));
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
          load(vector, rows, 0, -1, 0, 1);
          break;
        case 1:
          load(vector, rows, 0, -1, 2, 3);
          break;
        case 2:
          fillMap((MapVector) vector);
          break;
        case 3:
          load(vector, rows, 0, -1, 9);
          break;
        case 4:
          load(vector, rows, (int) view[3], 10, 11, 12);
          break;
        default:
          load(vector, rows, (int) view[4], 13, 14);
      }
    }

    private void fillMap(MapVector map) {
      int entries = (int) view[2];
      load(map, rows, 0, -1, 4);
      StructVector pairs = (StructVector) map.getDataVector();
      load(pairs, entries, 0, -1);
      load(pairs.getChildrenFromFields().get(0), entries, 0, -1, 5, 6);
      load(pairs.getChildrenFromFields().get(1), entries, 0, -1, 7, 8);
    }
  }
}
