package io.sparkpubsub.ledger;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.sql.streaming.SourceProgress;
import org.apache.spark.sql.streaming.StreamingQueryListener.QueryProgressEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Spark tells a source of a commit when it plans the next batch, which may be a long trigger away.
 * This looks into the commit log soon after a batch has ended, so that its messages are
 * acknowledged without a next one.
 */
public final class CommitWatcher extends SparkListener {
  private static final Logger LOG = LoggerFactory.getLogger(CommitWatcher.class);

  /** With a short trigger, Spark's own signal comes first, and nothing is read. */
  private static final long DELAY_MS = 300;

  private final SparkContext context;
  private final String source;
  private final Ledger ledger;
  private final Supplier<PubSubOffset> committed;
  private final Consumer<PubSubOffset> commit;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "pubsub-commits");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param source the stream's description, in the progress of its query
   * @param committed reads the commit log; null where it says nothing
   * @param commit is told of what is committed
   */
  public CommitWatcher(
      SparkContext context,
      String source,
      Ledger ledger,
      Supplier<PubSubOffset> committed,
      Consumer<PubSubOffset> commit) {
    this.context = context;
    this.source = source;
    this.ledger = ledger;
    this.committed = committed;
    this.commit = commit;
  }

  public void start() {
    context.addSparkListener(this);
  }

  public void stop() {
    context.removeSparkListener(this);
    timer.shutdownNow();
  }

  @Override
  public void onOtherEvent(SparkListenerEvent event) {
    if (!(event instanceof QueryProgressEvent)) {
      return;
    }
    for (SourceProgress progress : ((QueryProgressEvent) event).progress().sources()) {
      if (source.equals(progress.description()) && !timer.isShutdown()) {
        String end = progress.endOffset();
        timer.schedule(() -> look(end), DELAY_MS, TimeUnit.MILLISECONDS);
      }
    }
  }

  /** Nobody may have stopped the query. */
  @Override
  public void onApplicationEnd(SparkListenerApplicationEnd event) {
    timer.shutdownNow();
  }

  private void look(String batchEnd) {
    try {
      if (batchEnd == null || ledger.isCommitted(PubSubOffset.parse(batchEnd))) {
        return;
      }
      PubSubOffset end = committed.get();
      if (end != null) {
        commit.accept(end);
      }
    } catch (RuntimeException e) {
      LOG.warn("cannot read the commit log: acknowledging waits for the next batch", e);
    }
  }
}
