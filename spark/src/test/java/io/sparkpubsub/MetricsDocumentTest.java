package io.sparkpubsub;

import static org.assertj.core.api.Assertions.assertThat;

import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.service.Gauges;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * What docs/operations says of metrics, and the files there that use them, against the metrics that
 * there are.
 */
class MetricsDocumentTest {
  private static final Path FOLDER = Paths.get("../docs/operations");

  private static String text(String file) throws IOException {
    return new String(Files.readAllBytes(FOLDER.resolve(file)), StandardCharsets.UTF_8);
  }

  private static Set<String> sink() {
    return Arrays.stream(Gauges.Sink.values())
        .map(metric -> metric.key)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> matches(String text, String pattern) {
    Set<String> out = new TreeSet<>();
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    while (matcher.find()) {
      out.add(matcher.group(1));
    }
    return out;
  }

  @Test
  void everyMetricHasItsLine() throws IOException {
    String[] parts = text("metrics.md").split("\n## ");
    assertThat(matches(parts[1], "(?m)^\\| `(\\w+)` \\|")).isEqualTo(Ledger.metricNames());
    assertThat(matches(parts[2], "(?m)^\\| `(\\w+)` \\|")).isEqualTo(sink());
  }

  @Test
  void alertsAndDashboardUseMetricsThatExist() throws IOException {
    for (String file : new String[] {"monitoring/alerts.yaml", "monitoring/dashboard.json"}) {
      assertThat(matches(text(file), "_source_(\\w+?)_Value"))
          .isNotEmpty()
          .isSubsetOf(Ledger.metricNames());
      assertThat(matches(text(file), "_sink_(\\w+?)_Value")).isNotEmpty().isSubsetOf(sink());
    }
  }
}
