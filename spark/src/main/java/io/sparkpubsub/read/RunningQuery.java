package io.sparkpubsub.read;

import java.util.Map;
import java.util.UUID;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.Trigger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The query that a source belongs to, as far as Spark lets a source see it: no interface gives it
 * to a source, so it is looked up among the session's, and asked by the names of its methods, whose
 * class differs from line to line. What cannot be asked is not known.
 */
final class RunningQuery {
  private static final Logger LOG = LoggerFactory.getLogger(RunningQuery.class);
  private static final String QUERY_ID = "sql.streaming.queryId";
  private static final String BATCH_ID = "streaming.sql.batchId";

  private final SparkSession session;
  private final Object query; // null: not found

  private RunningQuery(SparkSession session, Object query) {
    this.session = session;
    this.query = query;
  }

  /** On the query's own thread. */
  static RunningQuery of(SparkSession session) {
    Object found = null;
    String id = session.sparkContext().getLocalProperty(QUERY_ID);
    if (id != null) {
      Map<?, ?> active = session.sharedState().activeStreamingQueries();
      found = active.get(UUID.fromString(id));
    }
    return new RunningQuery(session, found);
  }

  /** The batch that is being planned, on the query's own thread; -1: not known. */
  long batch() {
    String id = session.sparkContext().getLocalProperty(BATCH_ID);
    return id == null ? -1 : Long.parseLong(id);
  }

  /** Whether it has ended, or is about to, by an error; also where that is not known. */
  boolean hasFailed() {
    Object exception = ask("exception");
    return !(exception instanceof scala.Option) || ((scala.Option<?>) exception).isDefined();
  }

  /**
   * Whether one batch is to read all there is, whatever the limits of a batch; no, where that is
   * not known.
   */
  @SuppressWarnings("deprecation")
  boolean isOnce() {
    return Trigger.Once().equals(ask("trigger"));
  }

  /**
   * Whether somebody waits for all that is available, on the query's own thread, which has the lock
   * of its progress.
   */
  boolean isAwaited() {
    Object lock = ask("awaitProgressLock");
    Object condition = ask("awaitProgressLockCondition");
    if (!(lock instanceof ReentrantLock) || !((ReentrantLock) lock).isHeldByCurrentThread()) {
      return false;
    }
    return ((ReentrantLock) lock).hasWaiters((Condition) condition)
        || ((ReentrantLock) lock).hasQueuedThreads();
  }

  /** What its sink calls itself; empty: not known. */
  String sink() {
    Object sink = ask("sink");
    return sink == null ? "" : sink.toString();
  }

  private Object ask(String method) {
    if (query == null) {
      return null;
    }
    try {
      return query.getClass().getMethod(method).invoke(query);
    } catch (ReflectiveOperationException e) {
      LOG.debug("this Spark does not tell {} of a query", method, e);
      return null;
    }
  }
}
