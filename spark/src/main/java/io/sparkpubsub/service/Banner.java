package io.sparkpubsub.service;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line in the driver's log for each endpoint that is first used: which version runs, on what,
 * and where it connects to.
 */
public final class Banner {
  private static final Logger LOG = LoggerFactory.getLogger("io.sparkpubsub");
  private static final Set<String> SHOWN = ConcurrentHashMap.newKeySet();

  private Banner() {}

  /** As the jar's manifest has it. */
  private static String version() {
    String version = Banner.class.getPackage().getImplementationVersion();
    return version == null ? "(not from its jar)" : version;
  }

  public static void show(PubSubOptions options) {
    String endpoint = options.text(Option.ENDPOINT);
    String where =
        (endpoint == null ? "pubsub.googleapis.com" : endpoint)
            + (options.plaintext() ? " without TLS" : " with TLS");
    if (SHOWN.add(where)) {
      LOG.info(
          "spark-pubsub {} on {}-{}, Java {}, endpoint {}",
          version(),
          System.getProperty("os.name"),
          System.getProperty("os.arch"),
          System.getProperty("java.version"),
          where);
    }
  }
}
