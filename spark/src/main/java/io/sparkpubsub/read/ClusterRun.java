package io.sparkpubsub.read;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.agent.AgentConfig;
import io.sparkpubsub.agent.AgentStarter;
import io.sparkpubsub.ledger.BatchEnds;
import io.sparkpubsub.ledger.CommitLog;
import io.sparkpubsub.ledger.CommitWatcher;
import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.LedgerEndpoint;
import io.sparkpubsub.ledger.Pause;
import io.sparkpubsub.ledger.PubSubOffset;
import io.sparkpubsub.service.Banner;
import io.sparkpubsub.service.Gauges;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.UUID;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run on Spark's cluster: the ledger's endpoint, agents on every executor, and an eye on the
 * commit log.
 */
final class ClusterRun implements QueryRun {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterRun.class);
  private static final long STOP_TIMEOUT_MS = 20000;

  private final String id = UUID.randomUUID().toString();
  private final String name;
  private final PubSubOptions options;
  private final String checkpoint;
  private final SparkSession session;
  private final Ledger ledger;
  private final LedgerEndpoint endpoint;
  private final CommitWatcher watcher;
  private final RunningQuery query;
  private final BatchEnds ends = new BatchEnds();
  private final StructType schema;
  private final int parallelism;
  private AgentStarter starter;

  /**
   * @param parallelism what the ledger's slots are for
   */
  ClusterRun(
      PubSubOptions options,
      StructType schema,
      String checkpoint,
      Ledger ledger,
      int parallelism,
      SparkSession session) {
    this.options = options;
    this.schema = schema;
    this.checkpoint = checkpoint;
    this.session = session;
    this.ledger = ledger;
    this.query = RunningQuery.of(session);
    this.parallelism = parallelism;
    this.name = "pubsub[" + options.subscription() + ", run " + id.substring(0, 8) + "]";
    this.endpoint = new LedgerEndpoint(id, ledger);
    this.watcher =
        new CommitWatcher(
            session.sparkContext(), name, ledger, this::lastCommitted, endpoint::committed);
  }

  /**
   * How many slots: as asked, but no more than twice the parallelism; one a subscription at least.
   */
  static int slots(PubSubOptions options, int parallelism) {
    long asked = options.number(Option.NUM_PARTITIONS, parallelism);
    int cap = 2 * parallelism;
    if (asked > cap) {
      LOG.warn(
          "numPartitions is {}: more than twice the default parallelism brings nothing; using {}",
          asked,
          cap);
    }
    return Math.max((int) Math.min(asked, cap), options.subscriptions().size());
  }

  void start() {
    Banner.show(options);
    Gauges.addSource(id, () -> ledger.metrics(System.currentTimeMillis() * 1000));
    warnOfSink();
    endpoint.start();
    AgentConfig config = new AgentConfig(id, endpoint.name(), options, schema, !query.isOnce());
    starter =
        new AgentStarter(
            config,
            ledger,
            endpoint::leave,
            session,
            parallelism,
            cores -> slots(options, cores),
            () -> Gauges.removeSource(id));
    starter.start();
    watcher.start();
  }

  private void warnOfSink() {
    try {
      String warning =
          FileSinkCheck.warning(
              query.sink(), checkpoint, session.sparkContext().hadoopConfiguration());
      if (warning != null) {
        LOG.warn("{}", warning);
      }
    } catch (IOException | RuntimeException e) {
      LOG.debug("the folder of the sink cannot be read", e);
    }
  }

  private PubSubOffset lastCommitted() {
    try {
      return ends.upTo(
          CommitLog.lastCommitted(checkpoint, session.sparkContext().hadoopConfiguration()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Acknowledges what the commit log says; if it cannot be read, that is delivered again. */
  private void acknowledgeCommitted() {
    try {
      PubSubOffset committed = lastCommitted();
      if (committed != null) {
        endpoint.committed(committed);
      }
    } catch (Exception e) {
      LOG.warn("cannot read the commit log: what it commits last is delivered again", e);
    }
  }

  @Override
  public void planned(PubSubOffset end) {
    long batch = query.batch();
    if (batch >= 0) {
      ends.planned(batch, end);
    }
  }

  @Override
  public void settle(long timeoutMs) {
    acknowledgeCommitted();
    long deadline = System.nanoTime() + timeoutMs * 1000000;
    while (!ledger.allSettled() && System.nanoTime() < deadline && Pause.ms(5)) {}
  }

  @Override
  public boolean isAwaited() {
    return query.isAwaited();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public String endpoint() {
    return endpoint.name();
  }

  @Override
  public void committed(PubSubOffset offset) {
    endpoint.committed(offset);
  }

  /**
   * Looks the same after success and failure: the commit log tells what may be acknowledged. The
   * rest is given back.
   */
  @Override
  public void stop() {
    watcher.stop();
    settle(STOP_TIMEOUT_MS / 2);
    endpoint.stop(STOP_TIMEOUT_MS / 2);
    starter.stop();
    Gauges.removeSource(id);
    SubscriptionLife.end(options, query.hasFailed());
  }
}
