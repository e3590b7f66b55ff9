package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.ledger.Gathering;
import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.Pause;
import io.sparkpubsub.ledger.PubSubOffset;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
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
 * The driver's side of one run of a query. Offsets count chunks that executors hold; a range reads
 * the same rows until it is committed, and only then are they acknowledged. What is not guaranteed:
 * that a message comes only once. After a restart, the ranges of the earlier run read as empty, and
 * the service delivers their messages again.
 */
final class PubSubMicroBatchStream
    implements MicroBatchStream, SupportsTriggerAvailableNow, ReportsSourceMetrics {
  /**
   * Whoever waits for what is there gets what the service got until now, by a clock that may be
   * ahead of ours.
   */
  private static final long CLOCKS_DIFFER_US = 1_000_000;

  /** The progress of a trigger that ends waits so long for the acknowledgements of its batch. */
  private static final long SETTLE_TIMEOUT_MS = 2000;

  private final PubSubOptions options;
  private final StructType schema;
  private final PayloadPlan payloads; // null: they are read as bytes
  private final Ledger ledger;
  private final QueryRun run;
  private final LongSupplier clockMs; // wall clock
  private final Gathering gathering = new Gathering();
  private final long budgetBytes; // of an executor
  private PubSubOffset parsed = PubSubOffset.NOTHING;
  private long waitingSinceMs; // fewer than minRows are there; 0: none, or enough
  private Backlog whatWasThere; // null: the trigger does not end
  private Backlog whatIsAwaited; // null: nobody waits

  PubSubMicroBatchStream(
      PubSubOptions options,
      StructType schema,
      PayloadPlan payloads,
      Ledger ledger,
      QueryRun run,
      LongSupplier clockMs) {
    this.options = options;
    this.schema = schema;
    this.payloads = payloads;
    this.ledger = ledger;
    this.run = run;
    this.clockMs = clockMs;
    this.budgetBytes = options.number(Option.MAX_RESERVOIR_BYTES, 0);
  }

  /** A stream whose run has begun. */
  static PubSubMicroBatchStream start(PubSubOptions options, StructType schema, String checkpoint) {
    SparkSession session = SparkSession.active();
    PayloadPlan payloads = PayloadPlan.of(options, schema, session);
    int parallelism = Math.max(1, session.sparkContext().defaultParallelism());
    int jitterMs = (int) options.number(Option.JITTER_MS, 0);
    Ledger ledger =
        new Ledger(
            ClusterRun.slots(options, parallelism),
            Ledger.freshEpoch(System.currentTimeMillis()),
            jitterMs,
            options.subscriptions());
    ClusterRun run = new ClusterRun(options, schema, checkpoint, ledger, parallelism, session);
    run.start();
    return new PubSubMicroBatchStream(
        options, schema, payloads, ledger, run, System::currentTimeMillis);
  }

  /** All that executors hold, as the query's progress shows it. */
  @Override
  public Offset reportLatestOffset() {
    long targetUs = whatWasThere == null ? Ledger.NO_TARGET : whatWasThere.targetUs();
    PubSubOffset end = ledger.end(targetUs);
    return end.equals(PubSubOffset.NOTHING) ? null : end;
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
    if (!json.equals(
        parsed.json())) { // an idle query asks with the same one a hundred times a second
      parsed = PubSubOffset.parse(json);
    }
    return parsed;
  }

  @Override
  public ReadLimit getDefaultReadLimit() {
    return Limits.asked(options);
  }

  @Override
  public Offset latestOffset() {
    throw new UnsupportedOperationException("latestOffset(start, limit) is used instead");
  }

  /**
   * Spark only asks with a start that it has committed: the last batch is acknowledged here, also
   * when nothing follows.
   */
  @Override
  public Offset latestOffset(Offset start, ReadLimit limit) {
    PubSubOffset from = start == null ? PubSubOffset.NOTHING : (PubSubOffset) start;
    run.committed(from);
    ledger.failOnError();
    PubSubOffset end = Limits.isForAll(limit) ? all(from) : next(from, Limits.of(limit, options));
    return end.equals(PubSubOffset.NOTHING)
        ? null
        : end; // of a first batch, any offset counts as new data
  }

  /** Trigger.Once. */
  private PubSubOffset all(PubSubOffset from) {
    if (whatWasThere == null) {
      whatWasThere = backlog(nowUs());
    }
    PubSubOffset end = whatWasThere.all(from);
    failIfUnreachable();
    return end;
  }

  private PubSubOffset next(PubSubOffset from, Limits limits) {
    if (whatWasThere != null) { // Trigger.AvailableNow
      PubSubOffset end =
          gather(from, whatWasThere.next(from, limits), limits, whatWasThere.targetUs());
      failIfUnreachable();
      return end;
    }
    if (run.isAwaited()) { // processAllAvailable
      return awaited(from, limits);
    }
    whatIsAwaited = null;
    PubSubOffset end =
        gather(
            from, ledger.latest(from, limits.maxRows, limits.maxBytes), limits, Ledger.NO_TARGET);
    return end != from && tooFew(from, end, limits) ? from : end;
  }

  /** What comes while somebody waits does not keep them. */
  private PubSubOffset awaited(PubSubOffset from, Limits limits) {
    if (whatIsAwaited == null) {
      whatIsAwaited = backlog(nowUs() + CLOCKS_DIFFER_US);
    }
    PubSubOffset end =
        gather(from, whatIsAwaited.next(from, limits), limits, whatIsAwaited.targetUs());
    if (end == from) {
      whatIsAwaited = null; // Spark tells them so; whoever asks from now on waits for more
    }
    return end;
  }

  /** Lets the batch grow while messages come fast. */
  private PubSubOffset gather(PubSubOffset from, PubSubOffset end, Limits limits, long targetUs) {
    long[] size = ledger.size(from, end);
    while (size[0] < limits.maxRows
        && gathering.wait(
            System.nanoTime() / 1000000,
            ledger.sealedBytes(),
            size[1],
            Math.min(limits.maxBytes, budgetBytes / 2 * Math.max(1, ledger.agentCount())))
        && Pause.ms(Gathering.STEP_MS)) {
      ledger.failOnError();
      end = ledger.latest(from, limits.maxRows, limits.maxBytes, targetUs);
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

  private Backlog backlog(long targetUs) {
    return Backlog.of(options, ledger, targetUs, clockMs);
  }

  private static long nowUs() {
    return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
  }

  private void failIfUnreachable() {
    whatWasThere.failIfUnreachable(options);
  }

  @Override
  public void prepareForTriggerAvailableNow() {
    whatWasThere = backlog(nowUs());
  }

  @Override
  public InputPartition[] planInputPartitions(Offset start, Offset end) {
    boolean limited =
        options.has(Option.MAX_ROWS_PER_TRIGGER) || options.has(Option.MAX_BYTES_PER_TRIGGER);
    boolean late = !limited && whatWasThere == null;
    run.planned((PubSubOffset) end);
    return PubSubInputPartition.plan(
        ledger, run.endpoint(), run.id(), (PubSubOffset) start, (PubSubOffset) end, late, false);
  }

  @Override
  public PartitionReaderFactory createReaderFactory() {
    return new PubSubPartitionReaderFactory(schema, payloads);
  }

  @Override
  public void commit(Offset end) {
    run.committed((PubSubOffset) end);
  }

  @Override
  public Map<String, String> metrics(Optional<Offset> latestConsumedOffset) {
    if (whatWasThere != null) { // the last progress is to tell the end
      run.settle(SETTLE_TIMEOUT_MS);
    }
    return ledger.metrics(clockMs.getAsLong() * 1000);
  }

  @Override
  public void stop() {
    boolean interrupted =
        Thread.interrupted(); // how Spark stops a query; there is something left to do
    run.stop();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
