package io.sparkpubsub;

import io.sparkpubsub.PubSubOptions.Option;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** The columns of a message, in order; bit i of a column set is column i (enum pubsub_column). */
public final class PubSubSchema {
  public static final StructType FULL =
      new StructType()
          .add("message_id", DataTypes.StringType, false)
          .add("data", DataTypes.BinaryType, false)
          .add(
              "attributes",
              DataTypes.createMapType(DataTypes.StringType, DataTypes.StringType, false),
              false)
          .add("publish_time", DataTypes.TimestampType, false)
          .add("ordering_key", DataTypes.StringType, true)
          .add("delivery_attempt", DataTypes.IntegerType, true);

  /** W3C's trace context of a message, on request. */
  public static final String TRACEPARENT = "traceparent";

  /** Where Google's clients put it. */
  public static final String TRACE_ATTRIBUTE = "googclient_traceparent";

  /** Full name of the subscription that a message is from, on request; not of a chunk. */
  public static final String SUBSCRIPTION = "subscription";

  /** The same in the names and types of Databricks' connector; attributes are a JSON object. */
  static final StructType DATABRICKS =
      new StructType()
          .add("messageId", DataTypes.StringType, false)
          .add("payload", DataTypes.BinaryType, false)
          .add("attributes", DataTypes.StringType, false)
          .add("publishTimestampInMillis", DataTypes.LongType, false);

  private PubSubSchema() {}

  static StructType withTraces(StructType schema) {
    return schema.add(TRACEPARENT, DataTypes.StringType, true);
  }

  static StructType withSubscription(StructType schema) {
    return schema.add(SUBSCRIPTION, DataTypes.StringType, false);
  }

  /** Whether a column is the same in all rows of a chunk, and not in it. */
  public static boolean isOfSlot(StructField field) {
    return field.name().equals(SUBSCRIPTION) && !isFlat(field);
  }

  /** All columns of a message that these options ask for. */
  static StructType message(PubSubOptions options) {
    StructType columns = options.flag(Option.TRACE_CONTEXT) ? withTraces(FULL) : FULL;
    return options.flag(Option.INCLUDE_SUBSCRIPTION) ? withSubscription(columns) : columns;
  }

  private static final String FLAT = "io.sparkpubsub.payload";
  private static final String OR_ATTRIBUTE = "io.sparkpubsub.attribute";

  /** What marks a column that is a field of the payload, or else, on request, an attribute. */
  static Metadata ofPayload(boolean orAttribute) {
    MetadataBuilder marks = new MetadataBuilder().putBoolean(FLAT, true);
    return (orAttribute ? marks.putBoolean(OR_ATTRIBUTE, true) : marks).build();
  }

  /** Whether a field that the payload lacks is taken from the attribute of its name. */
  public static boolean isOrAttribute(StructField field) {
    return field.metadata().contains(OR_ATTRIBUTE);
  }

  /** Whether a column is a field of the payload. */
  public static boolean isFlat(StructField field) {
    return field.metadata().contains(FLAT);
  }

  /** The fields of the payload among columns: all that are marked, or those of the one column. */
  public static StructType payload(StructType columns) {
    StructType fields = new StructType();
    for (StructField field : columns.fields()) {
      if (isDecoded(field)) {
        return (StructType) field.dataType();
      }
      fields = isFlat(field) ? fields.add(field) : fields;
    }
    return fields;
  }

  /** What a payload is decoded into. */
  public static final String PAYLOAD = "payload";

  static StructType withPayload(StructType schema, StructType payload) {
    return schema.add(PAYLOAD, payload, true);
  }

  /** Whether a column is the decoded payload. */
  public static boolean isDecoded(StructField field) {
    return field.name().equals(PAYLOAD) && field.dataType() instanceof StructType && !isFlat(field);
  }

  /** The column of FULL that one of either schema is made of, unless it is {@link #isOfSlot}. */
  public static int column(StructField field) {
    if (isFlat(field)) {
      return FULL.fieldIndex("data");
    }
    switch (field.name()) {
      case "messageId":
        return FULL.fieldIndex("message_id");
      case PAYLOAD:
        return FULL.fieldIndex("data");
      case "publishTimestampInMillis":
        return FULL.fieldIndex("publish_time");
      case TRACEPARENT:
        return FULL.fieldIndex("attributes");
      default:
        return FULL.fieldIndex(field.name());
    }
  }

  public static int columns(StructType schema) {
    int set = 0;
    for (StructField field : schema.fields()) {
      set |= isOfSlot(field) ? 0 : 1 << column(field);
      set |= isOrAttribute(field) ? 1 << FULL.fieldIndex("attributes") : 0;
    }
    return set;
  }
}
