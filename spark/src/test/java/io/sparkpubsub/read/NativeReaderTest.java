package io.sparkpubsub.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sparkpubsub.PubSubException;
import io.sparkpubsub.PubSubSchema;
import io.sparkpubsub.natives.ChunkView;
import io.sparkpubsub.natives.NativeAdmin;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.natives.SlotReport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.junit.jupiter.api.Test;

/** The natives, under -Xcheck:jni. */
class NativeReaderTest {
  private static final String[] NOWHERE = {
    "endpoint",
    "127.0.0.1:1",
    "plaintext",
    "1",
    "subscription",
    "projects/p/subscriptions/s",
    "columns",
    "63"
  };

  @Test
  void aClosedHandleThrowsAndClosingTwiceIsHarmless() {
    long before = NativeReader.liveAllocations();
    long reader = NativeReader.open(NOWHERE);
    assertThat(NativeReader.close(reader, 100)).isTrue();
    assertThat(NativeReader.close(reader, 100)).isTrue();
    assertThatThrownBy(() -> NativeReader.metrics(reader, new long[ReaderMetric.LONGS]))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> NativeReader.openSlot(12345, 0, 1, 0))
        .isInstanceOf(IllegalStateException.class);
    assertThat(NativeReader.liveAllocations()).isEqualTo(before);
  }

  private static String[] calling(String[] connection, String call) {
    List<String> out = new ArrayList<>(Arrays.asList(connection));
    out.addAll(Arrays.asList("call", call, "name", "projects/p/subscriptions/s"));
    return out.toArray(new String[0]);
  }

  @Test
  void errorsAreExceptionsWithCodes() {
    assertThatThrownBy(
            () ->
                NativeReader.open(
                    new String[] {"endpoint", "a b", "plaintext", "1", "subscription", "s"}))
        .isInstanceOfSatisfying(
            PubSubException.class, e -> assertThat(e.code()).isEqualTo("invalid"));
    assertThatThrownBy(() -> NativeAdmin.run(calling(NOWHERE, "getSubscription"), null, 500))
        .hasMessageContaining("127.0.0.1:1")
        .isInstanceOfSatisfying(
            PubSubException.class, e -> assertThat(e.code()).isEqualTo("connect"));
    assertThatThrownBy(() -> NativeReader.unpackChunk(new byte[10], new ChunkView()))
        .isInstanceOf(PubSubException.class);
    long reader = NativeReader.open(NOWHERE);
    assertThatThrownBy(() -> NativeReader.setToken(reader, "secret".getBytes()))
        .hasMessageContaining("plaintext")
        .hasMessageNotContaining("secret");
    NativeReader.close(reader, 100);
  }

  @Test
  void theProxyReachesTheLibrary() {
    String[] through = {
      "endpoint",
      "pubsub.example",
      "proxy",
      "http://user:secret@127.0.0.1:1",
      "subscription",
      "projects/p/subscriptions/s"
    };
    assertThatThrownBy(() -> NativeAdmin.run(calling(through, "getSubscription"), null, 500))
        .hasMessageContaining("cannot connect to pubsub.example:443 through the proxy 127.0.0.1:1")
        .hasMessageNotContaining("secret");
    through[3] = "socks5://user:secret@127.0.0.1:1";
    assertThatThrownBy(() -> NativeReader.open(through))
        .hasMessageNotContaining("secret")
        .isInstanceOfSatisfying(
            PubSubException.class, e -> assertThat(e.code()).isEqualTo("invalid"));
  }

  @Test
  void usedFromManyThreadsWhileItCloses() throws Exception {
    long reader = NativeReader.open(NOWHERE);
    NativeReader.openSlot(reader, 0, 1, 0);
    ExecutorService pool = Executors.newFixedThreadPool(8);
    Future<?>[] users = new Future<?>[8];
    for (int i = 0; i < users.length; i++) {
      users[i] =
          pool.submit(
              () -> {
                ChunkView view = new ChunkView();
                try {
                  while (true) {
                    NativeReader.chunk(reader, 0, 1, 0, view);
                    NativeReader.await(reader, 0, 1);
                    NativeReader.report(reader, new long[SlotReport.LONGS]);
                  }
                } catch (IllegalStateException closed) {
                  return;
                }
              });
    }
    Thread.sleep(50);
    NativeReader.close(reader, 100);
    for (Future<?> user : users) {
      user.get();
    }
    pool.shutdown();
  }

  @Test
  void aChunkIsReleasedWithItsBatch() {
    long before = NativeReader.liveAllocations();
    ChunkView view = new ChunkView();
    StructType schema = PubSubSchema.FULL;
    long chunk = NativeReader.unpackChunk(TestChunk.packed(100, 50), view);
    ColumnarBatch batch = ChunkVectors.wrap(chunk, view, schema, "", null);
    assertThat(NativeReader.liveAllocations()).isGreaterThan(before);
    assertThat(batch.numRows()).isEqualTo(100);
    assertThat(batch.column(0).getUTF8String(42).toString()).isEqualTo("id42");
    assertThat(batch.column(1).getBinary(7)).hasSize(50);
    assertThat(batch.column(2).getMap(3).numElements()).isEqualTo(1);
    assertThat(batch.column(2).getMap(3).valueArray().getUTF8String(0).toString()).isEqualTo("v");
    assertThat(batch.column(3).getLong(5)).isEqualTo(5000);
    assertThat(batch.column(4).isNullAt(0)).isTrue();
    assertThat(batch.column(5).isNullAt(0)).isTrue();
    batch.close();
    assertThat(NativeReader.liveAllocations()).isEqualTo(before);
  }
}
