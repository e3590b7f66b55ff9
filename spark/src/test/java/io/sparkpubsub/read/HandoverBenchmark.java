package io.sparkpubsub.read;

import io.sparkpubsub.PubSubSchema;
import io.sparkpubsub.natives.ChunkView;
import io.sparkpubsub.natives.NativeReader;
import java.util.Arrays;
import java.util.Locale;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/**
 * What handing a chunk of 10,000 rows to the JVM costs: the JNI call, wrapping it as a
 * ColumnarBatch, releasing it. Arguments: the endpoint, and the full names of two subscriptions
 * that hold 10,000 messages each. Prints a table and one line of JSON.
 */
public final class HandoverBenchmark {
  private static final int ROWS = 10000;
  private static final int WARM_UP = 3000;
  private static final int ROUNDS = 2000;

  private HandoverBenchmark() {}

  public static void main(String[] args) throws Exception {
    double all = measure(args[0], args[1], PubSubSchema.FULL);
    double one = measure(args[0], args[2], new StructType().add(PubSubSchema.FULL.fields()[1]));
    System.out.printf(Locale.ROOT, "%-14s %14s%n", "columns", "µs per chunk");
    System.out.printf(Locale.ROOT, "%-14s %14.1f%n", "all", all);
    System.out.printf(Locale.ROOT, "%-14s %14.1f%n", "data", one);
    System.out.printf(
        Locale.ROOT,
        "{\"rows\": %d, \"all_columns_us\": %.1f, \"one_column_us\": %.1f}%n",
        ROWS,
        all,
        one);
  }

  /** Median µs of one hand-over. */
  private static double measure(String endpoint, String subscription, StructType schema)
      throws Exception {
    long reader =
        NativeReader.open(
            new String[] {
              "endpoint",
              endpoint,
              "plaintext",
              "1",
              "subscription",
              subscription,
              "columns",
              Integer.toString(PubSubSchema.columns(schema)),
              "chunk_rows",
              Integer.toString(ROWS),
              "chunk_bytes",
              "1000000000",
              "linger_ms",
              "5000"
            });
    NativeReader.openSlot(reader, 0, 1, 0);
    ChunkView view = new ChunkView();
    long chunk = 0;
    for (int i = 0; chunk == 0 && i < 1000; i++) {
      Thread.sleep(10);
      chunk = NativeReader.chunk(reader, 0, 1, 0, view);
    }
    if (chunk == 0 || view.rows() != ROWS) {
      throw new IllegalStateException("no chunk of " + ROWS + " rows came");
    }
    NativeReader.releaseChunk(chunk);
    double[] micros = new double[ROUNDS];
    for (int i = -WARM_UP; i < ROUNDS; i++) {
      long start = System.nanoTime();
      ColumnarBatch batch =
          ChunkVectors.wrap(NativeReader.chunk(reader, 0, 1, 0, view), view, schema, "", null);
      batch.close();
      if (i >= 0) {
        micros[i] = (System.nanoTime() - start) / 1e3;
      }
    }
    NativeReader.close(reader, 1000);
    Arrays.sort(micros);
    return micros[ROUNDS / 2];
  }
}
