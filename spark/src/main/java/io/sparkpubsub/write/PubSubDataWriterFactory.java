package io.sparkpubsub.write;

import io.sparkpubsub.PubSubOptions;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.write.DataWriter;
import org.apache.spark.sql.connector.write.DataWriterFactory;
import org.apache.spark.sql.connector.write.streaming.StreamingDataWriterFactory;

/** Makes the one writer of a task. */
final class PubSubDataWriterFactory implements DataWriterFactory, StreamingDataWriterFactory {
  private static final long serialVersionUID = 1;
  private final PubSubOptions options;
  private final SinkColumns columns;
  private final String query;

  /** query: its id, the same after a restart. */
  PubSubDataWriterFactory(PubSubOptions options, SinkColumns columns, String query) {
    this.options = options;
    this.columns = columns;
    this.query = query;
  }

  @Override
  public DataWriter<InternalRow> createWriter(int partition, long task) {
    return createWriter(partition, task, 0);
  }

  @Override
  public DataWriter<InternalRow> createWriter(int partition, long task, long epoch) {
    String attribute = options.text(PubSubOptions.Option.ID_ATTRIBUTE);
    RowId id = attribute == null ? null : new RowId(attribute, query, epoch, partition);
    return new PubSubDataWriter(options, columns, id);
  }
}
