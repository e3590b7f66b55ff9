package io.sparkpubsub.write;

import io.sparkpubsub.PubSubException;
import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.service.Admin;
import io.sparkpubsub.service.Banner;
import java.util.function.Supplier;
import org.apache.spark.sql.connector.metric.CustomMetric;
import org.apache.spark.sql.connector.write.BatchWrite;
import org.apache.spark.sql.connector.write.DataWriterFactory;
import org.apache.spark.sql.connector.write.PhysicalWriteInfo;
import org.apache.spark.sql.connector.write.Write;
import org.apache.spark.sql.connector.write.WriterCommitMessage;
import org.apache.spark.sql.connector.write.streaming.StreamingDataWriterFactory;
import org.apache.spark.sql.connector.write.streaming.StreamingWrite;

/**
 * Batch and streaming writes: the tasks do everything; there is nothing to commit or to take back
 * here.
 */
final class PubSubWrite implements Write, BatchWrite, StreamingWrite {
  private final PubSubOptions options;
  private final SinkColumns columns;
  private final String query;
  private final Supplier<RuntimeException> noBatch;

  /** noBatch: why there is no batch of it; null: there is. */
  PubSubWrite(
      PubSubOptions options,
      SinkColumns columns,
      String query,
      Supplier<RuntimeException> noBatch) {
    this.options = options;
    this.columns = columns;
    this.query = query;
    this.noBatch = noBatch;
  }

  @Override
  public String description() {
    return "pubsub " + (options.has(Option.TOPIC_ID) ? options.topic() : "topics of the rows");
  }

  @Override
  public CustomMetric[] supportedCustomMetrics() {
    return WriteMetrics.supported();
  }

  @Override
  public BatchWrite toBatch() {
    if (noBatch != null) {
      throw noBatch.get();
    }
    checkTopic();
    return this;
  }

  @Override
  public StreamingWrite toStreaming() {
    checkTopic();
    return this;
  }

  /** A missing topic fails the write before it begins. */
  private void checkTopic() {
    Banner.show(options);
    if (!options.has(Option.TOPIC_ID)) {
      return; // the rows name theirs
    }
    try {
      Admin.getTopic(options, options.topic());
    } catch (PubSubException e) {
      if (!e.code().equals("PERMISSION_DENIED")) { // who may only publish may not look
        throw e;
      }
    }
  }

  @Override
  public DataWriterFactory createBatchWriterFactory(PhysicalWriteInfo info) {
    return new PubSubDataWriterFactory(options, columns, query);
  }

  @Override
  public StreamingDataWriterFactory createStreamingWriterFactory(PhysicalWriteInfo info) {
    return new PubSubDataWriterFactory(options, columns, query);
  }

  @Override
  public boolean useCommitCoordinator() {
    return false;
  }

  @Override
  public void commit(WriterCommitMessage[] messages) {}

  @Override
  public void abort(WriterCommitMessage[] messages) {}

  @Override
  public void commit(long epoch, WriterCommitMessage[] messages) {}

  @Override
  public void abort(long epoch, WriterCommitMessage[] messages) {}
}
