package io.sparkpubsub.read;

import io.sparkpubsub.PubSubException;
import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.ledger.CommitLog;
import io.sparkpubsub.service.Admin;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What happens to the subscription around a query: permissions are looked at, it is created, set to a time, deleted. Driver only. */
final class SubscriptionLife {
  private static final Logger LOG = LoggerFactory.getLogger(SubscriptionLife.class);
  private static final String CONSUME = "pubsub.subscriptions.consume";

  private SubscriptionLife() {}

  /** Before the streams open. Throws what is wrong in words for the user. */
  static void begin(PubSubOptions options, String checkpoint, Configuration conf) {
    checkOrCreate(options);
    preflight(options);
    String time = options.text(Option.STARTING_TIMESTAMP);
    try {
      if (time != null && !CommitLog.hasBatches(checkpoint, conf)) {
        Admin.seek(options, PubSubOptions.micros(time));
        LOG.info("{} begins at {}", options.subscription(), time);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void checkOrCreate(PubSubOptions options) {
    try {
      if (Admin.getSubscription(options).equals("detached")) {
        throw new IllegalArgumentException(
            "subscription '" + options.subscription() + "' is detached from its topic: it gets no messages");
      }
    } catch (PubSubException e) {
      if (e.code().equals("PERMISSION_DENIED")) {
        return; // who may only consume may not look
      }
      if (!e.code().equals("NOT_FOUND") || !options.flag(Option.CREATE_SUBSCRIPTION)) {
        throw e;
      }
      create(options);
    }
  }

  private static void create(PubSubOptions options) {
    try {
      Admin.createSubscription(options);
      LOG.info("created {} of {}", options.subscription(), options.topic());
    } catch (PubSubException e) {
      if (!e.code().equals("ALREADY_EXISTS")) { // somebody else was faster
        throw e;
      }
    }
  }

  private static void preflight(PubSubOptions options) {
    boolean may;
    try {
      may = Admin.may(options, options.subscription(), CONSUME);
    } catch (PubSubException e) {
      LOG.debug("permissions cannot be asked for", e); // the streams will tell
      return;
    }
    if (!may) {
      throw new IllegalArgumentException(
          "no permission to read from '"
              + options.subscription()
              + "': "
              + CONSUME
              + " is missing; grant the role roles/pubsub.subscriber on it");
    }
  }

  /** After the streams have closed. */
  static void end(PubSubOptions options) {
    if (!options.flag(Option.DELETE_SUBSCRIPTION)) {
      return;
    }
    try {
      Admin.deleteSubscription(options);
      LOG.info("deleted {}", options.subscription());
    } catch (PubSubException e) {
      LOG.warn("cannot delete {}: {}", options.subscription(), e.getMessage());
    }
  }
}
