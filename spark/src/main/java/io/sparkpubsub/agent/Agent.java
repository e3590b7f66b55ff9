package io.sparkpubsub.agent;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.Rpc;
import io.sparkpubsub.natives.ChunkView;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.service.TokenFeed;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.spark.SparkEnv;
import org.apache.spark.rpc.RpcCallContext;
import org.apache.spark.rpc.RpcEndpointRef;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one object per executor process and query run that owns a native reader and its slots. A daemon thread reports to the
 * driver's ledger whenever something changed and does what the answer says. Reporting is idempotent: a lost answer is asked for
 * again.
 */
public final class Agent implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
  private static final ConcurrentHashMap<String, Agent> AGENTS = new ConcurrentHashMap<>();
  private static final int IDLE_MS = 200;
  private static final int PAUSE_MS = 5; // between two reports
  private static final int CLOSE_TIMEOUT_MS = 15000;
  private static final int LEAVE_TIMEOUT_MS = 5000;
  private static final int LEAVE_ASK_TIMEOUT_MS = 2000;
  private static final long DRIVER_GONE_MS = 120000;

  private final AgentConfig config;
  private final String executor;
  private final RpcEndpointRef driver;
  private final RpcEndpointRef self;
  private final long reader;
  private final TokenFeed tokens;
  private final Object shutdownHook;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final Map<Long, Long> told = new HashMap<>(); // epoch -> seqs whose sizes the ledger has
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile boolean leaving;
  private long lastAnswerMs = System.currentTimeMillis();

  private Agent(AgentConfig config) {
    SparkEnv env = SparkEnv.get();
    this.config = config;
    this.executor = env.executorId();
    this.driver = Rpc.driver(config.endpoint());
    this.self = Rpc.serve("pubsub-agent-" + config.run, this::handle);
    String host = env.blockManager().blockManagerId().host();
    int slots = (Integer) Rpc.ask(driver, "register", executor, host, self);
    this.reader = NativeReader.open(config.nativeOptions(slots));
    this.tokens = startTokens(config.options, reader);
    this.shutdownHook = Rpc.addShutdownHook(this::leave);
  }

  private static TokenFeed startTokens(PubSubOptions options, long reader) {
    try {
      return TokenFeed.start(
          options,
          new TokenFeed.Client() {
            @Override
            public long unauthenticated() {
              return NativeReader.unauthenticated(reader);
            }

            @Override
            public void setToken(byte[] token) {
              NativeReader.setToken(reader, token);
            }
          });
    } catch (RuntimeException e) {
      NativeReader.close(reader, 0);
      throw e;
    }
  }

  /** Starts the agent of this process, once per run. */
  static void start(AgentConfig config) {
    AGENTS.computeIfAbsent(
        config.run,
        run -> {
          Agent agent = new Agent(config);
          Thread thread = new Thread(agent, "pubsub-agent");
          thread.setDaemon(true);
          thread.start();
          return agent;
        });
  }

  /** A chunk this process holds, with its view; 0: it is held elsewhere, or gone. */
  public static long chunk(String run, int slot, long epoch, long seq, ChunkView view) {
    Agent agent = AGENTS.get(run);
    if (agent == null) {
      return 0;
    }
    try {
      return NativeReader.chunk(agent.reader, slot, epoch, seq, view);
    } catch (IllegalStateException e) {
      return 0; // just closed
    }
  }

  /** The ledger of a run that has an agent in this process; null: it has none. */
  static RpcEndpointRef driver(String run) {
    Agent agent = AGENTS.get(run);
    return agent == null ? null : agent.driver;
  }

  /** A level that the reader of this process shows now; 0: there is none. */
  public static long level(String run, ReaderMetric metric) {
    Agent agent = AGENTS.get(run);
    if (agent == null) {
      return 0;
    }
    try {
      long[] metrics = new long[ReaderMetric.LONGS];
      NativeReader.metrics(agent.reader, metrics);
      return metrics[metric.ordinal()];
    } catch (IllegalStateException e) {
      return 0; // just closed
    }
  }

  /** Rows of the chunks that this process holds from a seq on. */
  public static long rowsFrom(String run, int slot, long epoch, long seq) {
    Agent agent = AGENTS.get(run);
    if (agent == null) {
      return 0;
    }
    long[] sizes = new long[2 * 512];
    long rows = 0;
    try {
      int count;
      do {
        count = NativeReader.chunkSizes(agent.reader, slot, epoch, seq, sizes);
        seq += count;
        for (int i = 0; i < count; i++) {
          rows += sizes[2 * i];
        }
      } while (2 * count == sizes.length);
    } catch (IllegalStateException e) {
      return 0; // just closed
    }
    return rows;
  }

  private void handle(Object[] message, RpcCallContext context) {
    if (message[0].equals("orders")) {
      obey((long[]) message[1]);
      return;
    }
    ChunkView view = new ChunkView();
    long chunk =
        NativeReader.chunk(reader, (Integer) message[1], (Long) message[2], (Long) message[3], view);
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
    long generation = 0;
    boolean stop = false;
    String problem = null;
    try {
      while (!stop) {
        generation = NativeReader.await(reader, generation, IDLE_MS);
        stop = exchange();
        Thread.sleep(PAUSE_MS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IllegalStateException e) {
      LOG.debug("the pubsub agent of {} leaves with its process", config.options.subscription());
    } catch (Throwable e) {
      LOG.error("the pubsub agent of {} has failed", config.options.subscription(), e);
      problem = "the pubsub agent of executor " + executor + " has failed: " + e;
    } finally {
      close(CLOSE_TIMEOUT_MS, problem);
    }
  }

  /** The process is going: what is committed is acknowledged, the rest is given back at once, and the driver is told of both. */
  private void leave() {
    leaving = true;
    try {
      obey((long[]) Rpc.ask(LEAVE_ASK_TIMEOUT_MS, driver, "leave", executor));
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
    boolean confirmed = NativeReader.close(reader, timeoutMs, metrics);
    tokens.close();
    if (!confirmed) {
      LOG.warn("some acknowledgements are unconfirmed: the service delivers those messages again");
    }
    AGENTS.remove(config.run, this);
    Rpc.removeShutdownHook(shutdownHook);
    Rpc.stop(self);
    try {
      Rpc.ask(LEAVE_ASK_TIMEOUT_MS, driver, "report", executor, new long[0], new long[0], metrics, problem, true);
    } catch (Exception e) {
      LOG.debug("the driver has gone before its agent", e);
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

  /** One report and its answer. True: stop. */
  private boolean exchange() {
    AgentReport report = AgentReport.of(reader, told);
    Object[] answer;
    try {
      answer =
          (Object[])
              Rpc.ask(driver, "report", executor, report.epochs, report.sizes, report.metrics, report.problem, false);
    } catch (Exception e) {
      if (System.currentTimeMillis() - lastAnswerMs > DRIVER_GONE_MS) {
        LOG.warn("no answer from the driver for {} ms: giving everything back", DRIVER_GONE_MS);
        return true;
      }
      return false;
    }
    lastAnswerMs = System.currentTimeMillis();
    told.putAll(report.telling);
    if (!leaving) {
      obey((long[]) answer[1]);
    }
    return (Boolean) answer[0];
  }

  private void obey(long[] orders) {
    for (int i = 0; i < orders.length; i += Ledger.ORDER_LONGS) {
      int slot = (int) orders[i + 1];
      long epoch = orders[i + 2];
      switch ((int) orders[i]) {
        case Ledger.ORDER_OPEN:
          NativeReader.openSlot(reader, slot, epoch, (int) orders[i + 3]);
          break;
        case Ledger.ORDER_CLOSE:
          NativeReader.closeSlot(reader, slot, epoch, orders[i + 3] == 0);
          break;
        case Ledger.ORDER_SETTLE:
          NativeReader.settle(reader, slot, epoch, orders[i + 3], true);
          break;
        default:
          break; // of a newer driver
      }
    }
  }
}
