package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.T.check;
import static io.sparkpubsub.conformance.T.equal;
import static io.sparkpubsub.conformance.T.last;
import static io.sparkpubsub.conformance.T.seconds;
import static io.sparkpubsub.conformance.T.with;

import com.google.api.core.ApiFuture;
import com.google.api.gax.rpc.ApiException;
import com.google.cloud.pubsub.v1.AckResponse;
import com.google.cloud.pubsub.v1.Subscriber;
import com.google.pubsub.v1.DeadLetterPolicy;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.ReceivedMessage;
import com.google.pubsub.v1.RetryPolicy;
import com.google.pubsub.v1.StreamingPullResponse;
import com.google.pubsub.v1.Subscription;
import io.sparkpubsub.conformance.Main.Case;
import io.sparkpubsub.conformance.T.World;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Dead letters, backoff, exactly-once delivery. */
final class RedeliveryCases {
  private static final String INVALID_ACK_ID = "PERMANENT_FAILURE_INVALID_ACK_ID";

  private RedeliveryCases() {}

  /**
   * A subscription that gives a message up after 5 deliveries, and one on the topic where it goes
   * then.
   */
  private record Graves(World world, String dead) {}

  private static Graves deadLettered(T t) {
    World graves = t.world();
    DeadLetterPolicy policy =
        DeadLetterPolicy.newBuilder()
            .setDeadLetterTopic(graves.topic())
            .setMaxDeliveryAttempts(5)
            .build();
    return new Graves(t.world(s -> s.setDeadLetterPolicy(policy)), graves.sub());
  }

  private static void exactlyOnce(Subscription.Builder sub) {
    sub.setEnableExactlyOnceDelivery(true);
  }

  /** Two deliveries of a message, of which the first was given back. */
  private record Twice(String sub, List<ReceivedMessage> before, List<ReceivedMessage> now) {}

  private static Twice oldAndNew(T t) {
    World w = t.world(RedeliveryCases::exactlyOnce);
    t.texts(w.topic(), "x");
    List<ReceivedMessage> before = t.pull(w.sub(), 1);
    t.extend(w.sub(), 0, before);
    List<ReceivedMessage> now = t.pull(w.sub(), 1);
    check(!T.ackIds(before).equals(T.ackIds(now)), "both deliveries have the same ack id");
    return new Twice(w.sub(), before, now);
  }

  private static void permanent(T.Call call, List<ReceivedMessage> before) throws Exception {
    try {
      call.run();
    } catch (ApiException e) {
      Map<String, String> metadata = e.getMetadata() == null ? Map.of() : e.getMetadata();
      equal(
          metadata.get(before.get(0).getAckId()),
          INVALID_ACK_ID,
          "the old delivery (" + e.getMessage() + ")");
      return;
    }
    throw new T.Failure("the old delivery: no error");
  }

  static void add(Map<String, Case> cases) {
    cases.put(
        "dead-letter-attempts",
        t -> {
          World w = deadLettered(t).world();
          t.texts(w.topic(), "x");
          List<Integer> attempts = Collections.synchronizedList(new ArrayList<>());
          t.receive(
              w.sub(),
              (message, reply) -> {
                attempts.add(Subscriber.getDeliveryAttempt(message));
                reply.nack();
                return attempts.size() == 5;
              });
          equal(attempts, List.of(1, 2, 3, 4, 5), "attempts");
        });

    cases.put(
        "dead-letter-forward",
        t -> {
          Graves graves = deadLettered(t);
          World w = graves.world();
          t.publish(w.topic(), with("x", "k", "v"));
          for (int i = 0; i < 5; i++) {
            t.extend(w.sub(), 0, t.pull(w.sub(), 1));
          }
          PubsubMessage got = t.pull(graves.dead(), 1).get(0).getMessage();
          equal(got.getData().toStringUtf8(), "x", "data");
          Map<String, String> attributes = got.getAttributesMap();
          equal(attributes.get("k"), "v", "attribute");
          String prefix = "CloudPubSubDeadLetterSource";
          equal(
              last(attributes.getOrDefault(prefix + "Subscription", "")), last(w.sub()), "source");
          equal(attributes.get(prefix + "SubscriptionProject"), t.project, "project");
          equal(attributes.get(prefix + "DeliveryCount"), "5", "count");
          check(
              attributes.containsKey(prefix + "TopicPublishTime"),
              "no publish time: %s",
              attributes);
          t.nothing(w.sub(), 500, "where it came from");
        });

    cases.put(
        "dead-letter-off",
        t -> {
          World w = t.world();
          t.texts(w.topic(), "x");
          t.extend(w.sub(), 0, t.pull(w.sub(), 1));
          equal(t.pull(w.sub(), 1).get(0).getDeliveryAttempt(), 0, "delivery attempt");
        });

    cases.put(
        "retry-policy-backoff",
        t -> {
          RetryPolicy policy =
              RetryPolicy.newBuilder()
                  .setMinimumBackoff(seconds(2))
                  .setMaximumBackoff(seconds(3))
                  .build();
          World w = t.world(s -> s.setRetryPolicy(policy));
          t.texts(w.topic(), "x");
          t.extend(w.sub(), 0, t.pull(w.sub(), 1));
          long since = System.currentTimeMillis();
          t.pull(w.sub(), 1);
          long took = System.currentTimeMillis() - since;
          check(took > 1500, "again after %d ms, with a backoff of 2 to 3 s", took);
        });

    cases.put(
        "exactly-once-ack-result",
        t -> {
          World w = t.world(RedeliveryCases::exactlyOnce);
          t.texts(w.topic(), "a", "b", "c");
          Map<String, AckResponse> results = new ConcurrentHashMap<>();
          t.receive(
              w.sub(),
              (message, reply) -> {
                results.put(message.getData().toStringUtf8(), reply.ack().get(5, TimeUnit.SECONDS));
                return results.size() == 3;
              });
          AckResponse success = AckResponse.SUCCESSFUL;
          equal(results, Map.of("a", success, "b", success, "c", success), "results");
          t.nothing(w.sub(), 1000, "after the acknowledgement");
        });

    cases.put(
        "exactly-once-nack-result",
        t -> {
          World w = t.world(RedeliveryCases::exactlyOnce);
          t.texts(w.topic(), "x");
          AtomicInteger deliveries = new AtomicInteger();
          List<AckResponse> results = Collections.synchronizedList(new ArrayList<>());
          t.receive(
              w.sub(),
              (message, reply) -> {
                // The second may come before the result of the first.
                ApiFuture<AckResponse> result =
                    deliveries.incrementAndGet() == 1 ? reply.nack() : reply.ack();
                results.add(result.get(5, TimeUnit.SECONDS));
                return results.size() == 2;
              });
          equal(results, Collections.nCopies(2, AckResponse.SUCCESSFUL), "results");
        });

    cases.put(
        "exactly-once-old-ack-id",
        t -> {
          Twice twice = oldAndNew(t);
          permanent(() -> t.ack(twice.sub, twice.before), twice.before);
          t.ack(twice.sub, twice.now);
        });

    cases.put(
        "exactly-once-old-extension",
        t -> {
          Twice twice = oldAndNew(t);
          permanent(() -> t.extend(twice.sub, 60, twice.before), twice.before);
          t.extend(twice.sub, 60, twice.now);
        });

    cases.put(
        "exactly-once-properties",
        t -> {
          World w =
              t.world(s -> s.setEnableExactlyOnceDelivery(true).setEnableMessageOrdering(true));
          Stream stream = t.stream(w.sub());
          t.texts(w.topic(), "x");
          StreamingPullResponse response = stream.response(5000);
          while (response != null
              && !response.hasSubscriptionProperties()
              && response.getReceivedMessagesCount() == 0) {
            response = stream.response(5000);
          }
          check(response != null, "the stream brought nothing");
          StreamingPullResponse.SubscriptionProperties got = response.getSubscriptionProperties();
          check(got.getExactlyOnceDeliveryEnabled(), "exactly-once delivery is not announced");
          check(got.getMessageOrderingEnabled(), "ordering is not announced");
        });
  }
}
