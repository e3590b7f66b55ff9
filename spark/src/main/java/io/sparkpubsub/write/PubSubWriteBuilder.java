package io.sparkpubsub.write;

import io.sparkpubsub.PubSubOptions;
import org.apache.spark.sql.connector.write.SupportsTruncate;
import org.apache.spark.sql.connector.write.Write;
import org.apache.spark.sql.connector.write.WriteBuilder;
import org.apache.spark.sql.internal.connector.SupportsStreamingUpdateAsAppend;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Checks the columns. A topic only grows: complete and update mode append what they would rewrite, as with Kafka's sink. */
public final class PubSubWriteBuilder implements SupportsTruncate, SupportsStreamingUpdateAsAppend {
  private static final String EXPECTED =
      "a pubsub sink takes data (BINARY or STRING), attributes (MAP<STRING,STRING>, optional), ordering_key (STRING, optional)"
          + " and topic (STRING, optional)";
  private final PubSubOptions options;
  private final StructType schema;
  private final String query;

  public PubSubWriteBuilder(PubSubOptions options, StructType schema, String query) {
    this.options = options;
    this.query = query;
    this.schema = schema;
  }

  @Override
  public WriteBuilder truncate() {
    return this;
  }

  @Override
  public Write build() {
    boolean data = false;
    for (StructField field : schema.fields()) {
      DataType type = field.dataType();
      boolean good;
      switch (field.name()) {
        case "data":
          data = true;
          good = type.equals(DataTypes.BinaryType) || type.equals(DataTypes.StringType);
          break;
        case "attributes":
          good =
              type instanceof MapType
                  && ((MapType) type).keyType().equals(DataTypes.StringType)
                  && ((MapType) type).valueType().equals(DataTypes.StringType);
          break;
        case "topic":
        case "ordering_key":
          good = type.equals(DataTypes.StringType);
          break;
        default:
          throw new IllegalArgumentException("unknown column '" + field.name() + "': " + EXPECTED);
      }
      if (!good) {
        throw new IllegalArgumentException(
            "column '" + field.name() + "' is of type " + type.sql() + ": " + EXPECTED);
      }
    }
    if (!data) {
      throw new IllegalArgumentException("there is no column 'data': " + EXPECTED);
    }
    if (RowBlock.indexOf(schema, "topic") < 0) {
      options.topic(); // required
    }
    return new PubSubWrite(options, schema, query);
  }
}
