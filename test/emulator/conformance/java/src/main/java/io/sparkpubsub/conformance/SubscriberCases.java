package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.T.check;
import static io.sparkpubsub.conformance.T.data;
import static io.sparkpubsub.conformance.T.equal;
import static io.sparkpubsub.conformance.T.mask;
import static io.sparkpubsub.conformance.T.refused;
import static io.sparkpubsub.conformance.T.same;
import static io.sparkpubsub.conformance.T.seconds;

import com.google.api.gax.rpc.StatusCode.Code;
import com.google.cloud.pubsub.v1.SubscriptionAdminClient;
import com.google.protobuf.util.Timestamps;
import com.google.pubsub.v1.CreateSnapshotRequest;
import com.google.pubsub.v1.PushConfig;
import com.google.pubsub.v1.ReceivedMessage;
import com.google.pubsub.v1.SeekRequest;
import com.google.pubsub.v1.Snapshot;
import com.google.pubsub.v1.Subscription;
import com.google.pubsub.v1.UpdateSnapshotRequest;
import io.sparkpubsub.conformance.Main.Case;
import io.sparkpubsub.conformance.T.World;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A case for each RPC of google.pubsub.v1.Subscriber. */
final class SubscriberCases {
  private SubscriberCases() {}

  static void seekTime(T t, String sub, long millis) {
    t.clients.subscriptions.seek(
        SeekRequest.newBuilder()
            .setSubscription(sub)
            .setTime(Timestamps.fromMillis(millis))
            .build());
  }

  static void seekSnapshot(T t, String sub, String snapshot) {
    t.clients.subscriptions.seek(
        SeekRequest.newBuilder().setSubscription(sub).setSnapshot(snapshot).build());
  }

  static void add(Map<String, Case> cases) {
    cases.put(
        "Subscriber.CreateSubscription",
        t -> {
          SubscriptionAdminClient admin = t.clients.subscriptions;
          Subscription sent =
              Subscription.newBuilder()
                  .setName(t.name("subscriptions"))
                  .setTopic(t.topic())
                  .build();
          Subscription got = admin.createSubscription(sent);
          equal(
              List.of(got.getName(), got.getTopic()),
              List.of(sent.getName(), sent.getTopic()),
              "answer");
          equal(got.getAckDeadlineSeconds(), 10, "ack deadline");
          equal(got.getMessageRetentionDuration(), seconds(7 * 86400), "retention");
          refused(Code.ALREADY_EXISTS, () -> admin.createSubscription(sent), "again");
          refused(Code.NOT_FOUND, () -> t.subscription(t.name("topics")), "unknown topic");
        });

    cases.put(
        "Subscriber.GetSubscription",
        t -> {
          Subscription sent =
              Subscription.newBuilder()
                  .setName(t.name("subscriptions"))
                  .setTopic(t.topic())
                  .setAckDeadlineSeconds(33)
                  .putLabels("team", "red")
                  .setRetainAckedMessages(true)
                  .setEnableMessageOrdering(true)
                  .setFilter("attributes:k")
                  .build();
          t.clients.subscriptions.createSubscription(sent);
          Subscription got = t.clients.subscriptions.getSubscription(sent.getName());
          Subscription settings =
              got.toBuilder()
                  .clearState()
                  .clearMessageRetentionDuration()
                  .clearExpirationPolicy()
                  .clearPushConfig()
                  .build();
          equal(settings, sent, "settings");
          refused(
              Code.NOT_FOUND,
              () -> t.clients.subscriptions.getSubscription(t.name("subscriptions")),
              "unknown subscription");
        });

    cases.put(
        "Subscriber.UpdateSubscription",
        t -> {
          SubscriptionAdminClient admin = t.clients.subscriptions;
          Subscription changed =
              Subscription.newBuilder().setName(t.world().sub()).setAckDeadlineSeconds(42).build();
          Subscription got = admin.updateSubscription(changed, mask("ack_deadline_seconds"));
          equal(got.getAckDeadlineSeconds(), 42, "answer");
          equal(
              admin.getSubscription(changed.getName()).getAckDeadlineSeconds(), 42, "ack deadline");
          Subscription unknown = changed.toBuilder().setName(t.name("subscriptions")).build();
          refused(
              Code.NOT_FOUND,
              () -> admin.updateSubscription(unknown, mask("ack_deadline_seconds")),
              "unknown subscription");
        });

    cases.put(
        "Subscriber.ListSubscriptions",
        t -> {
          World w = t.world();
          List<String> want = List.of(w.sub(), t.subscription(w.topic()));
          Iterable<Subscription> got =
              t.clients.subscriptions.listSubscriptions(t.parent).iterateAll();
          same(ListCases.names(got, Subscription::getName), want, "subscriptions");
        });

    cases.put(
        "Subscriber.DeleteSubscription",
        t -> {
          String sub = t.world().sub();
          t.clients.subscriptions.deleteSubscription(sub);
          refused(Code.NOT_FOUND, () -> t.clients.subscriptions.deleteSubscription(sub), "again");
          refused(Code.NOT_FOUND, () -> t.tryPull(sub, 1, 1000), "Pull");
        });

    cases.put(
        "Subscriber.ModifyAckDeadline",
        t -> {
          World w = t.world();
          t.texts(w.topic(), "x");
          List<ReceivedMessage> first = t.pull(w.sub(), 1);
          t.extend(w.sub(), 600, first);
          t.extend(w.sub(), 0, first);
          equal(data(t.pull(w.sub(), 1)), List.of("x"), "after 0");
          refused(Code.INVALID_ARGUMENT, () -> t.extend(w.sub(), 601, first), "601 s");
        });

    cases.put(
        "Subscriber.Acknowledge",
        t -> {
          World w = t.world();
          t.texts(w.topic(), "x");
          List<ReceivedMessage> got = t.pull(w.sub(), 1);
          t.ack(w.sub(), got);
          t.ack(w.sub(), got);
          t.extend(w.sub(), 0, got);
          t.nothing(w.sub(), 1000, "after the acknowledgement");
          refused(
              Code.NOT_FOUND, () -> t.ack(t.name("subscriptions"), got), "unknown subscription");
        });

    cases.put(
        "Subscriber.Pull",
        t -> {
          World w = t.world();
          t.texts(w.topic(), "a", "b", "c");
          List<ReceivedMessage> got = new ArrayList<>(t.tryPull(w.sub(), 2, 5000));
          check(got.size() == 1 || got.size() == 2, "%d messages for a maximum of 2", got.size());
          got.addAll(t.pull(w.sub(), 3 - got.size()));
          same(data(got), List.of("a", "b", "c"), "all");
          refused(Code.INVALID_ARGUMENT, () -> t.tryPull(w.sub(), 0, 1000), "a maximum of 0");
          refused(
              Code.NOT_FOUND,
              () -> t.tryPull(t.name("subscriptions"), 1, 1000),
              "unknown subscription");
        });

    cases.put(
        "Subscriber.StreamingPull",
        t -> {
          World w = t.world();
          Stream stream = t.stream(w.sub());
          t.texts(w.topic(), "a", "b");
          List<ReceivedMessage> got = stream.take(2);
          same(data(got), List.of("a", "b"), "messages");
          stream.ack(got.subList(0, 1));
          stream.nack(got.subList(1, 2));
          equal(data(stream.take(1)), data(got.subList(1, 2)), "after the nack");
          check(stream.upTo(1, 500).isEmpty(), "an acknowledged message came again");
          t.stream(w.sub(), r -> r.setStreamAckDeadlineSeconds(5))
              .ends(Code.INVALID_ARGUMENT, "5 s");
          t.stream(t.name("subscriptions")).ends(Code.NOT_FOUND, "unknown subscription");
        });

    cases.put(
        "Subscriber.ModifyPushConfig",
        t -> {
          String sub = t.world().sub();
          for (String endpoint : List.of("https://example.com/push", "")) {
            PushConfig push = PushConfig.newBuilder().setPushEndpoint(endpoint).build();
            t.clients.subscriptions.modifyPushConfig(sub, push);
            PushConfig got = t.clients.subscriptions.getSubscription(sub).getPushConfig();
            equal(got.getPushEndpoint(), endpoint, "endpoint");
          }
        });

    cases.put(
        "Subscriber.GetSnapshot",
        t -> {
          World w = t.world();
          String name = t.snapshot(w.sub());
          Snapshot got = t.clients.subscriptions.getSnapshot(name);
          equal(List.of(got.getName(), got.getTopic()), List.of(name, w.topic()), "snapshot");
          refused(
              Code.NOT_FOUND,
              () -> t.clients.subscriptions.getSnapshot(t.name("snapshots")),
              "unknown snapshot");
        });

    cases.put(
        "Subscriber.ListSnapshots",
        t -> {
          String sub = t.world().sub();
          List<String> want = List.of(t.snapshot(sub), t.snapshot(sub));
          Iterable<Snapshot> got = t.clients.subscriptions.listSnapshots(t.parent).iterateAll();
          same(ListCases.names(got, Snapshot::getName), want, "snapshots");
        });

    cases.put(
        "Subscriber.CreateSnapshot",
        t -> {
          World w = t.world();
          CreateSnapshotRequest request =
              CreateSnapshotRequest.newBuilder()
                  .setName(t.name("snapshots"))
                  .setSubscription(w.sub())
                  .putLabels("a", "1")
                  .build();
          Snapshot got = t.clients.subscriptions.createSnapshot(request);
          equal(
              List.of(got.getName(), got.getTopic()),
              List.of(request.getName(), w.topic()),
              "answer");
          equal(got.getLabelsMap(), Map.of("a", "1"), "labels");
          long life = got.getExpireTime().getSeconds() - System.currentTimeMillis() / 1000;
          check(life > 3600 && life < 7 * 86400 + 60, "expires in %d s", life);
          refused(
              Code.ALREADY_EXISTS, () -> t.clients.subscriptions.createSnapshot(request), "again");
          refused(
              Code.NOT_FOUND, () -> t.snapshot(t.name("subscriptions")), "unknown subscription");
        });

    cases.put(
        "Subscriber.UpdateSnapshot",
        t -> {
          String name = t.snapshot(t.world().sub());
          Snapshot got = updateLabels(t, name);
          equal(got.getLabelsMap(), Map.of("a", "1"), "answer");
          equal(
              t.clients.subscriptions.getSnapshot(name).getLabelsMap(), Map.of("a", "1"), "labels");
        });

    cases.put(
        "Subscriber.DeleteSnapshot",
        t -> {
          String name = t.snapshot(t.world().sub());
          t.clients.subscriptions.deleteSnapshot(name);
          refused(Code.NOT_FOUND, () -> t.clients.subscriptions.deleteSnapshot(name), "again");
        });

    cases.put(
        "Subscriber.Seek",
        t -> {
          String sub = t.world().sub();
          seekTime(t, sub, System.currentTimeMillis());
          seekSnapshot(t, sub, t.snapshot(sub));
          refused(
              Code.NOT_FOUND, () -> seekSnapshot(t, sub, t.name("snapshots")), "unknown snapshot");
        });
  }

  static Snapshot updateLabels(T t, String name) {
    return t.clients.subscriptions.updateSnapshot(
        UpdateSnapshotRequest.newBuilder()
            .setSnapshot(Snapshot.newBuilder().setName(name).putLabels("a", "1"))
            .setUpdateMask(mask("labels"))
            .build());
  }
}
