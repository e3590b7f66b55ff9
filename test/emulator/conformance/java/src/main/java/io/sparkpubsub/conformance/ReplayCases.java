package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.SubscriberCases.seekSnapshot;
import static io.sparkpubsub.conformance.SubscriberCases.seekTime;
import static io.sparkpubsub.conformance.T.data;
import static io.sparkpubsub.conformance.T.equal;
import static io.sparkpubsub.conformance.T.refused;
import static io.sparkpubsub.conformance.T.same;
import static io.sparkpubsub.conformance.T.seconds;

import com.google.api.gax.rpc.StatusCode.Code;
import com.google.pubsub.v1.ReceivedMessage;
import io.sparkpubsub.conformance.Main.Case;
import io.sparkpubsub.conformance.T.World;
import java.util.List;
import java.util.Map;

/** Seek, snapshots; what happens when a subscription is detached or deleted. */
final class ReplayCases {
  private ReplayCases() {}

  /** Before everything that a case publishes. */
  private static long before() {
    return System.currentTimeMillis() - 60_000;
  }

  static void add(Map<String, Case> cases) {
    cases.put(
        "seek-time-past",
        t -> {
          World w = t.world(s -> s.setRetainAckedMessages(true));
          t.texts(w.topic(), "a", "b");
          t.ack(w.sub(), t.pull(w.sub(), 2));
          t.nothing(w.sub(), 300, "after the acknowledgement");
          seekTime(t, w.sub(), before());
          same(data(t.pull(w.sub(), 2)), List.of("a", "b"), "after the seek");
        });

    cases.put(
        "seek-time-now",
        t -> {
          World w = t.world();
          t.texts(w.topic(), "a", "b");
          Thread.sleep(50);
          seekTime(t, w.sub(), System.currentTimeMillis());
          Thread.sleep(50);
          t.texts(w.topic(), "c");
          List<ReceivedMessage> got = t.pull(w.sub(), 1);
          t.ack(w.sub(), got);
          equal(data(got), List.of("c"), "after the seek");
          t.nothing(w.sub(), 500, "what was before");
        });

    cases.put(
        "seek-not-retained",
        t -> {
          World w = t.world();
          t.texts(w.topic(), "a");
          t.ack(w.sub(), t.pull(w.sub(), 1));
          seekTime(t, w.sub(), before());
          t.nothing(w.sub(), 1000, "after the seek");
        });

    cases.put(
        "seek-topic-retention",
        t -> {
          String topic = t.topic(b -> b.setMessageRetentionDuration(seconds(3600)));
          t.texts(topic, "a");
          String sub = t.subscription(topic);
          seekTime(t, sub, before());
          equal(data(t.pull(sub, 1)), List.of("a"), "after the seek");
        });

    cases.put(
        "seek-snapshot",
        t -> {
          World w = t.world();
          t.texts(w.topic(), "a");
          t.ack(w.sub(), t.pull(w.sub(), 1));
          t.texts(w.topic(), "b");
          String snapshot = t.snapshot(w.sub());
          t.texts(w.topic(), "c");
          t.ack(w.sub(), t.pull(w.sub(), 2));
          seekSnapshot(t, w.sub(), snapshot);
          List<ReceivedMessage> got = t.pull(w.sub(), 2);
          t.ack(w.sub(), got);
          same(data(got), List.of("b", "c"), "after the seek");
          t.nothing(w.sub(), 500, "what was acknowledged before the snapshot");
        });

    cases.put(
        "detach-pull",
        t -> {
          World w = t.world();
          t.texts(w.topic(), "x");
          t.detach(w.sub());
          refused(Code.FAILED_PRECONDITION, () -> t.tryPull(w.sub(), 1, 2000), "Pull");
        });

    cases.put(
        "detach-stream",
        t -> {
          World w = t.world();
          Stream stream = t.stream(w.sub());
          t.texts(w.topic(), "x");
          stream.take(1);
          t.detach(w.sub());
          stream.ends(Code.FAILED_PRECONDITION, "the open stream");
        });

    cases.put(
        "detach-list",
        t -> {
          World w = t.world();
          String other = t.subscription(w.topic());
          t.detach(w.sub());
          equal(
              PublisherCases.subscriptions(t, w.topic()),
              List.of(other),
              "subscriptions of the topic");
        });

    cases.put(
        "delete-stream",
        t -> {
          World w = t.world();
          Stream stream = t.stream(w.sub());
          t.texts(w.topic(), "x");
          stream.take(1);
          t.clients.subscriptions.deleteSubscription(w.sub());
          stream.ends(Code.NOT_FOUND, "the open stream");
        });

    cases.put(
        "delete-topic-backlog",
        t -> {
          World w = t.world();
          t.texts(w.topic(), "x");
          t.clients.topics.deleteTopic(w.topic());
          equal(data(t.pull(w.sub(), 1)), List.of("x"), "afterwards");
        });
  }
}
