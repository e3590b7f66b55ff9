package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.ledger.Gathering;
import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.Pause;
import io.sparkpubsub.ledger.PubSubOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.connector.read.streaming.MicroBatchStream;
import org.apache.spark.sql.connector.read.streaming.Offset;
import org.apache.spark.sql.connector.read.streaming.ReadLimit;
import org.apache.spark.sql.connector.read.streaming.ReportsSourceMetrics;
import org.apache.spark.sql.connector.read.streaming.SupportsTriggerAvailableNow;
import org.apache.spark.sql.types.StructType;

/**
 * The driver's side of one run of a query. Offsets count chunks that executors hold; a range reads the same rows until it is
 * committed, and only then are they acknowledged. What is not guaranteed: that a message comes only once. After a restart, the
 * ranges of the earlier run read as empty, and the service delivers their messages again.
 */
final class PubSubMicroBatchStream implements MicroBatchStream, SupportsTriggerAvailableNow, ReportsSourceMetrics {
  /** AvailableNow ends when nothing new has come for so long; an emulator delivers at once. */
  private static final long QUIET_MS = 3000;
  private static final long EMULATOR_QUIET_MS = 1000;
  private static final long OPEN_TIMEOUT_MS = 60000;

  private final PubSubOptions options;
  private final StructType schema;
  private final Ledger ledger;
  private final QueryRun run;
  private final LongSupplier clockMs; // wall clock
  private final Gathering gathering = new Gathering();
  private final long budgetBytes; // of an executor
  private long waitingSinceMs; // fewer than minRows are there; 0: none, or enough
  private boolean availableNow;

  PubSubMicroBatchStream(PubSubOptions options, StructType schema, Ledger ledger, QueryRun run, LongSupplier clockMs) {
    this.options = options;
    this.schema = schema;
    this.ledger = ledger;
    this.run = run;
    this.clockMs = clockMs;
    this.budgetBytes = options.number(Option.MAX_RESERVOIR_BYTES, 0);
  }

  /** A stream whose run has begun. */
  static PubSubMicroBatchStream start(PubSubOptions options, StructType schema, String checkpoint) {
    SparkSession session = SparkSession.active();
    int parallelism = Math.max(1, session.sparkContext().defaultParallelism());
    int jitterMs = (int) options.number(Option.JITTER_MS, 0);
    Ledger ledger = 
        new Ledger(ClusterRun.slots(options, parallelism), Ledger.freshEpoch(System.currentTimeMillis()), jitterMs);
    ClusterRun run = new ClusterRun(options, schema, checkpoint, ledger, parallelism, session);
    run.start();
    return new PubSubMicroBatchStream(options, schema, ledger, run, System::currentTimeMillis);
  }

  /** What the query's progress calls it. */
  @Override
  public String toString() {
    return run.name();
  }

  @Override
  public Offset initialOffset() {
    return PubSubOffset.NOTHING;
  }

  @Override
  public Offset deserializeOffset(String json) {
    return PubSubOffset.parse(json);
  }

  @Override
  public ReadLimit getDefaultReadLimit() {
    return Limits.asked(options);
  }

  @Override
  public Offset latestOffset() {
    throw new UnsupportedOperationException("latestOffset(start, limit) is used instead");
  }

  /** Spark only asks with a start that it has committed: the last batch is acknowledged here, also when nothing follows. */
  @Override
  public Offset latestOffset(Offset start, ReadLimit limit) {
    PubSubOffset from = start == null ? PubSubOffset.NOTHING : (PubSubOffset) start;
    Limits limits = Limits.of(limit, options);
    run.committed(from);
    failOnError();
    PubSubOffset end = ledger.latest(from, limits.maxRows, limits.maxBytes);
    if (availableNow && end == from) {
      end = waitForMore(from, limits);
    }
    end = gather(from, end, limits);
    if (!availableNow && end != from && tooFew(from, end, limits)) {
      end = from;
    }
    return end.equals(PubSubOffset.NOTHING) ? null : end; // of a first batch, any offset counts as new data
  }

  /** Lets the batch grow while messages come fast. */
  private PubSubOffset gather(PubSubOffset from, PubSubOffset end, Limits limits) {
    long[] size = ledger.size(from, end);
    while (size[0] < limits.maxRows
        && gathering.wait(
            System.nanoTime() / 1000000,
            ledger.sealedBytes(),
            size[1],
            Math.min(limits.maxBytes, budgetBytes / 2 * Math.max(1, ledger.agentCount())))
        && Pause.ms(Gathering.STEP_MS)) {
      failOnError();
      end = ledger.latest(from, limits.maxRows, limits.maxBytes);
      size = ledger.size(from, end);
    }
    return end;
  }

  private boolean tooFew(PubSubOffset from, PubSubOffset end, Limits limits) {
    long now = clockMs.getAsLong();
    if (ledger.size(from, end)[0] >= limits.minRows) {
      waitingSinceMs = 0;
      return false;
    }
    if (waitingSinceMs == 0) {
      waitingSinceMs = now;
    }
    if (now - waitingSinceMs < limits.maxDelayMs) {
      return true;
    }
    waitingSinceMs = 0;
    return false;
  }

  private void failOnError() {
    String error = ledger.error();
    if (error != null) {
      throw new IllegalStateException(error);
    }
  }

  /** AvailableNow: the backlog is drained when streams are open and nothing has come for a while. */
  private PubSubOffset waitForMore(PubSubOffset from, Limits limits) {
    long now = clockMs.getAsLong();
    long giveUp = now + OPEN_TIMEOUT_MS;
    long quietSince = now;
    long quietMs = options.plaintext() ? EMULATOR_QUIET_MS : QUIET_MS;
    while (now - quietSince < quietMs && now < giveUp) {
      if (!Pause.ms(20)) {
        return from;
      }
      failOnError();
      PubSubOffset end = ledger.latest(from, limits.maxRows, limits.maxBytes);
      if (end != from) {
        return end;
      }
      now = clockMs.getAsLong();
      if (!ledger.allOpen()) {
        quietSince = now;
      }
    }
    return from;
  }

  @Override
  public void prepareForTriggerAvailableNow() {
    availableNow = true;
  }

  @Override
  public InputPartition[] planInputPartitions(Offset start, Offset end) {
    PubSubOffset begin = (PubSubOffset) start;
    List<InputPartition> partitions = new ArrayList<>();
    boolean limited = options.has(Option.MAX_ROWS_PER_TRIGGER) || options.has(Option.MAX_BYTES_PER_TRIGGER);
    boolean late = !limited && !availableNow;
    ((PubSubOffset) end)
        .positions.forEach(
            (slot, to) -> {
              long from = begin.from(slot, to.epoch);
              String home = ledger.location(slot, to.epoch);
              if (from < to.seq && home != null) {
                partitions.add(new PubSubInputPartition(run.endpoint(), run.id(), slot, to.epoch, from, to.seq, late, home));
              } else if (from < to.seq) { // the epoch has died: its messages come again from the service
                ledger.lostRange(slot, to.epoch, from);
              }
            });
    return partitions.toArray(new InputPartition[0]);
  }

  @Override
  public PartitionReaderFactory createReaderFactory() {
    return new PubSubPartitionReaderFactory(schema);
  }

  @Override
  public void commit(Offset end) {
    run.committed((PubSubOffset) end);
  }

  @Override
  public Map<String, String> metrics(Optional<Offset> latestConsumedOffset) {
    return ledger.metrics(clockMs.getAsLong() * 1000);
  }

  @Override
  public void stop() {
    boolean interrupted = Thread.interrupted(); // how Spark stops a query; there is something left to do
    run.stop();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
