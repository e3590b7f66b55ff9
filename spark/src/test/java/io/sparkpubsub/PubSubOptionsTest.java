package io.sparkpubsub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sparkpubsub.PubSubOptions.Option;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PubSubOptionsTest {
  private static Map<String, String> map(String... keyValues) {
    Map<String, String> out = new HashMap<>();
    for (int i = 0; i < keyValues.length; i += 2) {
      out.put(keyValues[i], keyValues[i + 1]);
    }
    return out;
  }

  private static PubSubOptions of(String... given) {
    return PubSubOptions.of(map(given), Collections.emptyMap(), Collections.emptyMap());
  }

  @Test
  void namesAreFull() {
    assertThat(of("projectid", "p", "SUBSCRIPTIONID", "sub").subscription())
        .isEqualTo("projects/p/subscriptions/sub");
    assertThat(of("topicId", "projects/x/topics/top").topic()).isEqualTo("projects/x/topics/top");
    assertThatThrownBy(() -> of("subscriptionId", "sub").subscription())
        .hasMessageContaining("projectId");
    assertThatThrownBy(() -> of().subscription())
        .hasMessageContaining("'subscriptionId' is required");
  }

  @Test
  void aMisspeltOptionIsAnErrorWithTheRightName() {
    assertThatThrownBy(() -> of("subscripionId", "s"))
        .hasMessageContaining("unknown option 'subscripionId'")
        .hasMessageContaining("did you mean 'subscriptionId'?");
    assertThatThrownBy(() -> PubSubOptions.of(map(), map("spark.pubsub.bachSize", "1"), map()))
        .hasMessageContaining("did you mean 'spark.pubsub.batchSize'?");
    assertThatThrownBy(() -> of("zzzzzzzzzzzzz", "s"))
        .hasMessageContaining("The options are: projectId");
  }

  @Test
  void compressionIsNoneOrGzip() {
    assertThat(of().gzip()).isFalse();
    assertThat(of("publishCompression", "GZIP").gzip()).isTrue();
    assertThatThrownBy(() -> of("publishCompression", "zstd")).hasMessageContaining("none or gzip");
  }

  @Test
  void numbersHaveRanges() {
    for (String value : new String[] {"9", "601", "x", "", "-1", "1e9"}) {
      assertThatThrownBy(() -> of("ackDeadlineSeconds", value))
          .hasMessageContaining("ackDeadlineSeconds")
          .hasMessageContaining("between 10 and 600");
    }
    assertThat(of("ackDeadlineSeconds", " 10 ").number(Option.ACK_DEADLINE_SECONDS, 0))
        .isEqualTo(10);
    assertThat(of().number(Option.ACK_DEADLINE_SECONDS, 0)).isEqualTo(60);
  }

  @Test
  void credentialsThatAreGivenStandInsteadOfTheSessions() {
    Map<String, String> conf =
        map(
            "spark.pubsub.clientEmail",
            "a@x",
            "spark.pubsub.privateKey",
            "k",
            "spark.pubsub.accessToken",
            "t");
    PubSubOptions file = PubSubOptions.of(map("credentialsfile", "f"), conf, map());
    assertThat(file.text(Option.CREDENTIALS_FILE)).isEqualTo("f");
    assertThat(
            file.has(Option.CLIENT_EMAIL)
                || file.has(Option.PRIVATE_KEY)
                || file.has(Option.ACCESS_TOKEN))
        .isFalse();
    PubSubOptions key =
        PubSubOptions.of(
            map("privateKey", "k2"), conf, map()); // the session's account, another key
    assertThat(key.text(Option.PRIVATE_KEY)).isEqualTo("k2");
    assertThat(key.text(Option.CLIENT_EMAIL)).isEqualTo("a@x");
    assertThat(key.has(Option.ACCESS_TOKEN)).isFalse();
    PubSubOptions none = PubSubOptions.of(map("subscriptionId", "s"), conf, map());
    assertThat(none.text(Option.ACCESS_TOKEN)).isEqualTo("t");
  }

  @Test
  void bytesMayHaveAUnit() {
    assertThat(of("maxBytesPerTrigger", "10m").number(Option.MAX_BYTES_PER_TRIGGER, 0))
        .isEqualTo(10 << 20);
    assertThat(of("maxReservoirBytes", "1G").number(Option.MAX_RESERVOIR_BYTES, 0))
        .isEqualTo(1 << 30);
    for (String value : new String[] {"10x", "m", "-1m", "1k", "9999999999g"}) {
      assertThatThrownBy(() -> of("maxReservoirBytes", value))
          .hasMessageContaining("maxReservoirBytes")
          .hasMessageContaining("at least 1048576");
    }
    assertThatThrownBy(() -> of("batchSize", "10m")).hasMessageContaining("batchSize");
  }

  @Test
  void durationsOfAnotherConnectorAreNamedAsTheyWereGiven() {
    assertThat(of("maxFetchPeriod", "10s").number(Option.LINGER_MS, 0)).isEqualTo(10000);
    assertThat(of("maxFetchPeriod", "5m").number(Option.LINGER_MS, 0)).isEqualTo(60000);
    assertThatThrownBy(() -> of("maxFetchPeriod", "soon"))
        .hasMessageContaining("'maxFetchPeriod' is 'soon'");
  }

  @Test
  void theSessionAndTheEnvironmentFillIn() {
    Map<String, String> conf =
        map("spark.pubsub.projectId", "conf", "spark.pubsub.batchSize", "5", "spark.other", "x");
    Map<String, String> environment =
        map("PUBSUB_EMULATOR_HOST", "127.0.0.1:1", "GOOGLE_CLOUD_PROJECT", "env");
    PubSubOptions options = PubSubOptions.of(map("batchSize", "7"), conf, environment);
    assertThat(options.text(Option.PROJECT_ID)).isEqualTo("conf");
    assertThat(options.number(Option.BATCH_SIZE, 0)).isEqualTo(7);
    assertThat(options.text(Option.ENDPOINT)).isEqualTo("127.0.0.1:1");
    assertThat(options.plaintext()).isTrue();
    PubSubOptions given = PubSubOptions.of(map("endpoint", "example.com:443"), map(), environment);
    assertThat(given.plaintext()).isFalse();
    assertThat(given.text(Option.PROJECT_ID)).isEqualTo("env");
  }

  private static String connection(PubSubOptions options, String key) {
    List<String> all = options.connection();
    return all.contains(key) ? all.get(all.indexOf(key) + 1) : null;
  }

  @Test
  void theEndpointMayBeRegionalPrivateOrOfAnotherUniverse() {
    assertThat(connection(of(), "endpoint"))
        .isNull(); // the library's own: pubsub.googleapis.com:443
    assertThat(connection(of("endpoint", "us-east1-pubsub.googleapis.com:443"), "endpoint"))
        .isEqualTo("us-east1-pubsub.googleapis.com:443");
    assertThat(connection(of("universeDomain", "apis-tpczero.goog"), "endpoint"))
        .isEqualTo("pubsub.apis-tpczero.goog:443");
    assertThat(
            connection(
                of("universeDomain", "a.goog", "endpoint", "pubsub-psc.p.a.goog"), "endpoint"))
        .isEqualTo("pubsub-psc.p.a.goog");
  }

  @Test
  void theProxyIsTheEnvironmentsUnlessItIsGiven() {
    assertThat(connection(of(), "proxy")).isNull();
    assertThat(connection(of("proxy", "http://u:p@proxy:3128"), "proxy"))
        .isEqualTo("http://u:p@proxy:3128");
    assertThat(connection(of("proxy", "none"), "proxy")).isEmpty();
  }

  @Test
  void aPathIsAnError() {
    assertThatThrownBy(() -> of("path", "some/path"))
        .hasMessageContaining("some/path")
        .hasMessageContaining("'subscriptionId'");
  }

  @Test
  void namesThatTheServiceWouldRefuse() {
    for (String name :
        new String[] {"bad name", "ab", "1abc", "googabc", "projects/p/subscriptions/ab", "a/b"}) {
      assertThatThrownBy(() -> of("projectId", "p", "subscriptionId", name).subscription())
          .hasMessageContaining("is not a valid name");
    }
    assertThatThrownBy(() -> of("topicId", "projects/p/subscriptions/abc").topic())
        .hasMessageContaining("is a subscription");
  }

  @Test
  void aTimeBefore2010IsShownInBothReadings() {
    assertThatThrownBy(() -> of("startingTimestamp", "1704067200"))
        .hasMessageContaining("1970-01-20T17:21:07.200Z")
        .hasMessageContaining("2024-01-01T00:00:00Z");
    for (String wrong :
        new String[] {
          "-1", "0", "9223372036854775807", "-9223372036854775808", "2009-12-31T23:59:59Z", "soon"
        }) {
      assertThatThrownBy(() -> of("startingTimestamp", wrong))
          .hasMessageContaining("'startingTimestamp' is '" + wrong + "'");
    }
    assertThat(of("startingTimestamp", "1704067200000").startingMicros())
        .isEqualTo(1704067200000000L);
  }

  @Test
  void sparksOwnOptionsAreLeftAlone() {
    of("checkpointLocation", "x", "queryName", "y");
  }

  /** docs/options.md has a line for every option, with its default. */
  @Test
  void everyOptionIsDocumented() throws IOException {
    Path file = Paths.get("../docs/options.md");
    String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    for (Option option : Option.values()) {
      String line =
          "| `"
              + option.key
              + "` | "
              + (option.fallback == null ? "" : "`" + option.fallback + "`")
              + " | "
              + option.doc
              + " |";
      assertThat(text).contains(line);
    }
  }
}
