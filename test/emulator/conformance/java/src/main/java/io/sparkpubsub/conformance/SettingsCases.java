package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.T.check;
import static io.sparkpubsub.conformance.T.equal;
import static io.sparkpubsub.conformance.T.keyed;
import static io.sparkpubsub.conformance.T.mask;
import static io.sparkpubsub.conformance.T.refused;
import static io.sparkpubsub.conformance.T.seconds;
import static io.sparkpubsub.conformance.T.text;

import com.google.api.gax.rpc.StatusCode.Code;
import com.google.protobuf.Duration;
import com.google.pubsub.v1.DeadLetterPolicy;
import com.google.pubsub.v1.ExpirationPolicy;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.RetryPolicy;
import com.google.pubsub.v1.Snapshot;
import com.google.pubsub.v1.Subscription;
import com.google.pubsub.v1.Topic;
import io.sparkpubsub.conformance.Main.Case;
import io.sparkpubsub.conformance.T.World;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Update masks and limits. */
final class SettingsCases {
  private SettingsCases() {}

  private static Case notPublished(PubsubMessage message) {
    return t -> {
      String topic = t.topic();
      refused(Code.INVALID_ARGUMENT, () -> t.publish(topic, message), "Publish");
    };
  }

  /** Tries a subscription with each of these settings. */
  private static void notCreated(T t, String what, List<Consumer<Subscription.Builder>> all)
      throws Exception {
    String topic = t.topic();
    for (Consumer<Subscription.Builder> settings : all) {
      String which = what + ", " + (all.indexOf(settings) + 1);
      refused(Code.INVALID_ARGUMENT, () -> t.subscription(topic, settings), which);
    }
  }

  private static Map<String, String> attributes(int count, int key, int value) {
    Map<String, String> out = new HashMap<>();
    for (int i = 0; i < count; i++) {
      String name = "k" + i;
      out.put(name + "k".repeat(key - name.length()), "v".repeat(value));
    }
    return out;
  }

  private static PubsubMessage attributed(int count, int key, int value) {
    return PubsubMessage.newBuilder().putAllAttributes(attributes(count, key, value)).build();
  }

  private static String filterOf(int length) {
    String frame = "attributes.k = \"\"";
    return frame.substring(0, frame.length() - 1) + "v".repeat(length - frame.length()) + "\"";
  }

  static void add(Map<String, Case> cases) {
    addMasks(cases);
    addLimits(cases);
  }

  private static void addMasks(Map<String, Case> cases) {
    cases.put(
        "update-mask-topic",
        t -> {
          String name =
              t.topic(b -> b.putLabels("a", "1").setMessageRetentionDuration(seconds(3600)));
          Topic changed =
              Topic.newBuilder()
                  .setName(name)
                  .putLabels("b", "2")
                  .setMessageRetentionDuration(seconds(7200))
                  .build();
          t.clients.topics.updateTopic(changed, mask("labels"));
          Topic got = t.clients.topics.getTopic(name);
          equal(got.getLabelsMap(), Map.of("b", "2"), "labels");
          equal(got.getMessageRetentionDuration(), seconds(3600), "retention");
        });

    cases.put(
        "update-mask-subscription",
        t -> {
          String name = t.world(s -> s.putLabels("a", "1").setAckDeadlineSeconds(20)).sub();
          Subscription changed =
              Subscription.newBuilder().setName(name).setAckDeadlineSeconds(30).build();
          t.clients.subscriptions.updateSubscription(changed, mask("ack_deadline_seconds"));
          Subscription got = t.clients.subscriptions.getSubscription(name);
          equal(got.getAckDeadlineSeconds(), 30, "ack deadline");
          equal(got.getLabelsMap(), Map.of("a", "1"), "labels");
          t.clients.subscriptions.updateSubscription(
              Subscription.newBuilder().setName(name).build(), mask("labels"));
          got = t.clients.subscriptions.getSubscription(name);
          equal(got.getAckDeadlineSeconds(), 30, "ack deadline after the second");
          equal(got.getLabelsMap(), Map.of(), "labels after the second");
        });

    cases.put(
        "update-mask-snapshot",
        t -> {
          String name = t.snapshot(t.world().sub());
          Snapshot before = t.clients.subscriptions.getSnapshot(name);
          SubscriberCases.updateLabels(t, name);
          Snapshot want = before.toBuilder().putLabels("a", "1").build();
          equal(t.clients.subscriptions.getSnapshot(name), want, "snapshot");
        });

    for (Map.Entry<String, String[]> one :
        Map.of("update-mask-empty", new String[] {}, "update-mask-unknown", new String[] {"colour"})
            .entrySet()) {
      cases.put(
          one.getKey(),
          t -> {
            World w = t.world();
            Topic topic = Topic.newBuilder().setName(w.topic()).build();
            Subscription sub = Subscription.newBuilder().setName(w.sub()).build();
            refused(
                Code.INVALID_ARGUMENT,
                () -> t.clients.topics.updateTopic(topic, mask(one.getValue())),
                "topic");
            refused(
                Code.INVALID_ARGUMENT,
                () -> t.clients.subscriptions.updateSubscription(sub, mask(one.getValue())),
                "subscription");
          });
    }

    cases.put(
        "update-mask-immutable",
        t -> {
          Subscription changed =
              Subscription.newBuilder().setName(t.world().sub()).setTopic(t.topic()).build();
          refused(
              Code.INVALID_ARGUMENT,
              () -> t.clients.subscriptions.updateSubscription(changed, mask("topic")),
              "the topic");
        });
  }

  private static void addLimits(Map<String, Case> cases) {
    cases.put(
        "limit-accepted",
        t -> {
          World w = t.world(OrderingCases::ordered);
          t.subscription(w.topic(), s -> s.setFilter(filterOf(256)));
          PubsubMessage sent =
              attributed(100, 256, 1024).toBuilder().setOrderingKey("o".repeat(1024)).build();
          t.publish(w.topic(), sent);
          PubsubMessage got = t.pull(w.sub(), 1).get(0).getMessage();
          equal(got.getOrderingKey(), sent.getOrderingKey(), "ordering key");
          check(
              got.getAttributesMap().equals(sent.getAttributesMap()),
              "the attributes are not as sent");
        });

    cases.put("limit-attributes", notPublished(attributed(101, 5, 1)));
    cases.put("limit-attribute-key", notPublished(attributed(1, 257, 1)));
    cases.put("limit-attribute-value", notPublished(attributed(1, 5, 1025)));
    cases.put("limit-ordering-key", notPublished(keyed("o".repeat(1025), "x")));
    cases.put("limit-empty-message", notPublished(PubsubMessage.getDefaultInstance()));
    cases.put("limit-request-bytes", notPublished(text("x".repeat(10_000_001))));

    cases.put(
        "limit-messages",
        t -> {
          String topic = t.topic();
          List<PubsubMessage> messages = Collections.nCopies(1001, text("x"));
          refused(Code.INVALID_ARGUMENT, () -> t.publish(topic, messages), "1001 messages");
          t.publish(topic, messages.subList(0, 1000));
        });

    cases.put(
        "limit-ack-deadline",
        t ->
            notCreated(
                t,
                "5 s, 601 s",
                List.of(s -> s.setAckDeadlineSeconds(5), s -> s.setAckDeadlineSeconds(601))));

    cases.put(
        "limit-filter", t -> notCreated(t, "257 bytes", List.of(s -> s.setFilter(filterOf(257)))));

    cases.put(
        "limit-retention",
        t -> {
          Duration few = seconds(300);
          Duration many = seconds(32 * 86400);
          notCreated(
              t,
              "5 min, 32 days",
              List.of(
                  s -> s.setMessageRetentionDuration(few),
                  s -> s.setMessageRetentionDuration(many)));
          for (Duration one : List.of(few, many)) {
            refused(
                Code.INVALID_ARGUMENT,
                () -> t.topic(b -> b.setMessageRetentionDuration(one)),
                "a topic with " + one.getSeconds() + " s");
          }
        });

    cases.put(
        "limit-dead-letter-attempts",
        t -> {
          DeadLetterPolicy.Builder policy =
              DeadLetterPolicy.newBuilder().setDeadLetterTopic(t.topic());
          DeadLetterPolicy few = policy.setMaxDeliveryAttempts(4).build();
          DeadLetterPolicy many = policy.setMaxDeliveryAttempts(101).build();
          notCreated(
              t,
              "4, 101",
              List.of(s -> s.setDeadLetterPolicy(few), s -> s.setDeadLetterPolicy(many)));
        });

    cases.put(
        "limit-retry-backoff",
        t -> {
          RetryPolicy one = RetryPolicy.newBuilder().setMaximumBackoff(seconds(601)).build();
          RetryPolicy both = one.toBuilder().setMinimumBackoff(seconds(601)).build();
          notCreated(t, "601 s", List.of(s -> s.setRetryPolicy(one), s -> s.setRetryPolicy(both)));
        });

    cases.put(
        "limit-expiration",
        t -> {
          ExpirationPolicy policy = ExpirationPolicy.newBuilder().setTtl(seconds(3600)).build();
          notCreated(t, "one hour", List.of(s -> s.setExpirationPolicy(policy)));
        });

    cases.put(
        "limit-names",
        t -> {
          for (String id : List.of("ab", "a" + "b".repeat(255), "google", "a b")) {
            Topic topic = Topic.newBuilder().setName(t.parent + "/topics/" + id).build();
            refused(
                Code.INVALID_ARGUMENT,
                () -> t.clients.topics.createTopic(topic),
                "topic " + id.substring(0, Math.min(id.length(), 20)));
          }
        });
  }
}
