package io.sparkpubsub.write;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import java.util.function.Supplier;
import org.apache.spark.sql.connector.write.SupportsTruncate;
import org.apache.spark.sql.connector.write.Write;
import org.apache.spark.sql.connector.write.WriteBuilder;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.internal.connector.SupportsStreamingUpdateAsAppend;
import org.apache.spark.sql.types.StructType;

/**
 * Checks the columns. A topic only grows: complete and update mode append what they would rewrite,
 * as with Kafka's sink.
 */
public final class PubSubWriteBuilder implements SupportsTruncate, SupportsStreamingUpdateAsAppend {
  private final PubSubOptions options;
  private final StructType schema;
  private final String query;
  private final Supplier<RuntimeException> onlyAppends;
  private boolean truncates;

  /**
   * @param query its id, the same after a restart
   * @param onlyAppends what is thrown where a batch would replace what is there
   */
  public PubSubWriteBuilder(
      PubSubOptions options,
      StructType schema,
      String query,
      Supplier<RuntimeException> onlyAppends) {
    this.options = options;
    this.query = query;
    this.schema = schema;
    this.onlyAppends = onlyAppends;
  }

  @Override
  public WriteBuilder truncate() {
    truncates = true;
    return this;
  }

  @Override
  public Write build() {
    if (options.has(Option.PAYLOAD_FORMAT)) {
      throw new IllegalArgumentException(
          "option 'payloadFormat' is not supported for writing: make the column `data` with to_json"
              + " or its like");
    }
    SinkColumns columns =
        new SinkColumns(
            schema, SQLConf.get().caseSensitiveAnalysis(), options.flag(Option.TRACE_CONTEXT));
    if (columns.topic < 0) {
      options.topic(); // required
    }
    return new PubSubWrite(options, columns, query, truncates ? onlyAppends : null);
  }
}
