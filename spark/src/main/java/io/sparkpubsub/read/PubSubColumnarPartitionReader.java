package io.sparkpubsub.read;

import io.sparkpubsub.agent.Agents;
import io.sparkpubsub.agent.LedgerClient;
import io.sparkpubsub.natives.ChunkView;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.service.TaskMetric;
import org.apache.spark.sql.connector.metric.CustomTaskMetric;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/**
 * Reads a range of chunks, one ColumnarBatch each, over native memory. Reading changes nothing: a
 * retry or a speculative copy sees the same rows. A chunk whose home is another executor is fetched
 * from there; where the home is gone, the rest of the range is reported lost first (so that it is
 * never settled) and reads as empty.
 */
final class PubSubColumnarPartitionReader implements PartitionReader<ColumnarBatch> {
  private final PubSubInputPartition partition;
  private final StructType schema;
  private final ChunkView view = new ChunkView();
  private boolean begun;
  private boolean told; // that it is read to its end
  private long next;
  private long end;
  private ColumnarBatch current;
  private long bytes;
  private long chunks;
  private long remote;
  private long dropped;
  private final PayloadPlan payloads; // null: they are read as bytes
  private PayloadDecoder decoder;

  PubSubColumnarPartitionReader(
      PubSubInputPartition partition, StructType schema, PayloadPlan payloads) {
    this.partition = partition;
    this.schema = schema;
    this.payloads = payloads;
  }

  @Override
  public boolean next() {
    closeCurrent();
    if (!begun) {
      begin();
    }
    long chunk = 0;
    while (chunk == 0 && next < end) {
      chunk = chunk();
    }
    if (chunk == 0) {
      tellEnd();
      return false;
    }
    bytes += view.bytes();
    chunks++;
    next++;
    current = batch(chunk);
    return true;
  }

  /** Takes the chunk in any case. */
  private ColumnarBatch batch(long chunk) {
    boolean open = false;
    try {
      if (payloads != null && decoder == null) {
        decoder = new PayloadDecoder(payloads, partition.run);
      }
      open = true;
    } finally {
      if (!open) {
        NativeReader.releaseChunk(chunk);
      }
    }
    ColumnarBatch batch = ChunkVectors.wrap(chunk, view, schema, partition.subscription, decoder);
    dropped += view.rows() - batch.numRows();
    return batch;
  }

  private void tellEnd() {
    if (partition.bounded && !told) {
      LedgerClient.readToEnd(partition.endpoint, partition.run, partition.slot);
      told = true;
    }
  }

  /**
   * The next one, of this process or from its home; 0: there is none, and `next` is where to go on.
   */
  private long chunk() {
    long held = Agents.chunk(partition.run, partition.slot, partition.epoch, next, view);
    if (held != 0) {
      return held;
    }
    byte[] packed =
        LedgerClient.fetch(
            partition.endpoint, partition.run, partition.slot, partition.epoch, next);
    if (packed == null) { // reported lost by the driver's side: it knows that the home is gone
      next = end;
    } else if (packed.length == 0) { // its lease has ended: the service delivers it again
      next++;
    } else {
      remote++;
      return NativeReader.unpackChunk(packed, view);
    }
    return 0;
  }

  /**
   * The range is decided when the first task asks: what arrived until then is part of the batch.
   */
  private void begin() {
    long[] range =
        LedgerClient.range(
            partition.endpoint,
            partition.run,
            partition.slot,
            partition.epoch,
            partition.from,
            partition.to,
            partition.late);
    if (range != null) {
      next = range[0];
      end = range[1];
    }
    begun = true;
  }

  @Override
  public ColumnarBatch get() {
    return current;
  }

  @Override
  public CustomTaskMetric[] currentMetricsValues() {
    return new CustomTaskMetric[] {
      new TaskMetric(ReadMetrics.BYTES, bytes),
      new TaskMetric(ReadMetrics.CHUNKS, chunks),
      new TaskMetric(ReadMetrics.REMOTE, remote),
      new TaskMetric(ReadMetrics.DROPPED, dropped),
      new TaskMetric(ReadMetrics.BACKLOG, waiting()),
      new TaskMetric(
          ReadMetrics.RESERVOIR, Agents.level(partition.run, ReaderMetric.RESERVOIR_BYTES))
    };
  }

  /** Known at the end: rows of this slot that are left to later batches. */
  private long waiting() {
    boolean atEnd = next >= end;
    return atEnd ? Agents.rowsFrom(partition.run, partition.slot, partition.epoch, end) : 0;
  }

  private void closeCurrent() {
    if (current != null) {
      current.close();
      current = null;
    }
  }

  @Override
  public void close() {
    closeCurrent();
    if (decoder != null) {
      decoder.close();
      decoder = null;
    }
  }
}
