package io.sparkpubsub.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.sparkpubsub.PubSubOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.junit.jupiter.api.Test;

class PartitionCapTest {
  private static PubSubOptions options(String... pairs) {
    Map<String, String> out = new HashMap<>();
    out.put("subscriptionId", "projects/p/subscriptions/sub1");
    for (int i = 0; i < pairs.length; i += 2) {
      out.put(pairs[i], pairs[i + 1]);
    }
    return PubSubOptions.of(out, Collections.emptyMap(), Collections.emptyMap());
  }

  private static PubSubOptions partitions(String count) {
    return options("numPartitions", count);
  }

  @Test
  void aWarningNamesTheCap() {
    List<String> said = new ArrayList<>();
    AbstractAppender appender =
        new AbstractAppender("said", null, null, true, null) {
          @Override
          public void append(LogEvent event) {
            said.add(event.getLevel() + " " + event.getMessage().getFormattedMessage());
          }
        };
    appender.start();
    Logger logger = (Logger) LogManager.getLogger(ClusterRun.class);
    logger.addAppender(appender);
    logger.setLevel(Level.WARN);
    try {
      assertThat(ClusterRun.slots(partitions("8"), 4)).isEqualTo(8);
      assertThat(said).isEmpty();
      assertThat(ClusterRun.slots(partitions("9"), 4)).isEqualTo(8);
      assertThat(said)
          .containsExactly(
              "WARN numPartitions is 9: more than twice the default parallelism brings nothing;"
                  + " using 8");
    } finally {
      logger.removeAppender(appender);
    }
  }

  @Test
  void theDefaultIsTheParallelism() {
    assertThat(ClusterRun.slots(options(), 6)).isEqualTo(6);
  }
}
