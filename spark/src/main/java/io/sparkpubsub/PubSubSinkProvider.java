package io.sparkpubsub;

import org.apache.spark.sql.connector.catalog.Table;

/**
 * What a batch write by format goes through on its way: like {@link PubSubTableProvider}, with a
 * table that Spark itself appends to.
 */
public final class PubSubSinkProvider extends PubSubTableProvider {
  @Override
  Table table(PubSubOptions options) {
    return PubSubTable.ofSink(options);
  }
}
