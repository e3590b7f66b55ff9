package io.sparkpubsub;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.write.DataWriter;
import org.apache.spark.sql.connector.write.DataWriterFactory;
import org.apache.spark.sql.connector.write.streaming.StreamingDataWriterFactory;
import org.apache.spark.sql.types.StructType;

/** Makes the one writer of a task. */
final class PubSubDataWriterFactory implements DataWriterFactory, StreamingDataWriterFactory {
  private static final long serialVersionUID = 1;
  private final PubSubOptions options;
  private final StructType schema;

  PubSubDataWriterFactory(PubSubOptions options, StructType schema) {
    this.options = options;
    this.schema = schema;
  }

  @Override
  public DataWriter<InternalRow> createWriter(int partition, long task) {
    return new PubSubDataWriter(options, schema);
  }

  @Override
  public DataWriter<InternalRow> createWriter(int partition, long task, long epoch) {
    return new PubSubDataWriter(options, schema);
  }
}
