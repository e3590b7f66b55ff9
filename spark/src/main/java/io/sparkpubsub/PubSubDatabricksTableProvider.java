package io.sparkpubsub;

import io.sparkpubsub.PubSubOptions.Option;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * format("pubsub-databricks"): the columns of Databricks' connector, and like there a subscription
 * that does not exist is created where the topic is given. Its option names are understood by every
 * format of this jar.
 */
public final class PubSubDatabricksTableProvider extends PubSubTableProvider {
  @Override
  public String shortName() {
    return "pubsub-databricks";
  }

  @Override
  public StructType inferSchema(CaseInsensitiveStringMap options) {
    return columns(optionsOf(options.asCaseSensitiveMap()));
  }

  private static StructType columns(PubSubOptions options) {
    return PubSubTable.withSubscription(PubSubSchema.DATABRICKS, options);
  }

  @Override
  Table table(PubSubOptions options, StructType schema) {
    if (options.has(Option.PAYLOAD_FORMAT)) {
      throw new IllegalArgumentException(
          "option 'payloadFormat' makes a column 'payload', and format pubsub-databricks has one of"
              + " bytes: read with format pubsub");
    }
    if (options.has(Option.TOPIC_ID)) {
      options.setDefault(Option.CREATE_SUBSCRIPTION, "true");
    }
    return PubSubTable.ofFormat(options, columns(options));
  }
}
