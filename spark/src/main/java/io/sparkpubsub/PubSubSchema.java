package io.sparkpubsub;

import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** The columns of a message, in order; bit i of a column set is column i (enum pubsub_column). */
final class PubSubSchema {
  static final StructType FULL =
      new StructType()
          .add("message_id", DataTypes.StringType, false)
          .add("data", DataTypes.BinaryType, false)
          .add("attributes", DataTypes.createMapType(DataTypes.StringType, DataTypes.StringType, false), false)
          .add("publish_time", DataTypes.TimestampType, false)
          .add("ordering_key", DataTypes.StringType, true)
          .add("delivery_attempt", DataTypes.IntegerType, true);

  private PubSubSchema() {}

  static int columns(StructType schema) {
    int set = 0;
    for (StructField field : schema.fields()) {
      set |= 1 << FULL.fieldIndex(field.name());
    }
    return set;
  }
}
