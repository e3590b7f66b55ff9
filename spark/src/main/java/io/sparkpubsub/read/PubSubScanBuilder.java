package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.SupportsPushDownRequiredColumns;
import org.apache.spark.sql.types.StructType;

/** Columns that the query does not use are skipped in C. */
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
