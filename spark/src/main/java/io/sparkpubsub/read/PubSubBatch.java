package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connector.read.Batch;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.types.StructType;

/**
 * A bounded read as a plan has it. It is gathered when an action first plans its tasks, once for
 * each execution of Spark's, whose end says what becomes of it: see {@link BoundedRead}. Where
 * there is no execution (an RDD), nobody would say so: that is refused.
 */
final class PubSubBatch implements Batch {
  private static final String EXECUTION = "spark.sql.execution.id";
  private static final String ROOT = "spark.sql.execution.root.id"; // of one that began others

  private final PubSubOptions options;
  private final StructType schema;
  private final long limit;
  private final Map<Long, InputPartition[]> planned = new HashMap<>(); // by execution

  PubSubBatch(PubSubOptions options, StructType schema, long limit) {
    this.options = options;
    this.schema = schema;
    this.limit = limit;
  }

  @Override
  public synchronized InputPartition[] planInputPartitions() {
    SparkSession session = SparkSession.active();
    long execution = id(session.sparkContext(), EXECUTION, -1);
    if (execution < 0) {
      throw new UnsupportedOperationException(
          "a bounded read of a subscription needs an action of a DataFrame (write, collect),"
              + " which tells whether it has succeeded: an RDD does not. Write the"
              + " DataFrame first, or read the subscription as a stream");
    }
    InputPartition[] known = planned.get(execution);
    if (known == null) {
      long root = id(session.sparkContext(), ROOT, execution);
      known = new BoundedRead(options, schema, limit, session, execution, root).begin();
      planned.put(execution, known);
    }
    return known;
  }

  private static long id(SparkContext context, String property, long otherwise) {
    String id = context.getLocalProperty(property);
    return id == null ? otherwise : Long.parseLong(id);
  }

  @Override
  public PartitionReaderFactory createReaderFactory() {
    return new PubSubPartitionReaderFactory(
        schema, PayloadPlan.of(options, schema, SparkSession.active()));
  }
}
