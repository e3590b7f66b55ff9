package io.sparkpubsub.service;

import io.sparkpubsub.PubSubOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps options that are secrets out of what Spark shows. Spark hides keys and values that match a
 * pattern, but its patterns know only "token" of ours: they are extended, once, when a session
 * first uses the connector. The settings of the application (UI, REST) are shown through one
 * pattern, the options of a plan (explain, SQL tab, event log) through another.
 */
public final class Secrets {
  private static final Logger LOG = LoggerFactory.getLogger(Secrets.class);
  private static final String SETTINGS = "spark.redaction.regex";
  private static final String PLANS = "spark.sql.redaction.options.regex";

  /** Names of options and settings, and any value that has a private key in it. */
  static final String OURS =
      "(?i:^(spark\\.pubsub\\.|spark\\.sql\\.catalog\\.[^.]+\\.)?(accessToken|privateKey|privateKeyId|credentialsJson|proxy)$)|-----BEGIN"
          + " [A-Z ]*PRIVATE KEY-----";

  private Secrets() {}

  public static synchronized void hide(SparkSession session) {
    SparkConf conf = session.sparkContext().conf(); // the one that the UI asks, not a copy
    String settings = conf.get(SETTINGS, defaultPattern());
    if (!settings.contains(OURS)) {
      warn(conf, settings);
      conf.set(SETTINGS, settings + "|" + OURS);
    }
    String plans = session.conf().get(PLANS);
    if (!plans.contains(OURS)) {
      session.conf().set(PLANS, plans.isEmpty() ? OURS : plans + "|" + OURS);
    }
    hideSessionSettings(session, conf);
  }

  /**
   * A session's settings travel with its jobs into the event log, where only names that the
   * application has are hidden.
   */
  private static void hideSessionSettings(SparkSession session, SparkConf conf) {
    scala.collection.Iterator<scala.Tuple2<String, String>> settings =
        session.conf().getAll().iterator();
    while (settings.hasNext()) {
      scala.Tuple2<String, String> entry = settings.next();
      if (PubSubOptions.isSetting(entry._1())
          && matches(OURS, entry)
          && !conf.contains(entry._1())) {
        conf.set(entry._1(), PubSubOptions.HIDDEN);
      }
    }
  }

  /** Secrets among the settings were in the UI and the event log until now. */
  private static void warn(SparkConf conf, String pattern) {
    List<String> shown = new ArrayList<>();
    for (scala.Tuple2<String, String> entry : conf.getAll()) {
      if (PubSubOptions.isSetting(entry._1()) && matches(OURS, entry) && !matches(pattern, entry)) {
        shown.add(entry._1());
      }
    }
    if (!shown.isEmpty()) {
      LOG.warn(
          "{}: Spark has shown what is set there in its UI and event log until now. Start the"
              + " application with --conf {}='{}', or give the secret as an option of the source",
          shown,
          SETTINGS,
          defaultPattern() + "|pubsub[.](privateKey|credentialsJson|proxy)");
    }
  }

  private static String defaultPattern() {
    return org.apache
        .spark
        .internal
        .config
        .package$
        .MODULE$
        .SECRET_REDACTION_PATTERN()
        .defaultValueString();
  }

  private static boolean matches(String pattern, scala.Tuple2<String, String> entry) {
    Pattern compiled = Pattern.compile(pattern);
    return compiled.matcher(entry._1()).find() || compiled.matcher(entry._2()).find();
  }
}
