package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.agent.AgentConfig;
import io.sparkpubsub.agent.AgentStarter;
import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.LedgerEndpoint;
import io.sparkpubsub.ledger.Pause;
import io.sparkpubsub.ledger.PubSubOffset;
import io.sparkpubsub.service.Banner;
import io.sparkpubsub.service.Gauges;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.UUID;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.types.StructType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One bounded read of a subscription, from its first plan to the end of the execution that it is
 * for: executors gather what is there, tasks read it, and then it is acknowledged or given back,
 * all of it.
 *
 * <pre>
 *   GATHERED ── the execution has succeeded, every part was read to its end, and the plan has used all of it ──▶ acknowledged
 *       └────── anything else: a failure, a look (a limit, no column), a cache, the end of the application ─────▶ given back
 * </pre>
 *
 * Driver only. It begins on the thread that plans, and ends on one of its own.
 */
final class BoundedRead {
  private static final Logger LOG = LoggerFactory.getLogger(BoundedRead.class);
  private static final long STOP_TIMEOUT_MS = 20000;
  private static final double FULL = 0.8; // of the memory: there may be more

  private final String id = UUID.randomUUID().toString();
  private final PubSubOptions options;
  private final StructType schema;
  private final long limit;
  private final SparkSession session;
  private final ExecutionEnd executionEnd;
  private final Ledger ledger;
  private final LedgerEndpoint endpoint;
  private final AgentStarter starter;
  private PubSubOffset end = PubSubOffset.NOTHING;
  private InputPartition[] partitions;

  BoundedRead(
      PubSubOptions given,
      StructType schema,
      long limit,
      SparkSession session,
      long execution,
      long root) {
    long maxRows = given.number(Option.MAX_ROWS, Limits.NONE);
    this.options = given.endingAt(Math.min(maxRows, limit));
    this.schema = schema;
    this.limit = limit;
    this.session = session;
    int parallelism = Math.max(1, session.sparkContext().defaultParallelism());
    this.ledger =
        new Ledger(
            ClusterRun.slots(options, parallelism),
            Ledger.freshEpoch(System.currentTimeMillis()),
            (int) options.number(Option.JITTER_MS, 0),
            options.subscriptions());
    this.endpoint = new LedgerEndpoint(id, ledger);
    endpoint.start();
    this.starter =
        new AgentStarter(
            new AgentConfig(id, endpoint.name(), options, schema, true),
            ledger,
            endpoint::leave,
            session,
            parallelism,
            cores -> ClusterRun.slots(options, cores),
            () -> Gauges.removeSource(id));
    this.executionEnd = new ExecutionEnd(session.sparkContext(), execution, root, this::ended);
  }

  /** Gathers; throws why it cannot, and then nothing is left of it. */
  InputPartition[] begin() {
    boolean gathered = false;
    try {
      Banner.show(options);
      SubscriptionLife.begin(options);
      Gauges.addSource(id, () -> ledger.metrics(System.currentTimeMillis() * 1000));
      starter.start();
      gather();
      gathered = true;
    } finally {
      if (!gathered) {
        stop(false);
      }
    }
    executionEnd.listen();
    return partitions;
  }

  private void gather() {
    long nowUs = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    Backlog there = Backlog.of(options, ledger, nowUs, System::currentTimeMillis);
    long maxMs =
        options.has(Option.MAX_READ_TIME) ? options.millis(Option.MAX_READ_TIME) : Limits.NONE;
    end = there.bounded(options.number(Option.MAX_ROWS, Limits.NONE), limit, maxMs);
    if (Thread.currentThread().isInterrupted()) {
      throw new IllegalStateException("the read was interrupted");
    }
    there.failIfUnreachable(options);
    warnIfFull();
    ledger.drain();
    partitions =
        PubSubInputPartition.plan(
            ledger, endpoint.name(), id, PubSubOffset.NOTHING, end, false, true);
    LOG.info("{} rows of {} in a bounded read", ledger.size(PubSubOffset.NOTHING, end)[0], name());
  }

  private void warnIfFull() {
    long bytes = options.number(Option.MAX_RESERVOIR_BYTES, 0) * Math.max(1, ledger.agentCount());
    if (ledger.size(PubSubOffset.NOTHING, end)[1] > FULL * bytes) {
      LOG.warn(
          "a bounded read holds what it reads: of {} as much as maxReservoirBytes allows, the rest"
              + " stays for the next read",
          name());
    }
  }

  private String name() {
    return options.subscription();
  }

  /** The execution that it was for is over. Returns what takes longer. */
  private Runnable ended(boolean succeeded, String look) {
    String why = succeeded ? unused(look) : "the action has failed";
    endpoint.over();
    if (why == null) {
      endpoint.committed(end);
    } else {
      LOG.warn("what was read of {} is not acknowledged, but given back: {}", name(), why);
    }
    return () -> stop(why == null);
  }

  /** Why not all of it has been used; null: it has. */
  private String unused(String look) {
    if (schema.isEmpty()) {
      return "no column of it was read";
    }
    return look != null ? look : isRead() ? null : "the action has not read all of it";
  }

  private boolean isRead() {
    for (InputPartition partition : partitions) {
      if (!endpoint.isReadToEnd(((PubSubInputPartition) partition).slot)) {
        return false;
      }
    }
    return true;
  }

  private void stop(boolean acknowledge) {
    if (acknowledge) {
      long deadline = System.nanoTime() + STOP_TIMEOUT_MS / 2 * 1000000;
      while (!ledger.allSettled() && System.nanoTime() < deadline && Pause.ms(5)) {}
    }
    endpoint.stop(STOP_TIMEOUT_MS / 2);
    starter.stop();
    Gauges.removeSource(id);
    if (acknowledge) {
      SubscriptionLife.end(options, false);
    }
  }
}
