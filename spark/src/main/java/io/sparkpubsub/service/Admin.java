package io.sparkpubsub.service;

import io.sparkpubsub.PubSubException;
import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.natives.NativeAdmin;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the driver asks and does about topics and subscriptions, as the options say. Each call makes
 * a connection, blocks, and throws PubSubException; the native library repeats what will pass. What
 * a query cannot begin without is asked for longer where the service has no room just now.
 */
public final class Admin {
  private static final Logger LOG = LoggerFactory.getLogger(Admin.class);
  private static final int TIMEOUT_MS = 15000;
  private static final List<String> PASSING = Arrays.asList("RESOURCE_EXHAUSTED", "UNAVAILABLE");
  private static final long PATIENCE_MS = 60_000;
  private static final long FIRST_PAUSE_MS = 1_000;
  private static final long MAX_PAUSE_MS = 10_000;

  private Admin() {}

  /** As call, but where a quota is used up or the service is away, again, for a minute. */
  private static String patient(PubSubOptions options, String call, String name, String... more) {
    long beginMs = System.nanoTime() / 1_000_000;
    for (long pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      try {
        return call(options, call, name, more);
      } catch (PubSubException e) {
        long passedMs = System.nanoTime() / 1_000_000 - beginMs;
        if (!PASSING.contains(e.code()) || passedMs + pauseMs > PATIENCE_MS) {
          throw e;
        }
        LOG.warn("{}: {}; trying again in {} ms", call, e.getMessage(), pauseMs);
        if (!sleep(pauseMs)) {
          throw e;
        }
      }
    }
  }

  /** False: interrupted. */
  private static boolean sleep(long ms) {
    try {
      Thread.sleep(ms);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static String call(PubSubOptions options, String call, String name, String... more) {
    List<String> keyValues = new ArrayList<>(options.connection());
    keyValues.addAll(Arrays.asList("call", call, "name", name));
    for (int i = 0; i < more.length; i += 2) {
      PubSubOptions.add(keyValues, more[i], more[i + 1]);
    }
    String[] request = keyValues.toArray(new String[0]);
    byte[] token = Tokens.current(options);
    try {
      return NativeAdmin.run(request, token, TIMEOUT_MS);
    } catch (PubSubException e) {
      if (!e.code().equals("UNAUTHENTICATED") || token == null) {
        throw e;
      }
      byte[] fresh = Tokens.instead(options, token); // of the cache: it may have been revoked since
      if (Arrays.equals(fresh, token)) {
        throw e;
      }
      return NativeAdmin.run(request, fresh, TIMEOUT_MS);
    }
  }

  public static void getTopic(PubSubOptions options, String topic) {
    patient(options, "getTopic", topic);
  }

  public static Subscription getSubscription(PubSubOptions options) {
    return Subscription.parse(patient(options, "getSubscription", options.subscription()));
  }

  public static void createSubscription(PubSubOptions options) {
    String retention = options.text(Option.SUBSCRIPTION_RETENTION);
    patient(
        options,
        "createSubscription",
        options.subscription(),
        "topic",
        options.topic(),
        "filter",
        options.text(Option.SUBSCRIPTION_FILTER),
        "ordering",
        options.flag(Option.SUBSCRIPTION_ORDERING) ? "1" : "0",
        "exactly_once",
        options.flag(Option.SUBSCRIPTION_EXACTLY_ONCE) ? "1" : "0",
        "ack_deadline_s",
        options.text(Option.ACK_DEADLINE_SECONDS),
        "retention_s",
        retention == null
            ? null
            : Long.toString(options.millis(Option.SUBSCRIPTION_RETENTION) / 1000));
  }

  public static void deleteSubscription(PubSubOptions options) {
    call(options, "deleteSubscription", options.subscription());
  }

  public static void seek(PubSubOptions options, long micros) {
    patient(options, "seek", options.subscription(), "time_us", Long.toString(micros));
  }

  /** Whether the caller has a permission on a resource, as IAM says. */
  public static boolean may(PubSubOptions options, String resource, String permission) {
    return call(options, "may", resource, "permission", permission).equals("yes");
  }
}
