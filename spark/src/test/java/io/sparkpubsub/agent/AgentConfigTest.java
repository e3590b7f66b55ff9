package io.sparkpubsub.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.PubSubSchema;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AgentConfigTest {
  private static AgentConfig config(boolean limited) {
    Map<String, String> options = new HashMap<>();
    options.put("subscriptionId", "projects/p/subscriptions/sub1");
    options.put("maxRowsPerTrigger", "100");
    return new AgentConfig(
        "run",
        "door",
        PubSubOptions.of(options, Collections.emptyMap(), Collections.emptyMap()),
        PubSubSchema.FULL,
        limited);
  }

  @Test
  void anAgentTakesItsPartOfABatch() {
    AgentConfig config = config(true);
    assertThat(config.share(Option.MAX_ROWS_PER_TRIGGER, 2, 2)).isEqualTo(100);
    assertThat(config.share(Option.MAX_ROWS_PER_TRIGGER, 2, 6)).isEqualTo(34);
    assertThat(config.share(Option.MAX_ROWS_PER_TRIGGER, 2, 1000)).isEqualTo(1);
    assertThat(config.share(Option.MAX_ROWS_PER_TRIGGER, 4, 2)).isEqualTo(100); // some drain
    assertThat(config.share(Option.MAX_BYTES_PER_TRIGGER, 2, 6)).isZero(); // no limit
    assertThat(config(false).share(Option.MAX_ROWS_PER_TRIGGER, 2, 6)).isZero();
  }
}
