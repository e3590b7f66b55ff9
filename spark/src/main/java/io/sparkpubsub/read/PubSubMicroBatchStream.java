package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.agent.AgentConfig;
import io.sparkpubsub.agent.AgentStarter;
import io.sparkpubsub.ledger.CommitLog;
import io.sparkpubsub.ledger.CommitWatcher;
import io.sparkpubsub.ledger.Gathering;
import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.LedgerEndpoint;
import io.sparkpubsub.ledger.Pause;
import io.sparkpubsub.ledger.PubSubOffset;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.connector.read.streaming.MicroBatchStream;
import org.apache.spark.sql.connector.read.streaming.Offset;
import org.apache.spark.sql.connector.read.streaming.ReadLimit;
import org.apache.spark.sql.connector.read.streaming.ReportsSourceMetrics;
import org.apache.spark.sql.connector.read.streaming.SupportsTriggerAvailableNow;
import org.apache.spark.sql.types.StructType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The driver's side of one run of a query. Offsets count chunks that executors hold; a range reads the same rows until it is
 * committed, and only then are they acknowledged. What is not guaranteed: that a message comes only once. After a restart, the
 * ranges of the earlier run read as empty, and the service delivers their messages again.
 */
final class PubSubMicroBatchStream implements MicroBatchStream, SupportsTriggerAvailableNow, ReportsSourceMetrics {
  private static final Logger LOG = LoggerFactory.getLogger(PubSubMicroBatchStream.class);
  private static final long STOP_TIMEOUT_MS = 20000;
  /** AvailableNow ends when nothing new has come for so long; an emulator delivers at once. */
  private static final long QUIET_MS = 3000;
  private static final long EMULATOR_QUIET_MS = 1000;
  private static final long OPEN_TIMEOUT_MS = 60000;

  private final PubSubOptions options;
  private final StructType schema;
  private final String checkpoint;
  private final SparkSession session;
  private final String run = UUID.randomUUID().toString();
  private final long maxRows;
  private final long maxBytes;
  private final Ledger ledger;
  private final LedgerEndpoint endpoint;
  private final AgentStarter starter;
  private final CommitWatcher watcher;
  private final Gathering gathering = new Gathering();
  private final long budgetBytes; // of an executor
  private final long minRows;
  private final long maxTriggerDelayMs;
  private final String name;
  private long waitingSinceMs; // fewer than minRows are there; 0: none, or enough
  private boolean availableNow;

  PubSubMicroBatchStream(PubSubOptions options, StructType schema, String checkpoint) {
    this.options = options;
    this.schema = schema;
    this.checkpoint = checkpoint;
    this.session = SparkSession.active();
    this.maxRows = options.number(Option.MAX_ROWS_PER_TRIGGER, Long.MAX_VALUE);
    this.maxBytes = options.number(Option.MAX_BYTES_PER_TRIGGER, Long.MAX_VALUE);
    this.budgetBytes = options.number(Option.MAX_RESERVOIR_BYTES, 0);
    this.minRows = options.number(Option.MIN_ROWS_PER_TRIGGER, 1);
    this.maxTriggerDelayMs = options.millis(Option.MAX_TRIGGER_DELAY);
    int slots = slots(options, Math.max(1, session.sparkContext().defaultParallelism()));
    int jitterMs = (int) options.number(Option.JITTER_MS, 0);
    this.ledger = new Ledger(slots, System.currentTimeMillis() * 1000, jitterMs);
    this.endpoint = new LedgerEndpoint(run, ledger, slots);
    this.starter = new AgentStarter(new AgentConfig(run, options, schema), ledger, endpoint::leave, session);
    this.name = "pubsub[" + options.subscription() + ", run " + run.substring(0, 8) + "]";
    this.watcher = new CommitWatcher(session.sparkContext(), name, ledger, this::lastCommitted, endpoint::committed);
    starter.start();
    watcher.start();
  }

  private PubSubOffset lastCommitted() {
    try {
      return CommitLog.lastCommitted(checkpoint, session.sparkContext().hadoopConfiguration());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What the query's progress calls it. */
  @Override
  public String toString() {
    return name;
  }

  static int slots(PubSubOptions options, int parallelism) {
    long asked = options.number(Option.NUM_PARTITIONS, parallelism);
    int cap = 2 * parallelism;
    if (asked > cap) {
      LOG.warn(
          "numPartitions is {}: more than twice the default parallelism brings nothing; using {}", asked, cap);
    }
    return (int) Math.min(asked, cap);
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
    return maxRows == Long.MAX_VALUE ? ReadLimit.allAvailable() : ReadLimit.maxRows(maxRows);
  }

  @Override
  public Offset latestOffset() {
    throw new UnsupportedOperationException("latestOffset(start, limit) is used instead");
  }

  /** Spark only asks with a start that it has committed: the last batch is acknowledged here, also when nothing follows. */
  @Override
  public Offset latestOffset(Offset start, ReadLimit limit) {
    PubSubOffset from = start == null ? PubSubOffset.NOTHING : (PubSubOffset) start;
    endpoint.committed(from);
    failOnError();
    PubSubOffset end = ledger.latest(from, maxRows, maxBytes);
    if (availableNow && end == from) {
      end = waitForMore(from);
    }
    end = gather(from, end);
    if (!availableNow && end != from && tooFew(from, end)) {
      end = from;
    }
    return end.equals(PubSubOffset.NOTHING) ? null : end; // of a first batch, any offset counts as new data
  }

  /** Lets the batch grow while messages come fast. */
  private PubSubOffset gather(PubSubOffset from, PubSubOffset end) {
    long[] size = ledger.size(from, end);
    while (size[0] < maxRows
        && gathering.wait(
            System.nanoTime() / 1000000,
            ledger.sealedBytes(),
            size[1],
            Math.min(maxBytes, budgetBytes / 2 * Math.max(1, ledger.agentCount())))
        && Pause.ms(Gathering.STEP_MS)) {
      failOnError();
      end = ledger.latest(from, maxRows, maxBytes);
      size = ledger.size(from, end);
    }
    return end;
  }

  private boolean tooFew(PubSubOffset from, PubSubOffset end) {
    long now = System.currentTimeMillis();
    if (ledger.size(from, end)[0] >= Math.min(minRows, maxRows)) {
      waitingSinceMs = 0;
      return false;
    }
    if (waitingSinceMs == 0) {
      waitingSinceMs = now;
    }
    if (now - waitingSinceMs < maxTriggerDelayMs) {
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
  private PubSubOffset waitForMore(PubSubOffset from) {
    long now = System.currentTimeMillis();
    long giveUp = now + OPEN_TIMEOUT_MS;
    long quietSince = now;
    long quietMs = options.plaintext() ? EMULATOR_QUIET_MS : QUIET_MS;
    while (now - quietSince < quietMs && now < giveUp) {
      if (!Pause.ms(20)) {
        return from;
      }
      failOnError();
      PubSubOffset end = ledger.latest(from, maxRows, maxBytes);
      if (end != from) {
        return end;
      }
      now = System.currentTimeMillis();
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
    boolean late = maxRows == Long.MAX_VALUE && maxBytes == Long.MAX_VALUE && !availableNow;
    ((PubSubOffset) end)
        .positions.forEach(
            (slot, to) -> {
              long from = begin.from(slot, to.epoch);
              String home = ledger.location(slot, to.epoch);
              if (from < to.seq && home != null) {
                partitions.add(new PubSubInputPartition(run, slot, to.epoch, from, to.seq, late, home));
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
    endpoint.committed((PubSubOffset) end);
  }

  @Override
  public Map<String, String> metrics(Optional<Offset> latestConsumedOffset) {
    return ledger.metrics(System.currentTimeMillis() * 1000);
  }

  /** Looks the same after success and failure: the commit log tells what may be acknowledged. The rest is given back. */
  @Override
  public void stop() {
    boolean interrupted = Thread.interrupted(); // how Spark stops a query; there is something left to do
    watcher.stop();
    try {
      PubSubOffset committed = lastCommitted();
      if (committed != null) {
        endpoint.committed(committed);
      }
    } catch (Exception e) {
      LOG.warn("cannot read the commit log: what it commits last is delivered again", e);
    }
    long deadline = System.nanoTime() + STOP_TIMEOUT_MS / 2 * 1000000;
    while (!ledger.allSettled() && System.nanoTime() < deadline) {
      if (!Pause.ms(5)) {
        break;
      }
    }
    endpoint.stop(STOP_TIMEOUT_MS / 2);
    starter.stop();
    SubscriptionLife.end(options);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
