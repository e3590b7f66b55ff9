package io.sparkpubsub.ledger;

import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.rpc.RpcAddress;
import org.apache.spark.rpc.RpcEndpointRef;

/**
 * What thousands of agents cost the driver: a real ledger behind its real endpoint, modelled agents
 * over Spark's RPC in processes of their own, and a loop that does what Spark asks of a source in a
 * micro-batch. Arguments: agents, slots, processes, seconds, ms between two chunks of a slot, ms
 * between two batches. Prints a table and one line of JSON.
 */
public final class ScaleBenchmark {
  private static final long EPOCH = 1000;
  private static final String RUN = "scale";
  private static final long WARM_UP_S = 15;
  private static final ThreadMXBean CPU = ManagementFactory.getThreadMXBean();

  private final int agents;
  private final int slots;
  private final List<Process> processes = new ArrayList<>();
  private final List<RpcEndpointRef> stats = new ArrayList<>();
  private final List<Double> latestMs = new ArrayList<>();
  private final List<Double> ordersMs = new ArrayList<>();
  private Ledger ledger;
  private LedgerEndpoint endpoint;
  private long offsetBytes;
  private long reports;

  private ScaleBenchmark(int agents, int slots) {
    this.agents = agents;
    this.slots = slots;
  }

  public static void main(String[] args) throws Exception {
    ScaleBenchmark benchmark =
        new ScaleBenchmark(Integer.parseInt(args[0]), Integer.parseInt(args[1]));
    try {
      benchmark.start(Integer.parseInt(args[2]), Integer.parseInt(args[4]));
      benchmark.measure(Integer.parseInt(args[3]), Integer.parseInt(args[5]));
    } finally {
      for (Process process : benchmark.processes) {
        process.destroy();
        process.waitFor();
      }
    }
    System.exit(0);
  }

  private void start(int count, int sealMs) throws Exception {
    SparkConf conf =
        new SparkConf().setMaster("local[1]").setAppName("scale").set("spark.ui.enabled", "false");
    SparkContext context = new SparkContext(conf.set("spark.driver.host", "127.0.0.1"));
    ledger = new Ledger(slots, EPOCH, 0);
    endpoint = new LedgerEndpoint(RUN, ledger);
    endpoint.start();
    Map<String, String> executors = new HashMap<>();
    for (int i = 0; i < agents; i++) {
      executors.put(Integer.toString(i), "host" + i);
    }
    ledger.executors(LedgerEndpoint.nowMs(), executors);
    ledger.start(LedgerEndpoint.nowMs());
    RpcAddress address = context.env().rpcEnv().address();
    for (int i = 0; i < count; i++) {
      int first = agents * i / count;
      int its = agents * (i + 1) / count - first;
      processes.add(
          new ProcessBuilder(
                  System.getProperty("java.home") + "/bin/java",
                  "-Xmx512m",
                  "-XX:+UseSerialGC",
                  "--add-opens=java.base/java.nio=ALL-UNNAMED",
                  "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                  "-cp",
                  System.getProperty("java.class.path"),
                  ScaleAgents.class.getName(),
                  address.host(),
                  Integer.toString(address.port()),
                  endpoint.name(),
                  RUN,
                  Integer.toString(first),
                  Integer.toString(its),
                  Integer.toString(sealMs))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start());
    }
    for (Process process : processes) {
      BufferedReader out =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
      int port = Integer.parseInt(out.readLine().split(" ")[1]);
      stats.add(
          context.env().rpcEnv().setupEndpointRef(new RpcAddress("127.0.0.1", port), "stats"));
    }
    long deadline = System.nanoTime() + 180_000_000_000L;
    while (ledger.openSlots() < slots && System.nanoTime() < deadline) {
      ledger.tick(LedgerEndpoint.nowMs());
      Thread.sleep(200);
    }
    if (ledger.openSlots() < slots) {
      throw new IllegalStateException(
          "only " + ledger.openSlots() + " slots have opened: " + ledger);
    }
  }

  private void measure(int seconds, int batchMs) throws Exception {
    PubSubOffset from = PubSubOffset.NOTHING;
    long warmUp =
        System.nanoTime(); // a query runs for days: what its first seconds compile is left out
    while (System.nanoTime() - warmUp < WARM_UP_S * 1_000_000_000L) {
      from = batch(from, batchMs);
    }
    latestMs.clear();
    ordersMs.clear();
    reports = 0;
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long cpu = system.getProcessCpuTime();
    long begin = System.nanoTime();
    while (System.nanoTime() - begin < seconds * 1_000_000_000L) {
      from = batch(from, batchMs);
    }
    double passed = System.nanoTime() - begin;
    print((system.getProcessCpuTime() - cpu) / passed, reports / (passed / 1e9));
  }

  /** What Spark does: an offset is determined, written, read again and committed. */
  private PubSubOffset batch(PubSubOffset from, int batchMs) throws Exception {
    Thread.sleep(batchMs);
    ledger.tick(LedgerEndpoint.nowMs());
    long begin = CPU.getCurrentThreadCpuTime();
    PubSubOffset end =
        ledger.latest(PubSubOffset.parse(from.json()), Long.MAX_VALUE, Long.MAX_VALUE);
    latestMs.add((CPU.getCurrentThreadCpuTime() - begin) / 1e6);
    offsetBytes = end.json().length();
    long committedUs = ScaleAgents.nowUs();
    endpoint.committed(end);
    Thread.sleep(Math.min(1000, batchMs));
    long lastUs = 0;
    for (RpcEndpointRef process : stats) {
      long[] told = (long[]) Rpc.ask(process, "stats");
      lastUs = Math.max(lastUs, told[0]);
      reports += told[2];
    }
    ordersMs.add((lastUs - committedUs) / 1e3);
    return end;
  }

  private static double percentile(List<Double> values, double share) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return sorted[(int) Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }

  private void print(double cores, double reportsPerSecond) {
    Object[][] rows = {
      {"driver's cores busy", cores},
      {"reports a second", reportsPerSecond},
      {"last order of a commit, ms, median", percentile(ordersMs, 0.5)},
      {"last order of a commit, ms, p95", percentile(ordersMs, 0.95)},
      {"latestOffset, ms of CPU, median", percentile(latestMs, 0.5)},
      {"offset, bytes", (double) offsetBytes}
    };
    System.out.printf(Locale.ROOT, "%d agents, %d slots%n", agents, slots);
    Arrays.stream(rows).forEach(row -> System.out.printf(Locale.ROOT, "%-36s %12.2f%n", row));
    System.out.printf(
        Locale.ROOT,
        "{\"agents\": %d, \"slots\": %d, \"driver_cores\": %.3f, \"reports_per_second\": %.0f,"
            + " \"orders_ms_p50\": %.1f, \"orders_ms_p95\": %.1f, \"latest_offset_cpu_ms\": %.2f,"
            + " \"offset_bytes\": %d}%n",
        agents,
        slots,
        cores,
        reportsPerSecond,
        percentile(ordersMs, 0.5),
        percentile(ordersMs, 0.95),
        percentile(latestMs, 0.5),
        offsetBytes);
  }
}
