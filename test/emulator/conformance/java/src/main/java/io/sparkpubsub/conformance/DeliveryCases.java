package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.T.check;
import static io.sparkpubsub.conformance.T.data;
import static io.sparkpubsub.conformance.T.equal;
import static io.sparkpubsub.conformance.T.same;
import static io.sparkpubsub.conformance.T.text;
import static io.sparkpubsub.conformance.T.with;

import com.google.api.core.ApiFuture;
import com.google.api.gax.batching.FlowControlSettings;
import com.google.cloud.pubsub.v1.Publisher;
import com.google.pubsub.v1.ReceivedMessage;
import io.sparkpubsub.conformance.Main.Case;
import io.sparkpubsub.conformance.T.World;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Publishing, delivery, flow control. */
final class DeliveryCases {
  private DeliveryCases() {}

  /** So many messages by the library's publisher and subscriber. */
  private static void roundTrip(T t, int count, Consumer<Publisher.Builder> settings)
      throws Exception {
    World w = t.world();
    String payload = "payload ".repeat(50);
    Publisher.Builder builder = t.publisher(w.topic());
    settings.accept(builder);
    Publisher publisher = builder.build();
    List<ApiFuture<String>> futures = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      futures.add(publisher.publish(with(payload + i, "number", Integer.toString(i))));
    }
    Map<String, String> want = new HashMap<>();
    for (int i = 0; i < count; i++) {
      want.put(futures.get(i).get(5, TimeUnit.SECONDS), Integer.toString(i));
    }
    publisher.shutdown();
    equal(want.size(), count, "ids");
    Set<String> got = ConcurrentHashMap.newKeySet();
    Set<String> wrong = ConcurrentHashMap.newKeySet();
    t.receive(
        w.sub(),
        (message, reply) -> {
          reply.ack();
          String number = want.get(message.getMessageId());
          if (!message.getAttributesOrDefault("number", "").equals(number)
              || !message.getData().toStringUtf8().equals(payload + number)) {
            wrong.add(message.toString());
          }
          got.add(message.getMessageId());
          return got.size() == count;
        });
    equal(wrong, Set.of(), "not as sent");
    equal(got.size(), count, "messages that arrived");
  }

  private static List<String> numbers(int count) {
    return IntStream.range(0, count).mapToObj(Integer::toString).toList();
  }

  static void add(Map<String, Case> cases) {
    cases.put("publish-subscribe-1000", t -> roundTrip(t, 1000, b -> {}));
    cases.put("publish-gzip", t -> roundTrip(t, 100, b -> b.setEnableCompression(true)));

    cases.put(
        "publish-large",
        t -> {
          World w = t.world();
          String large = "0123456789abcdef".repeat(9_000_000 / 16);
          Publisher publisher = t.publisher(w.topic()).build();
          publisher.publish(text(large)).get(5, TimeUnit.SECONDS);
          publisher.shutdown();
          List<Boolean> whole = Collections.synchronizedList(new ArrayList<>());
          t.receive(
              w.sub(),
              (message, reply) -> {
                reply.ack();
                whole.add(message.getData().toStringUtf8().equals(large));
                return true;
              });
          equal(whole, List.of(true), "whole");
        });

    cases.put(
        "publish-many-bytes",
        t -> {
          World w = t.world();
          Publisher publisher = t.publisher(w.topic()).build();
          List<ApiFuture<String>> futures = new ArrayList<>();
          for (String number : numbers(80)) {
            futures.add(publisher.publish(text(number + " ".repeat(100_000))));
          }
          for (ApiFuture<String> future : futures) {
            future.get(5, TimeUnit.SECONDS);
          }
          publisher.shutdown();
          Set<String> got = ConcurrentHashMap.newKeySet();
          t.receive(
              w.sub(),
              (message, reply) -> {
                reply.ack();
                got.add(message.getData().toStringUtf8().strip());
                return got.size() == 80;
              });
          same(List.copyOf(got), numbers(80), "messages that arrived");
        });

    cases.put(
        "delivery-two-subscriptions",
        t -> {
          World w = t.world();
          String other = t.subscription(w.topic());
          t.texts(w.topic(), "a", "b");
          for (String sub : List.of(w.sub(), other)) {
            same(data(t.pull(sub, 2)), List.of("a", "b"), sub);
          }
        });

    cases.put(
        "delivery-two-streams",
        t -> {
          World w = t.world();
          List<Stream> streams =
              List.of(
                  t.stream(w.sub(), r -> r.setMaxOutstandingMessages(10)),
                  t.stream(w.sub(), r -> r.setMaxOutstandingMessages(10)));
          List<String> want = numbers(100);
          t.publish(w.topic(), want.stream().map(T::text).toList());
          List<String> got = new ArrayList<>();
          long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
          while (got.size() < want.size() && System.nanoTime() < end) {
            for (Stream stream : streams) {
              List<ReceivedMessage> some = stream.upTo(10, 50);
              if (!some.isEmpty()) {
                stream.ack(some);
                got.addAll(data(some));
              }
            }
          }
          same(got, want, "both together");
        });

    cases.put(
        "delivery-shared",
        t -> {
          World w = t.world();
          List<Stream> streams = List.of(t.stream(w.sub()), t.stream(w.sub()));
          Thread.sleep(500); // both are open
          t.publish(w.topic(), Collections.nCopies(10, text("x")));
          for (Stream stream : streams) {
            equal(stream.upTo(5, 3000).size(), 5, "messages of a stream");
          }
        });

    cases.put(
        "delivery-nack",
        t -> {
          World w = t.world();
          t.texts(w.topic(), "x");
          List<Long> times = Collections.synchronizedList(new ArrayList<>());
          t.receive(
              w.sub(),
              (message, reply) -> {
                times.add(System.currentTimeMillis());
                if (times.size() == 1) {
                  reply.nack();
                } else {
                  reply.ack();
                }
                return times.size() == 2;
              });
          equal(times.size(), 2, "deliveries");
          long took = times.get(1) - times.get(0);
          check(took < 2000, "it came again after %d ms", took);
        });

    cases.put(
        "delivery-deadline",
        t -> {
          World w = t.world();
          t.texts(w.topic(), "x");
          t.extend(w.sub(), 2, t.pull(w.sub(), 1));
          long since = System.currentTimeMillis();
          t.pull(w.sub(), 1);
          long took = System.currentTimeMillis() - since;
          check(took > 1500 && took < 5000, "again after %d ms, with a deadline of 2 s", took);
        });

    cases.put(
        "flow-control-messages",
        t -> {
          World w = t.world();
          t.publish(w.topic(), numbers(20).stream().map(T::text).toList());
          Stream stream = t.stream(w.sub(), r -> r.setMaxOutstandingMessages(5));
          for (int round = 0; round < 4; round++) {
            List<ReceivedMessage> got = stream.take(5);
            check(
                stream.upTo(1, 400).isEmpty(), "more than 5 messages at once, in round %d", round);
            stream.ack(got);
          }
        });

    cases.put(
        "flow-control-bytes",
        t -> {
          World w = t.world();
          t.publish(w.topic(), Collections.nCopies(10, text("x".repeat(400))));
          Stream stream = t.stream(w.sub(), r -> r.setMaxOutstandingBytes(1000));
          for (int count = 0; count < 10; ) {
            List<ReceivedMessage> got = new ArrayList<>(stream.take(1));
            got.addAll(stream.upTo(9, 400));
            check(got.size() <= 3, "%d messages of 400 bytes at once, for 1000 bytes", got.size());
            count += got.size();
            stream.ack(got);
          }
        });

    cases.put(
        "flow-control-client",
        t -> {
          World w = t.world();
          t.publish(w.topic(), numbers(30).stream().map(T::text).toList());
          AtomicInteger running = new AtomicInteger();
          AtomicInteger most = new AtomicInteger();
          Set<String> got = ConcurrentHashMap.newKeySet();
          FlowControlSettings three =
              FlowControlSettings.newBuilder()
                  .setMaxOutstandingElementCount(3L)
                  .setMaxOutstandingRequestBytes(1L << 20)
                  .build();
          t.receive(
              w.sub(),
              b -> b.setFlowControlSettings(three),
              (message, reply) -> {
                most.accumulateAndGet(running.incrementAndGet(), Math::max);
                Thread.sleep(20);
                running.decrementAndGet();
                got.add(message.getData().toStringUtf8());
                reply.ack();
                return got.size() == 30;
              });
          equal(got.size(), 30, "messages that arrived");
          check(most.get() <= 3, "%d handlers at once", most.get());
        });
  }
}
