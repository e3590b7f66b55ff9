package io.sparkpubsub.read;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/** Makes columnar readers only: rows are views into native memory. */
final class PubSubPartitionReaderFactory implements PartitionReaderFactory {
  private static final long serialVersionUID = 1;
  private final StructType schema;
  private final PayloadPlan payloads; // null: they are read as bytes

  PubSubPartitionReaderFactory(StructType schema, PayloadPlan payloads) {
    this.schema = schema;
    this.payloads = payloads;
  }

  @Override
  public boolean supportColumnarReads(InputPartition partition) {
    return true;
  }

  @Override
  public PartitionReader<ColumnarBatch> createColumnarReader(InputPartition partition) {
    return new PubSubColumnarPartitionReader((PubSubInputPartition) partition, schema, payloads);
  }

  @Override
  public PartitionReader<InternalRow> createReader(InputPartition partition) {
    throw new UnsupportedOperationException("pubsub reads in columns");
  }
}
