package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.T.check;
import static io.sparkpubsub.conformance.T.data;
import static io.sparkpubsub.conformance.T.equal;
import static io.sparkpubsub.conformance.T.keyed;
import static io.sparkpubsub.conformance.T.text;

import com.google.api.core.ApiFuture;
import com.google.cloud.pubsub.v1.Publisher;
import com.google.pubsub.v1.ReceivedMessage;
import com.google.pubsub.v1.Subscription;
import io.sparkpubsub.conformance.Main.Case;
import io.sparkpubsub.conformance.T.World;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** Ordering keys. */
final class OrderingCases {
  private static final int KEYS = 5;
  private static final int EACH = 40;

  private OrderingCases() {}

  static void ordered(Subscription.Builder sub) {
    sub.setEnableMessageOrdering(true);
  }

  /** On a stream, unacknowledged. */
  private record Four(Stream stream, List<ReceivedMessage> got) {}

  private static Four fourOfAKey(T t) throws Exception {
    World w = t.world(OrderingCases::ordered);
    t.publish(w.topic(), keyed("k", "1"), keyed("k", "2"), keyed("k", "3"), keyed("k", "4"));
    Stream stream = t.stream(w.sub());
    List<ReceivedMessage> got = stream.take(4);
    equal(data(got), List.of("1", "2", "3", "4"), "first");
    return new Four(stream, got);
  }

  static void add(Map<String, Case> cases) {
    cases.put(
        "ordering-in-order",
        t -> {
          World w = t.world(OrderingCases::ordered);
          Publisher publisher = t.publisher(w.topic()).setEnableMessageOrdering(true).build();
          List<ApiFuture<String>> futures = new ArrayList<>();
          for (int i = 0; i < EACH; i++) {
            for (int k = 0; k < KEYS; k++) {
              futures.add(publisher.publish(keyed("key" + k, Integer.toString(i))));
            }
          }
          for (ApiFuture<String> future : futures) {
            future.get(5, TimeUnit.SECONDS);
          }
          publisher.shutdown();
          Map<String, List<String>> got = new TreeMap<>();
          t.receive(
              w.sub(),
              (message, reply) -> {
                synchronized (got) {
                  got.computeIfAbsent(message.getOrderingKey(), k -> new ArrayList<>())
                      .add(message.getData().toStringUtf8());
                  reply.ack();
                  return got.values().stream().mapToInt(List::size).sum() == KEYS * EACH;
                }
              });
          equal(got.size(), KEYS, "keys");
          List<String> want = IntStream.range(0, EACH).mapToObj(Integer::toString).toList();
          got.forEach((key, values) -> equal(values, want, key));
        });

    cases.put(
        "ordering-nack-tail",
        t -> {
          Four four = fourOfAKey(t);
          four.stream.ack(four.got.subList(0, 1));
          four.stream.nack(four.got.subList(1, 2));
          equal(data(four.stream.take(3)), List.of("2", "3", "4"), "after a nack of 2");
        });

    cases.put(
        "ordering-acknowledged-tail",
        t -> {
          Four four = fourOfAKey(t);
          four.stream.ack(List.of(four.got.get(0), four.got.get(2), four.got.get(3)));
          four.stream.nack(four.got.subList(1, 2));
          List<String> again = data(four.stream.take(3));
          equal(again, List.of("2", "3", "4"), "after a nack of 2, with 3 and 4 acknowledged");
        });

    cases.put(
        "ordering-keys-independent",
        t -> {
          World w = t.world(OrderingCases::ordered);
          Stream stream = t.stream(w.sub());
          t.publish(w.topic(), keyed("a", "a1"), keyed("a", "a2"));
          stream.take(1);
          t.publish(w.topic(), keyed("b", "b1"));
          t.publish(w.topic(), text("none"));
          List<String> got = new ArrayList<>();
          while (got.size() < 3 && !got.containsAll(List.of("b1", "none"))) {
            got.addAll(data(stream.take(1)));
          }
          check(got.containsAll(List.of("b1", "none")), "while a1 is out: %s", got);
        });
  }
}
