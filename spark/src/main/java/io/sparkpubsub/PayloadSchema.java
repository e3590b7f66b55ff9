package io.sparkpubsub;

import io.sparkpubsub.PubSubOptions.Option;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The schema of payloads: from what a person writes to Spark's types, and from those to the words
 * that the native library reads. What is decoded may always be null, whatever the schema says: so
 * it is with from_json.
 */
public final class PayloadSchema {
  private PayloadSchema() {}

  /** Of the option payloadSchema; an error tells what is wrong with it. */
  static StructType parse(String text) {
    StructType parsed;
    try {
      parsed =
          text.trim().startsWith("{")
              ? (StructType) DataType.fromJson(text)
              : StructType.fromDDL(text);
    } catch (Exception e) { // Spark's parser has one that is not a RuntimeException
      throw new IllegalArgumentException(
          "option '"
              + Option.PAYLOAD_SCHEMA.key
              + "' is no schema: it must be like \"id BIGINT, tags ARRAY<STRING>\", or a"
              + " StructType's json(); "
              + e.getMessage(),
          e);
    }
    StructType schema = (StructType) nullable(parsed);
    ddl(schema); // names what is not supported
    return schema;
  }

  /**
   * Of a reader's own schema: names of the message's columns mean those, all others fields of the
   * payload.
   */
  static StructType flat(PubSubOptions options, StructType schema) {
    if (!options.has(Option.PAYLOAD_FORMAT)) {
      throw new IllegalArgumentException(
          "the reader's schema names fields of payloads, and option 'payloadFormat' does not say"
              + " how they are encoded: give it (json), or leave out the schema");
    }
    if (options.has(Option.PAYLOAD_SCHEMA)) {
      throw new IllegalArgumentException(
          "option 'payloadSchema' and the reader's own schema both name fields of payloads: give"
              + " one of them");
    }
    StructType message = PubSubSchema.message(options);
    List<StructField> fields = new ArrayList<>();
    for (StructField field : schema.fields()) {
      fields.add(
          isOfMessage(message, field)
              ? message.apply(field.name())
              : ofPayload(field, options.flag(Option.PAYLOAD_ATTRIBUTES)));
    }
    StructType found = DataTypes.createStructType(fields);
    ddl(PubSubSchema.payload(found)); // names what is not supported
    return found;
  }

  private static boolean isOfMessage(StructType message, StructField field) {
    if (!Arrays.asList(message.fieldNames()).contains(field.name())) {
      return false;
    }
    DataType type = message.apply(field.name()).dataType();
    if (!nullable(type).equals(nullable(field.dataType()))) {
      throw new IllegalArgumentException(
          "the schema's field '"
              + field.name()
              + "' is a "
              + field.dataType().sql()
              + ", and the message's own column '"
              + field.name()
              + "' a "
              + type.sql()
              + ": give the field that type to mean the column; a field of a payload needs another"
              + " name, or 'payloadSchema' instead of a schema");
    }
    return true;
  }

  private static StructField ofPayload(StructField field, boolean attributes) {
    boolean orAttribute = attributes && field.dataType().equals(DataTypes.StringType);
    return DataTypes.createStructField(
        field.name(), nullable(field.dataType()), true, PubSubSchema.ofPayload(orAttribute));
  }

  private static DataType nullable(DataType type) {
    if (type instanceof StructType) {
      List<StructField> fields = new ArrayList<>();
      for (StructField field : ((StructType) type).fields()) {
        fields.add(
            DataTypes.createStructField(
                field.name(), nullable(field.dataType()), true, field.metadata()));
      }
      return DataTypes.createStructType(fields);
    }
    if (type instanceof ArrayType) {
      return DataTypes.createArrayType(nullable(((ArrayType) type).elementType()), true);
    }
    if (type instanceof MapType) {
      MapType map = (MapType) type;
      return DataTypes.createMapType(map.keyType(), nullable(map.valueType()), true);
    }
    return type;
  }

  /** What include/pubsub/payload.h calls a schema. */
  public static String ddl(StructType schema) {
    StringBuilder out = new StringBuilder();
    fields(out, schema);
    return out.toString();
  }

  private static void fields(StringBuilder out, StructType schema) {
    String comma = "";
    for (StructField field : schema.fields()) {
      out.append(comma).append('`').append(field.name().replace("`", "``")).append("` ");
      type(out, field.name(), field.dataType());
      comma = ", ";
    }
  }

  private static void type(StringBuilder out, String field, DataType type) {
    if (type instanceof StructType) {
      out.append("STRUCT<");
      fields(out, (StructType) type);
      out.append('>');
    } else if (type instanceof ArrayType) {
      out.append("ARRAY<");
      type(out, field, ((ArrayType) type).elementType());
      out.append('>');
    } else if (type instanceof MapType) {
      MapType map = (MapType) type;
      if (!map.keyType().equals(DataTypes.StringType)) {
        throw new IllegalArgumentException(
            "the payload's field '" + field + "' is a " + type.sql() + ": keys must be STRING");
      }
      out.append("MAP<STRING, ");
      type(out, field, map.valueType());
      out.append('>');
    } else if (isPlain(type)) {
      out.append(type.sql());
    } else {
      throw new IllegalArgumentException(
          "the payload's field '"
              + field
              + "' is a "
              + type.sql()
              + ": this type is not supported in a payloadSchema");
    }
  }

  private static boolean isPlain(DataType type) {
    return type instanceof DecimalType
        || type.equals(DataTypes.BooleanType)
        || type.equals(DataTypes.ByteType)
        || type.equals(DataTypes.ShortType)
        || type.equals(DataTypes.IntegerType)
        || type.equals(DataTypes.LongType)
        || type.equals(DataTypes.FloatType)
        || type.equals(DataTypes.DoubleType)
        || type.equals(DataTypes.DateType)
        || type.equals(DataTypes.TimestampType)
        || type.equals(DataTypes.TimestampNTZType)
        || type.equals(DataTypes.StringType)
        || type.equals(DataTypes.BinaryType);
  }
}
