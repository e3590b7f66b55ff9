package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.SupportsPushDownRequiredColumns;
import org.apache.spark.sql.types.StructType;

/**
 * Makes the scan of a stream. Spark does not prune columns of a stream: it calls {@link
 * #pruneColumns} for batch plans alone, so all columns are decoded, whatever the query uses.
 */
public final class PubSubScanBuilder implements SupportsPushDownRequiredColumns {
  private final PubSubOptions options;
  private StructType schema;

  public PubSubScanBuilder(PubSubOptions options, StructType schema) {
    this.options = options;
    this.schema = schema;
  }

  @Override
  public void pruneColumns(StructType required) {
    schema = required;
  }

  @Override
  public Scan build() {
    return new PubSubScan(options, schema);
  }
}
