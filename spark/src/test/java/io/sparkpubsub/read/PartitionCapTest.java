package io.sparkpubsub.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.sparkpubsub.PubSubOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.junit.jupiter.api.Test;

class PartitionCapTest {
  private static PubSubOptions partitions(String count) {
    return PubSubOptions.of(
        Collections.singletonMap("numPartitions", count),
        Collections.emptyMap(),
        Collections.emptyMap());
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
    PubSubOptions none =
        PubSubOptions.of(Collections.emptyMap(), Collections.emptyMap(), Collections.emptyMap());
    assertThat(ClusterRun.slots(none, 6)).isEqualTo(6);
  }
}
