package io.sparkpubsub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.Trigger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Publishes numbered messages, reads them with Spark and compares. Parameters, each an environment
 * variable or else a system property: PUBSUB_MSG_COUNT or pubsub.msg.count, PUBSUB_PAYLOAD_SIZE or
 * pubsub.payload.size, TEST_MASTER or spark.master. The endpoint is that of PUBSUB_EMULATOR_HOST,
 * or an emulator of its own.
 */
class ThroughputIntegrationTest {
  private static final String PROJECT = "throughput-test-project";
  private static final Path EMULATOR =
      Paths.get(System.getProperty("pubsub.emulator.path", "../build/release/pubsub-emulator"));

  @TempDir Path work;

  static String parameter(String variable, String property, String fallback) {
    String value = System.getenv(variable);
    return value != null && !value.isEmpty() ? value : System.getProperty(property, fallback);
  }

  /** Runs the pubsub command; the last word of what it prints. */
  private static String pubsub(String host, String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(Collections.singletonList(EMULATOR.resolveSibling("pubsub").toString()));
    command.addAll(Arrays.asList(arguments));
    command.addAll(Arrays.asList("--endpoint", host, "--plaintext", "--project", PROJECT));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
            .lines()
            .collect(Collectors.joining("\n"))
            .trim();
    assertThat(process.waitFor()).as(out).isZero();
    return out.substring(out.lastIndexOf(' ') + 1);
  }

  @Test
  void everyMessageThatIsSentIsReadOnce() throws Exception {
    String given = System.getenv("PUBSUB_EMULATOR_HOST");
    Process emulator = null;
    try {
      String host = given;
      if (given == null || given.isEmpty()) {
        emulator = new ProcessBuilder(EMULATOR.toString(), "--port", "0").start();
        BufferedReader out =
            new BufferedReader(
                new InputStreamReader(emulator.getInputStream(), StandardCharsets.UTF_8));
        String ready = out.readLine();
        host = ready.substring(ready.lastIndexOf(' ') + 1);
      }
      run(host, "jvm-" + UUID.randomUUID());
    } finally {
      if (emulator != null) {
        emulator.destroy();
        assertThat(emulator.waitFor(10, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  private void run(String host, String name) throws Exception {
    long expected = Long.parseLong(parameter("PUBSUB_MSG_COUNT", "pubsub.msg.count", "10000"));
    long size = Long.parseLong(parameter("PUBSUB_PAYLOAD_SIZE", "pubsub.payload.size", "1024"));
    String master = parameter("TEST_MASTER", "spark.master", "local[4]");
    pubsub(host, "topic", "create", name);
    pubsub(host, "subscription", "create", name, "--topic", name);
    long begin = System.nanoTime();
    long sent =
        Long.parseLong(
            pubsub(
                host,
                "publish",
                name,
                "--count",
                Long.toString(expected),
                "--size",
                Long.toString(size),
                "--batch-bytes",
                "5000000"));
    assertThat(sent).as("sent %d messages, expected %d", sent, expected).isEqualTo(expected);
    SparkSession spark =
        SparkSession.builder()
            .master(master)
            .appName("ThroughputIntegrationTest")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.warehouse.dir", work.resolve("warehouse").toString())
            .getOrCreate();
    try {
      spark
          .readStream()
          .format("pubsub")
          .option("endpoint", host)
          .option("plaintext", "true")
          .option("projectId", PROJECT)
          .option("subscriptionId", name)
          .load()
          .selectExpr("message_id", "length(data) as bytes")
          .writeStream()
          .format("parquet")
          .option("path", work.resolve("out").toString())
          .option("checkpointLocation", work.resolve("checkpoint").toString())
          .trigger(Trigger.AvailableNow())
          .start()
          .awaitTermination();
      Row read =
          spark
              .read()
              .parquet(work.resolve("out").toString())
              .selectExpr("count(*)", "count(distinct message_id)", "coalesce(sum(bytes), 0)")
              .first();
      double seconds = (System.nanoTime() - begin) / 1e9;
      assertThat(read.getLong(1))
          .as("read %d messages, expected %d", read.getLong(1), expected)
          .isEqualTo(expected);
      assertThat(read.getLong(0)).as("rows, with duplicates").isEqualTo(expected);
      assertThat(read.getLong(2)).as("bytes").isEqualTo(expected * size);
      System.out.printf(
          "%d messages of %d bytes through %s in %.1f s, with starting Spark%n",
          expected, size, master, seconds);
    } finally {
      spark.stop();
      pubsub(host, "subscription", "delete", name);
      pubsub(host, "topic", "delete", name);
    }
  }
}
