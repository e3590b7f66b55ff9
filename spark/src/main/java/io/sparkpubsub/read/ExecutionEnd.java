package io.sparkpubsub.read;

import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for the end of one execution of Spark's (an action, or a statement of SQL), and of the one
 * that began it, and says how it was. What follows has a thread of its own, as a listener's belongs
 * to Spark; where the application ends, it is waited for.
 */
final class ExecutionEnd extends SparkListener {
  /** What becomes of a read. */
  interface Told {
    /**
     * On a listener's thread of Spark.
     *
     * @param look why not all that was read has been used; null: it has
     * @return what takes longer
     */
    Runnable ended(boolean succeeded, String look);
  }

  private static final Logger LOG = LoggerFactory.getLogger(ExecutionEnd.class);
  private static final long APPLICATION_END_MS = 10000;

  private final SparkContext context;
  private final long execution;
  private final long root; // may be the same
  private final Told told;
  private boolean succeeded = true;
  private String look;
  private Thread thread; // null: it goes on

  ExecutionEnd(SparkContext context, long execution, long root, Told told) {
    this.context = context;
    this.execution = execution;
    this.root = root;
    this.told = told;
  }

  void listen() {
    context.addSparkListener(this);
  }

  @Override
  public void onOtherEvent(SparkListenerEvent event) {
    if (!(event instanceof SparkListenerSQLExecutionEnd)) {
      return;
    }
    SparkListenerSQLExecutionEnd end = (SparkListenerSQLExecutionEnd) event;
    if (end.executionId() == execution) {
      note(end);
    }
    if (end.executionId() == root) {
      succeeded &= hasSucceeded(end);
      over();
    }
  }

  private void note(SparkListenerSQLExecutionEnd end) {
    succeeded &= hasSucceeded(end);
    try {
      look = Looks.reason(end.qe(), end.executionName());
    } catch (Throwable e) { // a Spark whose plans are others
      LOG.warn("cannot see what the plan has used", e);
      look = "what the plan has used of it cannot be seen";
    }
  }

  /** Spark says "" where there was no error. */
  private static boolean hasSucceeded(SparkListenerSQLExecutionEnd end) {
    return end.errorMessage().isDefined() && end.errorMessage().get().isEmpty();
  }

  private void over() {
    if (thread == null) {
      context.removeSparkListener(this);
      thread = new Thread(told.ended(succeeded, look), "pubsub-bounded-read");
      thread.setDaemon(true);
      thread.start();
    }
  }

  /** The last actions' outcomes are still to be told to the service. */
  @Override
  public void onApplicationEnd(SparkListenerApplicationEnd event) {
    succeeded &= thread != null;
    over();
    try {
      thread.join(APPLICATION_END_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
