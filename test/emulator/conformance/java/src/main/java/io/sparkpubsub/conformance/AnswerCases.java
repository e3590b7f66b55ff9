package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.T.check;
import static io.sparkpubsub.conformance.T.equal;
import static io.sparkpubsub.conformance.T.refused;
import static io.sparkpubsub.conformance.T.seconds;
import static io.sparkpubsub.conformance.T.text;
import static io.sparkpubsub.conformance.T.with;

import com.google.api.gax.rpc.StatusCode.Code;
import com.google.pubsub.v1.AcknowledgeRequest;
import com.google.pubsub.v1.CreateSnapshotRequest;
import com.google.pubsub.v1.DeadLetterPolicy;
import com.google.pubsub.v1.ListSchemasRequest;
import com.google.pubsub.v1.ListSnapshotsRequest;
import com.google.pubsub.v1.ListSubscriptionsRequest;
import com.google.pubsub.v1.ListTopicsRequest;
import com.google.pubsub.v1.ModifyAckDeadlineRequest;
import com.google.pubsub.v1.ModifyPushConfigRequest;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.PushConfig;
import com.google.pubsub.v1.SeekRequest;
import com.google.pubsub.v1.Snapshot;
import com.google.pubsub.v1.Subscription;
import io.sparkpubsub.conformance.Main.Case;
import io.sparkpubsub.conformance.T.World;
import java.util.List;
import java.util.Map;

/** What is answered to a request with something wrong in it, and what is filled in. */
final class AnswerCases {
  private AnswerCases() {}

  private static void ack(T t, String sub, List<String> ids) {
    AcknowledgeRequest request =
        AcknowledgeRequest.newBuilder().setSubscription(sub).addAllAckIds(ids).build();
    t.clients.subscriptions.getStub().acknowledgeCallable().call(request);
  }

  private static void extend(T t, String sub, int seconds, List<String> ids) {
    ModifyAckDeadlineRequest request =
        ModifyAckDeadlineRequest.newBuilder()
            .setSubscription(sub)
            .setAckDeadlineSeconds(seconds)
            .addAllAckIds(ids)
            .build();
    t.clients.subscriptions.getStub().modifyAckDeadlineCallable().call(request);
  }

  private static void seek(T t, String sub) {
    t.clients.subscriptions.seek(SeekRequest.newBuilder().setSubscription(sub).build());
  }

  static void add(Map<String, Case> cases) {
    addOrders(cases);
    addNames(cases);
    addSettings(cases);
  }

  private static void addOrders(Map<String, Case> cases) {
    cases.put(
        "answer-resource-first",
        t -> {
          String topic = t.name("topics");
          String sub = t.name("subscriptions");
          refused(
              Code.NOT_FOUND,
              () -> t.publish(topic, PubsubMessage.getDefaultInstance()),
              "Publish of an empty message");
          refused(Code.NOT_FOUND, () -> ack(t, sub, List.of()), "Acknowledge of nothing");
          refused(Code.NOT_FOUND, () -> extend(t, sub, 601, List.of()), "ModifyAckDeadline");
          refused(Code.NOT_FOUND, () -> t.tryPull(sub, 0, 1000), "Pull of no message");
          refused(Code.NOT_FOUND, () -> seek(t, sub), "Seek to nothing");
          refused(
              Code.NOT_FOUND,
              () -> t.subscription(topic, s -> s.setAckDeadlineSeconds(1)),
              "CreateSubscription");
        });

    cases.put(
        "answer-malformed-name",
        t -> {
          String topic = t.parent + "/topics/bad name";
          String sub = t.parent + "/subscriptions/bad name";
          refused(Code.INVALID_ARGUMENT, () -> t.publish(topic, text("x")), "Publish");
          refused(Code.INVALID_ARGUMENT, () -> ack(t, sub, List.of("x")), "Acknowledge");
          refused(Code.INVALID_ARGUMENT, () -> t.tryPull(sub, 1, 1000), "Pull");
          refused(Code.INVALID_ARGUMENT, () -> seek(t, sub), "Seek");
        });

    cases.put(
        "answer-pull-deadline",
        t -> {
          String sub = t.world().sub();
          long start = System.nanoTime();
          check(t.tryPull(sub, 1, 2000).isEmpty(), "there are messages");
          check(System.nanoTime() - start > 1_000_000_000L, "an answer at once");
        });

    cases.put(
        "answer-no-ack-ids",
        t -> {
          String sub = t.world().sub();
          for (List<String> ids : List.of(List.<String>of(), List.of(""))) {
            refused(Code.INVALID_ARGUMENT, () -> ack(t, sub, ids), "Acknowledge of " + ids);
            refused(
                Code.INVALID_ARGUMENT,
                () -> extend(t, sub, 10, ids),
                "ModifyAckDeadline of " + ids);
          }
        });
  }

  private static void addNames(Map<String, Case> cases) {
    cases.put(
        "answer-assigned-names",
        t -> {
          Subscription one =
              t.clients.subscriptions.createSubscription(
                  Subscription.newBuilder().setTopic(t.topic()).build());
          Subscription two =
              t.clients.subscriptions.createSubscription(
                  Subscription.newBuilder().setTopic(t.topic()).build());
          check(one.getName().startsWith(t.parent + "/subscriptions/"), "%s", one);
          check(!one.getName().equals(two.getName()), "%s twice", one.getName());
          Snapshot shot =
              t.clients.subscriptions.createSnapshot(
                  CreateSnapshotRequest.newBuilder().setSubscription(one.getName()).build());
          check(shot.getName().startsWith(t.parent + "/snapshots/"), "%s", shot);
          equal(
              t.clients.subscriptions.getSnapshot(shot.getName()).getTopic(),
              one.getTopic(),
              "its topic");
        });

    cases.put(
        "answer-project",
        t -> {
          Clients c = t.clients;
          for (String name : List.of(t.project, "", t.parent + "/topics")) {
            ListTopicsRequest topics = ListTopicsRequest.newBuilder().setProject(name).build();
            refused(Code.INVALID_ARGUMENT, () -> c.topics.listTopics(topics), "topics of " + name);
            ListSubscriptionsRequest subs =
                ListSubscriptionsRequest.newBuilder().setProject(name).build();
            refused(
                Code.INVALID_ARGUMENT,
                () -> c.subscriptions.listSubscriptions(subs),
                "subscriptions of " + name);
            ListSnapshotsRequest shots = ListSnapshotsRequest.newBuilder().setProject(name).build();
            refused(
                Code.INVALID_ARGUMENT,
                () -> c.subscriptions.listSnapshots(shots),
                "snapshots of " + name);
            ListSchemasRequest schemas = ListSchemasRequest.newBuilder().setParent(name).build();
            refused(
                Code.INVALID_ARGUMENT, () -> c.schemas.listSchemas(schemas), "schemas of " + name);
          }
        });
  }

  private static void addSettings(Map<String, Case> cases) {
    cases.put(
        "answer-googclient",
        t -> {
          World w = t.world();
          t.publish(w.topic(), with("x", "googclient_traceparent", "00-1-2-01"));
          Map<String, String> got = t.pull(w.sub(), 1).get(0).getMessage().getAttributesMap();
          equal(got, Map.of("googclient_traceparent", "00-1-2-01"), "attributes");
          for (String key : List.of("google", "googclient")) {
            refused(Code.INVALID_ARGUMENT, () -> t.publish(w.topic(), with("x", key, "v")), key);
          }
        });

    cases.put(
        "answer-dead-letter-topic",
        t -> {
          DeadLetterPolicy policy =
              DeadLetterPolicy.newBuilder()
                  .setDeadLetterTopic(t.name("topics"))
                  .setMaxDeliveryAttempts(5)
                  .build();
          String topic = t.topic();
          refused(
              Code.NOT_FOUND,
              () -> t.subscription(topic, s -> s.setDeadLetterPolicy(policy)),
              "CreateSubscription");
        });

    cases.put(
        "answer-push-endpoint",
        t -> {
          World w = t.world();
          for (String endpoint : List.of("nonsense", "https://")) {
            PushConfig config = PushConfig.newBuilder().setPushEndpoint(endpoint).build();
            refused(
                Code.INVALID_ARGUMENT,
                () -> t.subscription(w.topic(), s -> s.setPushConfig(config)),
                "CreateSubscription, " + endpoint);
            ModifyPushConfigRequest request =
                ModifyPushConfigRequest.newBuilder()
                    .setSubscription(w.sub())
                    .setPushConfig(config)
                    .build();
            refused(
                Code.INVALID_ARGUMENT,
                () -> t.clients.subscriptions.modifyPushConfig(request),
                "ModifyPushConfig, " + endpoint);
          }
        });

    cases.put(
        "answer-defaults",
        t -> {
          Subscription got = t.clients.subscriptions.getSubscription(t.world().sub());
          check(got.hasPushConfig(), "there is no push configuration");
          equal(got.getPushConfig().getPushEndpoint(), "", "endpoint");
          equal(got.getExpirationPolicy().getTtl(), seconds(31 * 86400), "expiration");
        });
  }
}
