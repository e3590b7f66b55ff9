package io.sparkpubsub;

import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.types.StructType;

/**
 * What a batch write by format goes through on its way: like {@link PubSubTableProvider}, with a
 * table that Spark itself appends to.
 */
public final class PubSubSinkProvider extends PubSubTableProvider {
  @Override
  Table table(PubSubOptions options, StructType schema) {
    return PubSubTable.ofSink(options);
  }
}
