package io.sparkpubsub.agent;

import io.sparkpubsub.ledger.LedgerMessages;
import io.sparkpubsub.ledger.LedgerMessages.Answer;
import io.sparkpubsub.ledger.LedgerMessages.Report;
import io.sparkpubsub.ledger.LedgerMessages.Verdict;
import io.sparkpubsub.ledger.Pause;
import io.sparkpubsub.ledger.Rpc;
import io.sparkpubsub.natives.ChunkView;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.service.TokenFeed;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.SparkEnv;
import org.apache.spark.rpc.RpcCallContext;
import org.apache.spark.rpc.RpcEndpointRef;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one object per executor process and query run that owns native readers and their slots.
 * {@link AgentLogic} says what it does; here are what it holds and its daemon thread, which carries
 * reports to the driver's ledger whenever something changed. It registers when it can work, last of
 * all; where its start fails, nothing of it is left.
 */
final class Agent implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
  private static final int IDLE_MS = 200;
  private static final int UNANSWERED_PAUSE_MS = 200;
  private static final int CLOSE_TIMEOUT_MS = 15000;
  private static final int LEAVE_TIMEOUT_MS = 5000;
  private static final int LAST_ASK_TIMEOUT_MS = 2000;
  private static final int ASK_TIMEOUT_MS = 8000; // shorter than the lease
  private static final AtomicLong INCARNATIONS = new AtomicLong(System.currentTimeMillis() * 1000);

  private final AgentConfig config;
  private final long incarnation = INCARNATIONS.incrementAndGet();
  private final SparkEnv env = SparkEnv.get();
  private final String executor = env.executorId();
  private final RpcEndpointRef driver;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile boolean leaving;
  // Of open(); null: not yet
  private NativeReaders readers;
  private AgentLogic logic;
  private TokenFeed tokens;
  private RpcEndpointRef self;
  private Object shutdownHook;

  private Agent(AgentConfig config) {
    this.config = config;
    this.driver = Rpc.driver(config.endpoint);
  }

  /**
   * Starts the agent of this process, if the run has none here. Throws why it cannot work; then
   * nothing is left of it.
   */
  static void start(AgentConfig config) {
    synchronized (Agents.class) {
      if (Agents.of(config.run) == null) {
        Agent agent = new Agent(config);
        agent.open();
        Thread thread = new Thread(agent, "pubsub-agent");
        thread.setDaemon(true);
        thread.start();
      }
    }
  }

  private void open() {
    boolean works = false;
    try {
      readers = NativeReaders.open(config);
      logic =
          new AgentLogic(
              config.run, executor, incarnation, new NativeSlots(readers, config), nowMs());
      tokens = startTokens();
      self = Rpc.serve("pubsub-agent-" + config.run + "-" + incarnation, this::handle);
      shutdownHook = Rpc.addShutdownHook(this::leave);
      Agents.add(config.run, this);
      works = register();
    } finally {
      if (!works) {
        undo();
      }
    }
    if (!works) {
      throw new IllegalStateException("the query has ended, or Spark has given up this executor");
    }
  }

  private boolean register() {
    String host = env.blockManager().blockManagerId().host();
    Object[] message =
        new LedgerMessages.Register(config.run, executor, host, incarnation, self).encode();
    return LedgerMessages.Register.verdict(Rpc.ask(ASK_TIMEOUT_MS, driver, message))
        == Verdict.WORK;
  }

  /** Gives up whatever there is. */
  private void undo() {
    Agents.remove(config.run, this);
    if (shutdownHook != null) {
      Rpc.removeShutdownHook(shutdownHook);
    }
    if (self != null && !isOrphan()) {
      Rpc.stop(self);
    }
    if (tokens != null) {
      tokens.close();
    }
    if (readers != null) {
      readers.close(0, new long[ReaderMetric.LONGS]); // again, as a rule: harmless
    }
  }

  private TokenFeed startTokens() {
    return TokenFeed.start(
        config.options,
        new TokenFeed.Client() {
          @Override
          public long unauthenticated() {
            return readers.unauthenticated();
          }

          @Override
          public void setToken(byte[] token) {
            readers.setToken(token);
          }
        });
  }

  private static long nowMs() {
    return System.nanoTime() / 1_000_000;
  }

  /** The Spark context that it belongs to has stopped. */
  private boolean isOrphan() {
    return SparkEnv.get() != env;
  }

  // ---- what tasks of this process ask ----

  /** A chunk this process holds, with its view; 0: it is held elsewhere, or gone. */
  long chunk(int slot, long epoch, long seq, ChunkView view) {
    try {
      return NativeReader.chunk(readers.of(slot), slot, epoch, seq, view);
    } catch (IllegalStateException e) {
      return 0; // just closed
    }
  }

  /** A level that the reader shows now; 0: it is closed. */
  long level(ReaderMetric metric) {
    try {
      return readers.metrics()[metric.ordinal()];
    } catch (IllegalStateException e) {
      return 0;
    }
  }

  /** Sizes of the chunks that are held from a seq on; returns how many were filled. */
  int chunkSizes(int slot, long epoch, long seq, long[] out) {
    try {
      return NativeReader.chunkSizes(readers.of(slot), slot, epoch, seq, out);
    } catch (IllegalStateException e) {
      return 0;
    }
  }

  // ---- its own thread, and that of its endpoint ----

  private void handle(Object[] message, RpcCallContext context) {
    if (LedgerMessages.kind(message).equals(LedgerMessages.Orders.KIND)) {
      logic.obey(LedgerMessages.Orders.decode(message).orders);
      return;
    }
    LedgerMessages.Chunk asked = LedgerMessages.Chunk.decode(message);
    long chunk =
        NativeReader.chunk(
            readers.of(asked.slot), asked.slot, asked.epoch, asked.seq, new ChunkView());
    try {
      context.reply(chunk == 0 ? null : NativeReader.packChunk(chunk));
    } finally {
      if (chunk != 0) {
        NativeReader.releaseChunk(chunk);
      }
    }
  }

  @Override
  public void run() {
    String problem = null;
    try {
      work();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IllegalStateException e) {
      LOG.debug("the pubsub agent of {} leaves with its process", config.options.subscription());
    } catch (Throwable e) {
      LOG.error("the pubsub agent of {} has failed", config.options.subscription(), e);
      problem = "the pubsub agent of executor " + executor + " has failed: " + e;
    }
    close(CLOSE_TIMEOUT_MS, problem);
    if (logic.state() == AgentLogic.State.AGAIN && !leaving) {
      LOG.warn(
          "the driver had given up executor {}: what it held is given back, and it begins again",
          executor);
      LedgerClient.startOrTell(config);
    }
  }

  private void work() throws InterruptedException {
    long generation = 0;
    while (true) {
      generation = readers.await(generation, Math.max(IDLE_MS, 2 * logic.paceMs()));
      Report report = logic.report(nowMs());
      if (report == null) {
        LOG.warn(
            "no answer from the driver for {} ms: giving everything back", AgentLogic.LEASE_MS);
        return;
      }
      exchange(report);
      if (logic.state() != AgentLogic.State.WORKING) {
        return;
      }
      Thread.sleep(logic.paceMs());
    }
  }

  /** One report and its answer. */
  private void exchange(Report report) {
    try {
      Answer answer = Answer.decode(Rpc.ask(ASK_TIMEOUT_MS, driver, report.encode()));
      if (!leaving) {
        logic.answered(report.number, answer);
      }
    } catch (Exception e) {
      if (isOrphan() || Rpc.isGone(e)) {
        logic.abandoned();
      } else {
        Pause.ms(UNANSWERED_PAUSE_MS);
      }
    }
  }

  /**
   * The process is going: what is committed is acknowledged, the rest is given back at once, and
   * the driver is told of both.
   */
  private void leave() {
    leaving = true;
    try {
      Object[] message = new LedgerMessages.Leave(config.run, executor, incarnation).encode();
      logic.obey(LedgerMessages.Leave.orders(Rpc.ask(LAST_ASK_TIMEOUT_MS, driver, message)));
    } catch (Exception e) {
      LOG.debug("the driver has gone before its agent", e);
    }
    close(LEAVE_TIMEOUT_MS, null);
  }

  private void close(int timeoutMs, String problem) {
    if (!closing.compareAndSet(false, true)) {
      awaitClosed(timeoutMs);
      return;
    }
    long[] metrics = new long[ReaderMetric.LONGS];
    boolean confirmed = readers.close(timeoutMs, metrics);
    if (!confirmed) {
      LOG.warn("some acknowledgements are unconfirmed: the service delivers those messages again");
    }
    undo();
    Report last = logic.lastReport(metrics, problem);
    if (!isOrphan()) {
      try {
        Rpc.ask(LAST_ASK_TIMEOUT_MS, driver, last.encode());
      } catch (Exception e) {
        LOG.debug("the driver has gone before its agent", e);
      }
    }
    closed.countDown();
  }

  /** Another thread is at it. */
  private void awaitClosed(int timeoutMs) {
    try {
      closed.await(timeoutMs, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
