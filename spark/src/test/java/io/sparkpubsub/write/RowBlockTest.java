package io.sparkpubsub.write;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.expressions.JoinedRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.catalyst.util.ArrayBasedMapData;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.execution.vectorized.OnHeapColumnVector;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.apache.spark.unsafe.Platform;
import org.apache.spark.unsafe.types.UTF8String;
import org.junit.jupiter.api.Test;

/**
 * A row gives the same bytes whatever kind of row it is: what Spark hands to writers is an
 * UnsafeRow today, and nothing promises it.
 */
class RowBlockTest {
  private static final DataType MAP =
      DataTypes.createMapType(DataTypes.StringType, DataTypes.StringType);

  private static StructType schema(DataType data) {
    return new StructType()
        .add("ordering_key", DataTypes.StringType)
        .add("attributes", MAP)
        .add("data", data);
  }

  private static UTF8String text(String value) {
    return value == null ? null : UTF8String.fromString(value);
  }

  private static ArrayBasedMapData map(Map<String, String> attributes) {
    if (attributes == null) {
      return null;
    }
    return new ArrayBasedMapData(
        new GenericArrayData(attributes.keySet().stream().map(RowBlockTest::text).toArray()),
        new GenericArrayData(attributes.values().stream().map(RowBlockTest::text).toArray()));
  }

  private static byte[] packed(StructType schema, RowId id, InternalRow... rows) {
    RowBlock block = new RowBlock(new SinkColumns(schema, true, true), id);
    for (InternalRow row : rows) {
      block.add(row);
    }
    assertThat(block.rows()).isEqualTo(rows.length);
    byte[] out = new byte[(int) block.bytes()];
    Platform.copyMemory(null, block.address(), out, Platform.BYTE_ARRAY_OFFSET, out.length);
    block.free();
    return out;
  }

  /** The rows as generic ones, as UnsafeRows and as the halves of joined ones are packed alike. */
  private static byte[] packedAlike(StructType schema, Object[]... rows) {
    InternalRow[] generic = new InternalRow[rows.length];
    InternalRow[] unsafe = new InternalRow[rows.length];
    InternalRow[] joined = new InternalRow[rows.length];
    UnsafeProjection projection = UnsafeProjection.create(schema);
    for (int i = 0; i < rows.length; i++) {
      generic[i] = new GenericInternalRow(rows[i]);
      unsafe[i] = projection.apply(generic[i]).copy();
      joined[i] =
          new JoinedRow(
              new GenericInternalRow(new Object[] {rows[i][0], rows[i][1]}),
              new GenericInternalRow(new Object[] {rows[i][2]}));
      assertThat(unsafe[i]).isInstanceOf(UnsafeRow.class);
    }
    byte[] expected = packed(schema, null, unsafe);
    assertThat(packed(schema, null, generic)).isEqualTo(expected);
    assertThat(packed(schema, null, joined)).isEqualTo(expected);
    return expected;
  }

  private static Object[][] cases(boolean binary) {
    Map<String, String> attributes = new LinkedHashMap<>();
    attributes.put("a", "1");
    attributes.put("ключ", "значение");
    attributes.put("null", null);
    attributes.put("", "");
    Object[] datas = {"", "data", "дані", new String(new char[300_000]).replace('\0', 'x'), null};
    Object[][] rows = new Object[datas.length * 3][];
    for (int i = 0; i < rows.length; i++) {
      Object data = datas[i / 3];
      rows[i] =
          new Object[] {
            i % 2 == 0 ? null : text("key" + i),
            map(i % 3 == 0 ? null : i % 3 == 1 ? Collections.emptyMap() : attributes),
            data == null
                ? null
                : binary ? ((String) data).getBytes(StandardCharsets.UTF_8) : text((String) data)
          };
    }
    return rows;
  }

  @Test
  void everyKindOfRowIsPackedAlike() {
    byte[] binary = packedAlike(schema(DataTypes.BinaryType), cases(true));
    byte[] string = packedAlike(schema(DataTypes.StringType), cases(false));
    assertThat(binary).isEqualTo(string); // and the column's type leaves no trace
    assertThat(binary.length).isGreaterThan(900_000);
  }

  /** Byte for byte, as include/pubsub/publisher.h has it. */
  @Test
  void theLayout() {
    byte[] bytes =
        packedAlike(
            schema(DataTypes.BinaryType),
            new Object[] {text("k"), map(Collections.singletonMap("a", null)), new byte[] {7, 8}},
            new Object[] {null, null, null});
    assertThat(bytes)
        .containsExactly(
            24, 0, 0, 0, // the row
            2, 0, 0, 0, 7, 8, // data
            1, 0, 0, 0, 'k', // ordering key
            1, 0, 0, 0, 1, 0, 0, 0, 'a', -1, -1, -1, -1, // attributes: a key, null
            12, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0);
  }

  @Test
  void rowsOfAColumnarBatch() {
    StructType schema =
        new StructType()
            .add("data", DataTypes.BinaryType)
            .add("ordering_key", DataTypes.StringType);
    OnHeapColumnVector data = new OnHeapColumnVector(3, DataTypes.BinaryType);
    OnHeapColumnVector keys = new OnHeapColumnVector(3, DataTypes.StringType);
    InternalRow[] generic = new InternalRow[3];
    for (int i = 0; i < 3; i++) {
      byte[] bytes = ("row " + i).getBytes(StandardCharsets.UTF_8);
      data.putByteArray(i, bytes);
      if (i == 1) {
        keys.putNull(i);
      } else {
        keys.putByteArray(i, bytes);
      }
      generic[i] =
          new GenericInternalRow(new Object[] {bytes, i == 1 ? null : UTF8String.fromBytes(bytes)});
    }
    ColumnarBatch batch = new ColumnarBatch(new ColumnVector[] {data, keys}, 3);
    RowBlock block = new RowBlock(new SinkColumns(schema, true, true), null);
    for (int i = 0; i < 3; i++) {
      block.add(batch.getRow(i));
    }
    byte[] out = new byte[(int) block.bytes()];
    Platform.copyMemory(null, block.address(), out, Platform.BYTE_ARRAY_OFFSET, out.length);
    assertThat(out).isEqualTo(packed(schema, null, generic));
    block.free();
    batch.close();
  }

  @Test
  void idsComeFirstAmongTheAttributes() {
    StructType schema = schema(DataTypes.StringType);
    InternalRow row =
        new GenericInternalRow(
            new Object[] {null, map(Collections.singletonMap("a", "b")), text("x")});
    String packed =
        new String(
            packed(schema, new RowId("id", "q", 3, 4), row, row), StandardCharsets.ISO_8859_1);
    assertThat(packed).contains("q/3/4/0").contains("q/3/4/1");
    assertThat(packed.indexOf("id")).isLessThan(packed.indexOf("q/3/4/0"));
  }
}
