package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.T.check;
import static io.sparkpubsub.conformance.T.equal;
import static io.sparkpubsub.conformance.T.mask;
import static io.sparkpubsub.conformance.T.refused;
import static io.sparkpubsub.conformance.T.same;
import static io.sparkpubsub.conformance.T.seconds;
import static io.sparkpubsub.conformance.T.text;
import static io.sparkpubsub.conformance.T.with;

import com.google.api.gax.rpc.StatusCode.Code;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.ReceivedMessage;
import com.google.pubsub.v1.Topic;
import io.sparkpubsub.conformance.Main.Case;
import io.sparkpubsub.conformance.T.World;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A case for each RPC of google.pubsub.v1.Publisher. */
final class PublisherCases {
  private PublisherCases() {}

  private static Topic labelled(T t, long retentionSeconds) {
    return Topic.newBuilder()
        .setName(t.name("topics"))
        .putLabels("team", "red")
        .setMessageRetentionDuration(seconds(retentionSeconds))
        .build();
  }

  static void add(Map<String, Case> cases) {
    cases.put(
        "Publisher.CreateTopic",
        t -> {
          Topic sent = labelled(t, 3600);
          Topic got = t.clients.topics.createTopic(sent);
          equal(got.toBuilder().clearState().build(), sent, "answer");
          refused(Code.ALREADY_EXISTS, () -> t.clients.topics.createTopic(sent), "again");
        });

    cases.put(
        "Publisher.UpdateTopic",
        t -> {
          Topic changed = Topic.newBuilder().setName(t.topic()).putLabels("a", "1").build();
          equal(
              t.clients.topics.updateTopic(changed, mask("labels")).getLabelsMap(),
              Map.of("a", "1"),
              "answer");
          equal(
              t.clients.topics.getTopic(changed.getName()).getLabelsMap(),
              Map.of("a", "1"),
              "labels");
          Topic unknown = changed.toBuilder().setName(t.name("topics")).build();
          refused(
              Code.NOT_FOUND,
              () -> t.clients.topics.updateTopic(unknown, mask("labels")),
              "unknown topic");
        });

    cases.put(
        "Publisher.Publish",
        t -> {
          World w = t.world();
          List<String> ids = t.publish(w.topic(), with("x", "k", "v"), text("y"));
          check(!ids.get(0).isEmpty() && !ids.get(0).equals(ids.get(1)), "ids: %s", ids);
          Map<String, PubsubMessage> seen = new HashMap<>();
          for (ReceivedMessage r : t.pull(w.sub(), 2)) {
            seen.put(r.getMessage().getMessageId(), r.getMessage());
          }
          same(List.copyOf(seen.keySet()), ids, "the ids that arrived");
          PubsubMessage x = seen.get(ids.get(0));
          equal(x.getData().toStringUtf8(), "x", "data");
          equal(x.getAttributesMap(), Map.of("k", "v"), "attributes");
          equal(seen.get(ids.get(1)).getData().toStringUtf8(), "y", "data of the second");
          long age = System.currentTimeMillis() / 1000 - x.getPublishTime().getSeconds();
          check(Math.abs(age) < 60, "publish time: %d s ago", age);
          refused(Code.NOT_FOUND, () -> t.publish(t.name("topics"), text("z")), "unknown topic");
        });

    cases.put(
        "Publisher.GetTopic",
        t -> {
          Topic sent = labelled(t, 1200);
          t.clients.topics.createTopic(sent);
          Topic got = t.clients.topics.getTopic(sent.getName());
          equal(got.toBuilder().clearState().build(), sent, "settings");
          refused(
              Code.NOT_FOUND, () -> t.clients.topics.getTopic(t.name("topics")), "unknown topic");
        });

    cases.put(
        "Publisher.ListTopics",
        t -> {
          List<String> want = List.of(t.topic(), t.topic(), t.topic());
          same(
              ListCases.names(t.clients.topics.listTopics(t.parent).iterateAll(), Topic::getName),
              want,
              "topics");
        });

    cases.put(
        "Publisher.ListTopicSubscriptions",
        t -> {
          World w = t.world();
          List<String> want = List.of(w.sub(), t.subscription(w.topic()));
          t.world();
          same(subscriptions(t, w.topic()), want, "subscriptions");
        });

    cases.put(
        "Publisher.ListTopicSnapshots",
        t -> {
          World w = t.world();
          List<String> want = List.of(t.snapshot(w.sub()), t.snapshot(w.sub()));
          t.snapshot(t.world().sub());
          Iterable<String> got = t.clients.topics.listTopicSnapshots(w.topic()).iterateAll();
          same(ListCases.names(got, s -> s), want, "snapshots");
        });

    cases.put(
        "Publisher.DeleteTopic",
        t -> {
          World w = t.world();
          t.clients.topics.deleteTopic(w.topic());
          refused(Code.NOT_FOUND, () -> t.clients.topics.deleteTopic(w.topic()), "again");
          String left = t.clients.subscriptions.getSubscription(w.sub()).getTopic();
          equal(left, "_deleted-topic_", "the subscription's topic");
        });

    cases.put(
        "Publisher.DetachSubscription",
        t -> {
          World w = t.world();
          t.detach(w.sub());
          check(
              t.clients.subscriptions.getSubscription(w.sub()).getDetached(),
              "the subscription is not detached");
          refused(Code.NOT_FOUND, () -> t.detach(t.name("subscriptions")), "unknown subscription");
        });
  }

  /** Of a topic. */
  static List<String> subscriptions(T t, String topic) {
    return ListCases.names(t.clients.topics.listTopicSubscriptions(topic).iterateAll(), s -> s);
  }
}
