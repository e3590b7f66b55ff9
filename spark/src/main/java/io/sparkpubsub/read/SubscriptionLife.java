package io.sparkpubsub.read;

import io.sparkpubsub.PubSubException;
import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.ledger.CommitLog;
import io.sparkpubsub.service.Admin;
import io.sparkpubsub.service.Subscription;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to the subscriptions around a query: permissions are looked at, they are created,
 * set to a time, deleted. Driver only.
 */
final class SubscriptionLife {
  private static final Logger LOG = LoggerFactory.getLogger(SubscriptionLife.class);
  private static final String CONSUME = "pubsub.subscriptions.consume";

  private static final long LEAST_SHARE_BYTES = 1 << 20;

  private SubscriptionLife() {}

  /** Before the streams of a bounded read open, which has no checkpoint. */
  static void begin(PubSubOptions options) {
    check(options);
    if (options.has(Option.STARTING_TIMESTAMP)) {
      options.each().forEach(SubscriptionLife::seek);
    }
  }

  private static void check(PubSubOptions options) {
    checkShares(options);
    for (PubSubOptions one : options.each()) {
      checkOrCreate(one);
      preflight(one);
    }
  }

  /** Before the streams open. Throws what is wrong in words for the user. */
  static void begin(PubSubOptions options, String checkpoint, Configuration conf) {
    check(options);
    try {
      checkCheckpoint(options, checkpoint, conf);
      if (options.has(Option.STARTING_TIMESTAMP) && !CommitLog.hasBatches(checkpoint, conf)) {
        options.each().forEach(SubscriptionLife::seek);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void seek(PubSubOptions options) {
    Admin.seek(options, options.startingMicros());
    LOG.info("{} begins at {}", options.subscription(), options.text(Option.STARTING_TIMESTAMP));
  }

  /** Each subscription has its share of the memory. */
  private static void checkShares(PubSubOptions options) {
    int count = options.subscriptions().size();
    long bytes = options.number(Option.MAX_RESERVOIR_BYTES, 0);
    if (bytes / count < LEAST_SHARE_BYTES) {
      throw new IllegalArgumentException(
          "option 'maxReservoirBytes' is "
              + bytes
              + ", which "
              + count
              + " subscriptions share: give at least "
              + count * LEAST_SHARE_BYTES
              + ", or read fewer of them in one source");
    }
  }

  private static void checkOrCreate(PubSubOptions options) {
    try {
      Subscription there = Admin.getSubscription(options);
      if (there.isDetached()) {
        throw new IllegalArgumentException(
            "subscription '"
                + options.subscription()
                + "' is detached from its topic: it gets no messages");
      }
      if (options.flag(Option.CREATE_SUBSCRIPTION)) {
        compare(options, there);
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

  /** The one that would be created, and the one that is there. */
  private static void compare(PubSubOptions options, Subscription there) {
    List<String> differences = there.differences(options);
    if (differences.isEmpty()) {
      return;
    }
    String words =
        "subscription '"
            + options.subscription()
            + "' is there already, with other settings than the options say: "
            + String.join("; ", differences);
    if (options.fails(Option.ON_SUBSCRIPTION_DIFFERENCE)) {
      throw new IllegalArgumentException(
          words
              + ". Change the options or the subscription, or read it as it is with"
              + " onSubscriptionDifference=warn");
    }
    LOG.warn("{}. It is read as it is", words);
  }

  /** A checkpoint belongs to the subscriptions that were first read with it. */
  private static void checkCheckpoint(PubSubOptions options, String checkpoint, Configuration conf)
      throws IOException {
    Set<String> names = new TreeSet<>(options.subscriptions());
    Set<String> before =
        CheckpointSubscription.put(
            checkpoint, names, options.fails(Option.ON_SUBSCRIPTION_CHANGE), conf);
    if (before.isEmpty() || before.equals(names)) {
      return;
    }
    String words =
        "the checkpoint was of "
            + named(before)
            + ", and now the query reads "
            + (names.size() == 1 ? "'" + names.iterator().next() + "'" : named(names));
    if (options.fails(Option.ON_SUBSCRIPTION_CHANGE)) {
      throw new IllegalArgumentException(
          words
              + ": take a new checkpointLocation, or say onSubscriptionChange=warn where that is"
              + " what you want");
    }
    LOG.warn(
        "{}: what the checkpoint says of batches goes on, messages of a subscription that is"
            + " not read any more stay there",
        words);
  }

  private static String named(Set<String> names) {
    return "subscription" + (names.size() == 1 ? " '" : "s '") + String.join("', '", names) + "'";
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

  /**
   * After the streams have closed. What a query that failed has not read must be there for the next
   * one.
   */
  static void end(PubSubOptions options, boolean failed) {
    if (!options.flag(Option.DELETE_SUBSCRIPTION)) {
      return;
    }
    if (failed) {
      LOG.warn(
          "{} is not deleted: its query has failed, and what it has not acknowledged is still"
              + " there",
          options.subscription());
      return;
    }
    options.each().forEach(SubscriptionLife::delete);
  }

  private static void delete(PubSubOptions options) {
    try {
      Admin.deleteSubscription(options);
      LOG.info("deleted {}", options.subscription());
    } catch (PubSubException e) {
      LOG.warn("cannot delete {}: {}", options.subscription(), e.getMessage());
    }
  }
}
