package io.sparkpubsub;

import io.sparkpubsub.PubSubOptions.Option;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Calls of the driver about topics and subscriptions. Each makes a connection, blocks, and throws PubSubException. What the service
 * says will pass (UNAVAILABLE, …) is asked again, for as long as one call may take.
 */
final class NativeAdmin {
  private static final int TIMEOUT_MS = 15000;
  private static final long FIRST_PAUSE_MS = 200;

  static {
    NativeLoader.load();
  }

  private NativeAdmin() {}

  /** Options of the connection, and: call, name, what the call needs. Returns what the call has to say, or "". */
  static native String run(String[] keyValues, byte[] token, int timeoutMs);

  private static String call(PubSubOptions options, String call, String name, String... more) {
    List<String> keyValues = new ArrayList<>(options.connection());
    keyValues.addAll(Arrays.asList("call", call, "name", name));
    for (int i = 0; i < more.length; i += 2) {
      PubSubOptions.add(keyValues, more[i], more[i + 1]);
    }
    String[] request = keyValues.toArray(new String[0]);
    byte[] token = Tokens.current(options);
    long deadline = System.nanoTime() + TIMEOUT_MS * 1000000L;
    boolean replaced = false;
    for (long pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      try {
        return run(request, token, TIMEOUT_MS);
      } catch (PubSubException e) {
        if (e.code().equals("UNAUTHENTICATED") && token != null && !replaced) {
          byte[] fresh = Tokens.instead(options, token); // of the cache: it may have been revoked since
          if (Arrays.equals(fresh, token)) {
            throw e;
          }
          token = fresh;
          replaced = true;
        } else if (!passes(e) || System.nanoTime() + pauseMs * 1000000 > deadline || !Pause.ms(pauseMs)) {
          throw e;
        }
      }
    }
  }

  private static boolean passes(PubSubException e) {
    return e.retryable() && Character.isUpperCase(e.code().charAt(0)); // of the service; others are the network's
  }

  static void getTopic(PubSubOptions options, String topic) {
    call(options, "getTopic", topic);
  }

  /** "", or "detached". */
  static String getSubscription(PubSubOptions options) {
    return call(options, "getSubscription", options.subscription());
  }

  static void createSubscription(PubSubOptions options) {
    String retention = options.text(Option.SUBSCRIPTION_RETENTION);
    call(
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
        retention == null ? null : Long.toString(options.millis(Option.SUBSCRIPTION_RETENTION) / 1000));
  }

  static void deleteSubscription(PubSubOptions options) {
    call(options, "deleteSubscription", options.subscription());
  }

  static void seek(PubSubOptions options, long micros) {
    call(options, "seek", options.subscription(), "time_us", Long.toString(micros));
  }

  /** Whether the caller has a permission on a resource, as IAM says. */
  static boolean may(PubSubOptions options, String resource, String permission) {
    return call(options, "may", resource, "permission", permission).equals("yes");
  }
}
