package io.sparkpubsub;

import org.apache.spark.sql.types.DataTypes;
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
    return field.name().equals(SUBSCRIPTION);
  }

  /** What a payload is decoded into. */
  public static final String PAYLOAD = "payload";

  static StructType withPayload(StructType schema, StructType payload) {
    return schema.add(PAYLOAD, payload, true);
  }

  /** Whether a column is the decoded payload. */
  public static boolean isDecoded(StructField field) {
    return field.name().equals(PAYLOAD) && field.dataType() instanceof StructType;
  }

  /** The column of FULL that one of either schema is made of, unless it is {@link #isOfSlot}. */
  public static int column(StructField field) {
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
    }
    return set;
  }
}
