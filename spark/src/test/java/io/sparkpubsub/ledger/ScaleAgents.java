package io.sparkpubsub.ledger;

import io.sparkpubsub.ledger.LedgerMessages.Answer;
import io.sparkpubsub.ledger.LedgerMessages.Register;
import io.sparkpubsub.ledger.LedgerMessages.Report;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.rpc.RpcAddress;
import org.apache.spark.rpc.RpcCallContext;
import org.apache.spark.rpc.RpcEndpointRef;

/**
 * A process of {@link ScaleBenchmark} with many modelled agents, each with an endpoint of its own,
 * that seal a chunk a slot every so many milliseconds and report at the pace that the ledger gives.
 * Arguments: the driver's host and port, its endpoint, the run, the first agent's number, how many,
 * ms between two chunks of a slot. Ends with its standard input.
 */
public final class ScaleAgents {
  private static final int IDLE_MS = 200; // as an agent that waits for a change
  private static final int THREADS = 4;

  private final RpcEndpointRef driver;
  private final String run;
  private final int sealMs;
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(THREADS);
  private final AtomicLong ordersUs = new AtomicLong(); // when orders came last, wall clock
  private final AtomicLong ordersCount = new AtomicLong();
  private final AtomicLong reports = new AtomicLong();

  private ScaleAgents(RpcEndpointRef driver, String run, int sealMs) {
    this.driver = driver;
    this.run = run;
    this.sealMs = sealMs;
  }

  public static void main(String[] args) throws Exception {
    SparkConf conf =
        new SparkConf().setMaster("local[1]").setAppName("agents").set("spark.ui.enabled", "false");
    SparkContext context = new SparkContext(conf.set("spark.driver.host", "127.0.0.1"));
    RpcEndpointRef driver =
        context
            .env()
            .rpcEnv()
            .setupEndpointRef(new RpcAddress(args[0], Integer.parseInt(args[1])), args[2]);
    ScaleAgents agents = new ScaleAgents(driver, args[3], Integer.parseInt(args[6]));
    RpcEndpointRef stats = Rpc.serve("stats", agents::stats);
    int first = Integer.parseInt(args[4]);
    List<One> all = new ArrayList<>();
    for (int i = first; i < first + Integer.parseInt(args[5]); i++) {
      all.add(agents.new One(Integer.toString(i)));
    }
    for (One one : all) {
      one.begin();
    }
    System.out.println("stats " + stats.address().port());
    while (System.in.read() >= 0) {}
    System.exit(0);
  }

  static long nowUs() {
    return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
  }

  /**
   * When orders came last, how many, and how many reports were answered, since it was asked last.
   */
  private void stats(Object[] message, RpcCallContext context) {
    context.reply(new long[] {ordersUs.get(), ordersCount.getAndSet(0), reports.getAndSet(0)});
  }

  /** One agent. */
  private final class One {
    private final FakeAgent agent;
    private long sealedMs = System.nanoTime() / 1_000_000;

    One(String id) {
      this.agent = new FakeAgent(id);
    }

    void begin() throws Exception {
      RpcEndpointRef self = Rpc.serve("agent-" + agent.id, this::handle);
      Register hello = agent.hello(run, "host" + agent.id, self);
      Rpc.ask(driver, hello.encode());
      timer.schedule(this::report, Integer.parseInt(agent.id) % 1000, TimeUnit.MILLISECONDS);
    }

    private synchronized void handle(Object[] message, RpcCallContext context) {
      ordersUs.set(nowUs());
      ordersCount.incrementAndGet();
      agent.obey(LedgerMessages.Orders.decode(message).orders);
    }

    private void report() {
      int pace = IDLE_MS;
      try {
        Report report;
        synchronized (this) {
          seal();
          report = agent.reportOf(run);
        }
        Answer answer = Answer.decode(Rpc.ask(driver, report.encode()));
        reports.incrementAndGet();
        synchronized (this) {
          agent.take(answer);
        }
        pace = Math.max(answer.paceMs, 1);
      } catch (Throwable e) {
        System.err.println(e);
      }
      timer.schedule(this::report, pace, TimeUnit.MILLISECONDS);
    }

    private void seal() {
      long now = System.nanoTime() / 1_000_000;
      while (now - sealedMs >= sealMs) {
        sealedMs += sealMs;
        agent.slots.values().forEach(slot -> slot.sealed++);
      }
    }
  }
}
