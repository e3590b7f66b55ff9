package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.SupportsPushDownLimit;
import org.apache.spark.sql.connector.read.SupportsPushDownRequiredColumns;
import org.apache.spark.sql.types.StructType;

/**
 * Makes the scan. Spark prunes columns and pushes limits of bounded reads alone: of a stream all
 * columns are decoded, whatever the query uses.
 */
public final class PubSubScanBuilder
    implements SupportsPushDownRequiredColumns, SupportsPushDownLimit {
  private final PubSubOptions options;
  private StructType schema;
  private long limit = Limits.NONE;

  public PubSubScanBuilder(PubSubOptions options, StructType schema) {
    this.options = options;
    this.schema = schema;
  }

  @Override
  public void pruneColumns(StructType required) {
    schema = required;
  }

  /**
   * So many rows are enough to look at; Spark cuts what is more. Where rows may be left out for
   * their payload, it is not known how many to look at.
   */
  @Override
  public boolean pushLimit(int rows) {
    if (PayloadPlan.mayDrop(options)) {
      return false;
    }
    limit = rows;
    return true;
  }

  @Override
  public Scan build() {
    return new PubSubScan(options, schema, limit);
  }
}
