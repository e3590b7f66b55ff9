package io.sparkpubsub.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubSchema;
import io.sparkpubsub.ledger.FakeAgent;
import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.PubSubOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.streaming.Offset;
import org.apache.spark.sql.connector.read.streaming.ReadLimit;
import org.junit.jupiter.api.Test;

class PubSubMicroBatchStreamTest {
  private static final long EPOCH = 1000;

  /** Remembers what it is told. */
  private static final class Run implements QueryRun {
    final List<String> committed = new ArrayList<>();
    final List<String> planned = new ArrayList<>();
    int settled;
    boolean awaited;
    boolean interrupted;
    boolean stopped;

    @Override
    public String name() {
      return "pubsub[test]";
    }

    @Override
    public String id() {
      return "test";
    }

    @Override
    public String endpoint() {
      return "ledgers";
    }

    @Override
    public void committed(PubSubOffset offset) {
      committed.add(offset.json());
    }

    @Override
    public void planned(PubSubOffset end) {
      planned.add(end.json());
    }

    @Override
    public void settle(long timeoutMs) {
      settled++;
    }

    @Override
    public boolean isAwaited() {
      return awaited;
    }

    @Override
    public void stop() {
      interrupted = Thread.currentThread().isInterrupted();
      stopped = true;
    }
  }

  private final Run run = new Run();
  private final Ledger ledger = new Ledger(1, EPOCH, 0);
  private long nowMs = 1_000_000;
  private long stepMs; // that pass with each look
  private final FakeAgent agent = new FakeAgent("1"); // chunks of 10 rows and 100 bytes

  private PubSubMicroBatchStream stream(String... keyValues) {
    ledger.executors(0, Collections.singletonMap("1", "host"));
    agent.register(ledger, 0);
    ledger.tick(0);
    agent.exchange(ledger, 0);
    return new PubSubMicroBatchStream(
        options(keyValues), PubSubSchema.FULL, null, ledger, run, () -> nowMs += stepMs);
  }

  private static PubSubOptions options(String... keyValues) {
    Map<String, String> given = new HashMap<>();
    for (int i = 0; i < keyValues.length; i += 2) {
      given.put(keyValues[i], keyValues[i + 1]);
    }
    return PubSubOptions.of(given, Collections.emptyMap(), Collections.emptyMap());
  }

  private void seal(int chunks) {
    agent.slots.get(0).sealed += chunks;
    agent.exchange(ledger, 0);
  }

  @Test
  void nothingIsNoOffsetAtAll() {
    assertThat(stream().latestOffset(PubSubOffset.NOTHING, Limits.asked(options()))).isNull();
  }

  @Test
  void sparkOnlyAsksWithAStartThatItHasCommitted() {
    PubSubMicroBatchStream stream = stream();
    seal(2);
    Offset end = stream.latestOffset(stream.initialOffset(), stream.getDefaultReadLimit());
    assertThat(end.json()).isEqualTo("{\"0\":\"1000:2\"}");
    assertThat(stream.latestOffset(end, stream.getDefaultReadLimit())).isSameAs(end);
    assertThat(run.committed).containsExactly("{}", "{\"0\":\"1000:2\"}");
  }

  /**
   * Spark writes and reads the start anew each time that it asks, which takes long with thousands
   * of slots.
   */
  @Test
  void anIdleQueryReadsItsOffsetOnce() {
    PubSubMicroBatchStream stream = stream();
    seal(2);
    Offset end = stream.latestOffset(stream.initialOffset(), stream.getDefaultReadLimit());
    Offset start = stream.deserializeOffset(end.json());
    assertThat(start).isEqualTo(end);
    assertThat(stream.deserializeOffset(new String(start.json().toCharArray()))).isSameAs(start);
    assertThat(start.json()).isSameAs(start.json());
    assertThat(stream.deserializeOffset("{\"0\":\"1000:1\"}").json())
        .isEqualTo("{\"0\":\"1000:1\"}");
  }

  /** A trigger that wants all there is says so by its limit. */
  @Test
  void theLimitThatSparkGivesCounts() {
    PubSubMicroBatchStream stream = stream("maxRowsPerTrigger", "20", "minRowsPerTrigger", "30");
    seal(5);
    assertThat(stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit()).json())
        .isEqualTo("{\"0\":\"1000:2\"}");
    stepMs = 1000;
    assertThat(stream.latestOffset(PubSubOffset.NOTHING, ReadLimit.allAvailable()).json())
        .isEqualTo("{\"0\":\"1000:5\"}");
    stepMs = 0;
    assertThat(stream.latestOffset(PubSubOffset.NOTHING, ReadLimit.maxRows(30)).json())
        .isEqualTo("{\"0\":\"1000:3\"}");
  }

  @Test
  void bytesAreALimitBesideSparks() {
    PubSubMicroBatchStream stream = stream("maxBytesPerTrigger", "300b");
    seal(5);
    assertThat(stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit()).json())
        .isEqualTo("{\"0\":\"1000:3\"}");
  }

  @Test
  void aBatchWaitsForItsRowsAndNoLongerThanItsDelay() {
    PubSubMicroBatchStream stream = stream("minRowsPerTrigger", "50", "maxTriggerDelay", "30s");
    seal(2);
    assertThat(stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit())).isNull();
    nowMs += 29_999;
    assertThat(stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit())).isNull();
    nowMs += 1;
    assertThat(stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit()).json())
        .isEqualTo("{\"0\":\"1000:2\"}");
    seal(3);
    assertThat(stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit()).json())
        .isEqualTo("{\"0\":\"1000:5\"}");
  }

  @Test
  void aProblemOfAnAgentFailsTheQuery() {
    PubSubMicroBatchStream stream = stream();
    agent.problem = "no permission";
    agent.exchange(ledger, 0);
    assertThatThrownBy(() -> stream.latestOffset(PubSubOffset.NOTHING, ReadLimit.allAvailable()))
        .hasMessage("no permission");
  }

  @Test
  void oneTaskASlotWithDataAtItsHome() {
    PubSubMicroBatchStream stream = stream();
    seal(2);
    Offset end = PubSubOffset.parse("{\"0\":\"1000:2\",\"7\":\"5:9\"}"); // one of an earlier run
    InputPartition[] partitions = stream.planInputPartitions(PubSubOffset.NOTHING, end);
    assertThat(partitions).hasSize(1);
    PubSubInputPartition part = (PubSubInputPartition) partitions[0];
    assertThat(part.preferredLocations()).containsExactly("executor_host_1");
    assertThat(new long[] {part.slot, part.epoch, part.from, part.to})
        .containsExactly(0, EPOCH, 0, 2);
    assertThat(part.late).isTrue();
    assertThat(stream.planInputPartitions(end, end)).isEmpty();
  }

  @Test
  void aBatchWithLimitsEndsWhereItsOffsetSays() {
    PubSubMicroBatchStream stream = stream("maxRowsPerTrigger", "20");
    seal(2);
    Offset end = PubSubOffset.parse("{\"0\":\"1000:2\"}");
    assertThat(
            ((PubSubInputPartition) stream.planInputPartitions(PubSubOffset.NOTHING, end)[0]).late)
        .isFalse();
  }

  /** What the service got later stays unread, also behind a look; the end is a quiet time. */
  @Test
  void whatWasThereIsTheTarget() {
    PubSubMicroBatchStream stream = stream("endpoint", "localhost:1", "plaintext", "true");
    stream.prepareForTriggerAvailableNow();
    seal(2);
    agent.publishUs = Long.MAX_VALUE;
    seal(1);
    Offset end = stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit());
    assertThat(end.json()).isEqualTo("{\"0\":\"1000:2\"}");
    assertThat(stream.reportLatestOffset()).isEqualTo(end);
    assertThat(
            ((PubSubInputPartition) stream.planInputPartitions(PubSubOffset.NOTHING, end)[0]).late)
        .isFalse();
    assertThat(run.planned).containsExactly(end.json());
    assertThat(run.settled).isZero();
    stream.metrics(Optional.of(end));
    assertThat(run.settled).isEqualTo(1);
    stepMs = 300;
    long begin = nowMs;
    assertThat(stream.latestOffset(end, stream.getDefaultReadLimit())).isSameAs(end);
    assertThat(nowMs - begin).isBetween(1000L, 2000L);
  }

  @Test
  void nothingIsSkippedBehindALateMessage() {
    PubSubMicroBatchStream stream = stream("endpoint", "localhost:1", "plaintext", "true");
    stream.prepareForTriggerAvailableNow();
    agent.publishUs = Long.MAX_VALUE;
    seal(1);
    agent.publishUs = 0;
    seal(1);
    assertThat(stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit()).json())
        .isEqualTo("{\"0\":\"1000:2\"}");
  }

  /** Else nothing else could come. */
  @Test
  void whatFillsASlotIsRead() {
    PubSubMicroBatchStream stream =
        stream("endpoint", "localhost:1", "plaintext", "true", "maxRowsPerTrigger", "30");
    stream.prepareForTriggerAvailableNow();
    agent.publishUs = Long.MAX_VALUE;
    seal(4);
    assertThat(stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit()).json())
        .isEqualTo("{\"0\":\"1000:3\"}");
  }

  @Test
  void aQueryThatCannotReadFailsInsteadOfEnding() {
    PubSubMicroBatchStream stream =
        stream("subscriptionId", "sub1", "projectId", "p1", "availableNowTimeout", "10s");
    stream.prepareForTriggerAvailableNow();
    ledger.executors(0, Collections.emptyMap());
    stepMs = 1000;
    long begin = nowMs;
    assertThatThrownBy(
            () -> stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit()))
        .hasMessageContaining("projects/p1/subscriptions/sub1")
        .hasMessageContaining("none of 1 streams")
        .hasMessageContaining("no executor");
    assertThat(nowMs - begin).isBetween(10_000L, 13_000L);
  }

  /** processAllAvailable: nothing new is only said after a quiet time. */
  @Test
  void somebodyWhoWaitsGetsWhatIsThere() {
    PubSubMicroBatchStream stream = stream("endpoint", "localhost:1", "plaintext", "true");
    agent.exchange(ledger, 0); // its stream is open
    run.awaited = true;
    stepMs = 100;
    long begin = nowMs;
    assertThat(stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit())).isNull();
    assertThat(nowMs - begin).isBetween(QuietTime.FIRST_MS, 2 * QuietTime.FIRST_MS);
  }

  @Test
  void somebodyWhoWaitsIsNotKeptByWhatComesLater() {
    PubSubMicroBatchStream stream = stream("endpoint", "localhost:1", "plaintext", "true");
    agent.exchange(ledger, 0); // its stream is open
    run.awaited = true;
    stepMs = 100;
    seal(1);
    Offset end = stream.latestOffset(PubSubOffset.NOTHING, stream.getDefaultReadLimit());
    agent.publishUs = Long.MAX_VALUE;
    seal(1);
    assertThat(stream.latestOffset(end, stream.getDefaultReadLimit())).isSameAs(end);
    run.awaited = false;
    assertThat(stream.latestOffset(end, stream.getDefaultReadLimit()).json())
        .isEqualTo("{\"0\":\"1000:2\"}");
  }

  /** Spark stops a query by an interrupt; what stopping has to do is done all the same. */
  @Test
  void anInterruptDoesNotCutStoppingShort() {
    PubSubMicroBatchStream stream = stream();
    Thread.currentThread().interrupt();
    stream.stop();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(run.stopped).isTrue();
    assertThat(run.interrupted).isFalse();
  }
}
