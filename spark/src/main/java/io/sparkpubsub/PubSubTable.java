package io.sparkpubsub;

import io.sparkpubsub.PubSubOptions.Option;
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
import org.apache.spark.util.UninterruptibleThread;

/** A subscription to read or a topic to write, as the options say. */
final class PubSubTable implements SupportsRead, SupportsWrite {
  private final PubSubOptions options;
  private final StructType schema;
  private final String name;
  private final boolean readable; // as far as is known: by format
  private final boolean appendable; // by Spark itself, in batch
  private StructType flat; // the schema as it is read, where it is a reader's own

  private PubSubTable(
      PubSubOptions options, StructType schema, String name, boolean readable, boolean appendable) {
    this.options = options;
    this.schema = schema;
    this.name = name;
    this.readable = readable;
    this.appendable = appendable;
  }

  /** Of format(…): read with these columns, or written by a stream. */
  static PubSubTable ofFormat(PubSubOptions options, StructType schema) {
    String name =
        options.has(Option.SUBSCRIPTION_ID)
            ? options.subscription()
            : options.has(Option.TOPIC_ID) ? options.topic() : "pubsub";
    return new PubSubTable(options, schema, name, true, false);
  }

  /** Written by a batch. */
  static PubSubTable ofSink(PubSubOptions options) {
    String name = options.has(Option.TOPIC_ID) ? options.topic() : "topics of the rows";
    return new PubSubTable(options, PubSubSchema.FULL, name, false, true);
  }

  /** Of a catalog, under its name there: read or written. */
  static PubSubTable ofCatalog(PubSubOptions options, String name) {
    return new PubSubTable(options, columns(options), name, false, true);
  }

  /** What a read gives. */
  static StructType columns(PubSubOptions options) {
    StructType columns = PubSubSchema.message(options);
    StructType payload = options.payloadSchema();
    return payload == null ? columns : PubSubSchema.withPayload(columns, payload);
  }

  /** These, and where it is asked for the subscription. */
  static StructType withSubscription(StructType columns, PubSubOptions options) {
    return options.flag(Option.INCLUDE_SUBSCRIPTION)
        ? PubSubSchema.withSubscription(columns)
        : columns;
  }

  static UnsupportedOperationException onlyAppends() {
    return new UnsupportedOperationException(
        "a topic is appended to, nothing in it is replaced: say mode(\"append\") (in SQL: INSERT"
            + " INTO)");
  }

  PubSubOptions options() {
    return options;
  }

  @Override
  public String name() {
    return name;
  }

  /**
   * Whoever reads asks for it first, in their own thread. From Spark 4 on a stream that writes asks
   * too, in its thread, though it wants none of the columns.
   */
  @Override
  @SuppressWarnings("deprecation") // its replacement is not in every supported Spark
  public StructType schema() {
    boolean writes = Thread.currentThread() instanceof UninterruptibleThread;
    if (readable && !writes && !options.has(Option.TOPIC_ID)) {
      options.subscription(); // required
    }
    return writes ? schema : columnsToRead(options);
  }

  /** A reader's own schema names fields of the payload. */
  private StructType columnsToRead(PubSubOptions options) {
    boolean named =
        options.has(Option.PAYLOAD_FORMAT) == options.has(Option.PAYLOAD_SCHEMA); // else: by flat
    boolean own = named && schema.equals(columns(options));
    if (!readable || own || isDatabricks(options)) {
      return schema;
    }
    if (flat == null) {
      flat = PayloadSchema.flat(options, schema);
    }
    return flat;
  }

  private boolean isDatabricks(PubSubOptions options) {
    return schema.equals(withSubscription(PubSubSchema.DATABRICKS, options));
  }

  @Override
  public Set<TableCapability> capabilities() {
    EnumSet<TableCapability> all =
        EnumSet.of(
            TableCapability.BATCH_READ,
            TableCapability.MICRO_BATCH_READ,
            TableCapability.STREAMING_WRITE,
            TableCapability.ACCEPT_ANY_SCHEMA);
    if (appendable) {
      all.add(TableCapability.BATCH_WRITE);
      all.add(TableCapability.TRUNCATE); // to say so in plain words too: see PubSubWriteBuilder
    }
    return all;
  }

  @Override
  public ScanBuilder newScanBuilder(CaseInsensitiveStringMap more) {
    return new PubSubScanBuilder(options.with(more), columnsToRead(options));
  }

  @Override
  public WriteBuilder newWriteBuilder(LogicalWriteInfo info) {
    return new PubSubWriteBuilder(
        options.with(info.options()), info.schema(), info.queryId(), PubSubTable::onlyAppends);
  }
}
