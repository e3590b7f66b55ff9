package io.sparkpubsub;

import io.sparkpubsub.read.PubSubScanBuilder;
import io.sparkpubsub.write.PubSubWriteBuilder;
import java.util.EnumSet;
import java.util.Set;
import org.apache.spark.sql.connector.catalog.SupportsRead;
import org.apache.spark.sql.connector.catalog.SupportsWrite;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.connector.write.LogicalWriteInfo;
import org.apache.spark.sql.connector.write.WriteBuilder;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/** A subscription to read or a topic to write, as the options say. */
final class PubSubTable implements SupportsRead, SupportsWrite {
  private final PubSubOptions options;
  private final StructType schema;

  PubSubTable(PubSubOptions options, StructType schema) {
    this.options = options;
    this.schema = schema;
  }

  @Override
  public String name() {
    return options.has(PubSubOptions.Option.SUBSCRIPTION_ID)
        ? options.subscription()
        : options.has(PubSubOptions.Option.TOPIC_ID) ? options.topic() : "pubsub";
  }

  @Override
  @SuppressWarnings("deprecation") // its replacement is not in every supported Spark
  public StructType schema() {
    return schema;
  }

  @Override
  public Set<TableCapability> capabilities() {
    return EnumSet.of(
        TableCapability.BATCH_READ, // to say in plain words that there is none: see PubSubScan.toBatch
        TableCapability.MICRO_BATCH_READ,
        TableCapability.BATCH_WRITE,
        TableCapability.STREAMING_WRITE,
        TableCapability.ACCEPT_ANY_SCHEMA);
  }

  @Override
  public ScanBuilder newScanBuilder(CaseInsensitiveStringMap more) {
    return new PubSubScanBuilder(options.with(more), schema);
  }

  @Override
  public WriteBuilder newWriteBuilder(LogicalWriteInfo info) {
    return new PubSubWriteBuilder(options.with(info.options()), info.schema(), info.queryId());
  }
}
