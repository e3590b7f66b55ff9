package io.sparkpubsub.conformance;

import com.google.api.gax.grpc.GrpcCallContext;
import com.google.api.gax.rpc.ApiException;
import com.google.api.gax.rpc.DeadlineExceededException;
import com.google.api.gax.rpc.StatusCode.Code;
import com.google.cloud.pubsub.v1.AckReplyConsumerWithResponse;
import com.google.cloud.pubsub.v1.Publisher;
import com.google.cloud.pubsub.v1.Subscriber;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.FieldMask;
import com.google.pubsub.v1.AcknowledgeRequest;
import com.google.pubsub.v1.DetachSubscriptionRequest;
import com.google.pubsub.v1.ModifyAckDeadlineRequest;
import com.google.pubsub.v1.PublishRequest;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.PullRequest;
import com.google.pubsub.v1.ReceivedMessage;
import com.google.pubsub.v1.StreamingPullRequest;
import com.google.pubsub.v1.Subscription;
import com.google.pubsub.v1.Topic;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** What a case works with. Its project is its own, so that lists hold nothing else. */
final class T {
  private static final SecureRandom RANDOM = new SecureRandom();

  final Clients clients;
  final String project = random("conf");
  final String parent = "projects/" + project;
  private final List<Stream> streams = new ArrayList<>();

  T(Clients clients) {
    this.clients = clients;
  }

  void close() {
    streams.forEach(Stream::close);
  }

  // Checks.

  static final class Failure extends RuntimeException {
    Failure(String what) {
      super(what);
    }
  }

  interface Call {
    void run() throws Exception;
  }

  interface Handler {
    /** Returns whether the case has all that it waits for. */
    boolean handle(PubsubMessage message, AckReplyConsumerWithResponse reply) throws Exception;
  }

  static void check(boolean good, String format, Object... args) {
    if (!good) {
      throw new Failure(String.format(format, args));
    }
  }

  static void equal(Object got, Object want, String what) {
    check(Objects.equals(got, want), "%s: %s, not %s", what, got, want);
  }

  /** Compares without order. */
  static void same(List<String> got, List<String> want, String what) {
    equal(got.stream().sorted().toList(), want.stream().sorted().toList(), what);
  }

  static Code codeOf(Call call) throws Exception {
    try {
      call.run();
      return Code.OK;
    } catch (ApiException e) {
      return e.getStatusCode().getCode();
    }
  }

  static void refused(Code code, Call call, String what) throws Exception {
    equal(codeOf(call), code, what);
  }

  // Names and settings.

  static String random(String prefix) {
    return String.format("%s-%012x", prefix, RANDOM.nextLong() & 0xffff_ffff_ffffL);
  }

  static Duration seconds(long count) {
    return Duration.newBuilder().setSeconds(count).build();
  }

  static FieldMask mask(String... paths) {
    return FieldMask.newBuilder().addAllPaths(List.of(paths)).build();
  }

  String name(String kind) {
    return parent + "/" + kind + "/" + random("c");
  }

  static String last(String name) {
    return name.substring(name.lastIndexOf('/') + 1);
  }

  // Resources.

  String topic() {
    return topic(t -> {});
  }

  String topic(Consumer<Topic.Builder> settings) {
    Topic.Builder topic = Topic.newBuilder().setName(name("topics"));
    settings.accept(topic);
    return clients.topics.createTopic(topic.build()).getName();
  }

  String subscription(String topic) {
    return subscription(topic, s -> {});
  }

  String subscription(String topic, Consumer<Subscription.Builder> settings) {
    Subscription.Builder sub =
        Subscription.newBuilder().setName(name("subscriptions")).setTopic(topic);
    settings.accept(sub);
    return clients.subscriptions.createSubscription(sub.build()).getName();
  }

  String snapshot(String sub) {
    return clients.subscriptions.createSnapshot(name("snapshots"), sub).getName();
  }

  /** A topic and a subscription of it. */
  record World(String topic, String sub) {}

  World world() {
    return world(s -> {});
  }

  World world(Consumer<Subscription.Builder> settings) {
    String topic = topic();
    return new World(topic, subscription(topic, settings));
  }

  void detach(String sub) {
    clients.topics.detachSubscription(
        DetachSubscriptionRequest.newBuilder().setSubscription(sub).build());
  }

  // Publishing.

  static PubsubMessage text(String data) {
    return PubsubMessage.newBuilder().setData(ByteString.copyFromUtf8(data)).build();
  }

  static PubsubMessage keyed(String key, String data) {
    return text(data).toBuilder().setOrderingKey(key).build();
  }

  static PubsubMessage with(String data, String... pairs) {
    PubsubMessage.Builder message = text(data).toBuilder();
    for (int i = 0; i < pairs.length; i += 2) {
      message.putAttributes(pairs[i], pairs[i + 1]);
    }
    return message.build();
  }

  List<String> publish(String topic, List<PubsubMessage> messages) {
    PublishRequest request =
        PublishRequest.newBuilder().setTopic(topic).addAllMessages(messages).build();
    List<String> ids = clients.topics.getStub().publishCallable().call(request).getMessageIdsList();
    equal(ids.size(), messages.size(), "ids for the messages");
    return ids;
  }

  List<String> publish(String topic, PubsubMessage... messages) {
    return publish(topic, List.of(messages));
  }

  /** A message each. */
  void texts(String topic, String... data) {
    Arrays.stream(data).forEach(d -> publish(topic, text(d)));
  }

  /** The library's. */
  Publisher.Builder publisher(String topic) {
    return Publisher.newBuilder(topic)
        .setChannelProvider(clients.channel)
        .setCredentialsProvider(clients.credentials);
  }

  // Receiving.

  static List<String> data(List<ReceivedMessage> received) {
    return received.stream().map(r -> r.getMessage().getData().toStringUtf8()).toList();
  }

  static List<String> ackIds(List<ReceivedMessage> received) {
    return received.stream().map(ReceivedMessage::getAckId).toList();
  }

  List<ReceivedMessage> tryPull(String sub, int max, long waitMillis) {
    PullRequest request = PullRequest.newBuilder().setSubscription(sub).setMaxMessages(max).build();
    GrpcCallContext context =
        GrpcCallContext.createDefault()
            .withTimeoutDuration(java.time.Duration.ofMillis(Math.max(waitMillis, 1)));
    return clients
        .subscriptions
        .getStub()
        .pullCallable()
        .call(request, context)
        .getReceivedMessagesList();
  }

  /** Waits for so many messages and leaves them unacknowledged. */
  List<ReceivedMessage> pull(String sub, int count) {
    List<ReceivedMessage> got = new ArrayList<>();
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    while (got.size() < count) {
      try {
        got.addAll(tryPull(sub, count - got.size(), (end - System.nanoTime()) / 1_000_000));
      } catch (ApiException e) {
        throw new Failure(String.format("Pull: %d of %d messages: %s", got.size(), count, e));
      }
    }
    return got;
  }

  void nothing(String sub, long waitMillis, String what) {
    try {
      List<ReceivedMessage> got = tryPull(sub, 10, waitMillis);
      check(got.isEmpty(), "%s: there is %s", what, data(got));
    } catch (DeadlineExceededException e) {
      return;
    }
  }

  void ack(String sub, List<ReceivedMessage> received) {
    clients
        .subscriptions
        .getStub()
        .acknowledgeCallable()
        .call(
            AcknowledgeRequest.newBuilder()
                .setSubscription(sub)
                .addAllAckIds(ackIds(received))
                .build());
  }

  void extend(String sub, int seconds, List<ReceivedMessage> received) {
    clients
        .subscriptions
        .getStub()
        .modifyAckDeadlineCallable()
        .call(
            ModifyAckDeadlineRequest.newBuilder()
                .setSubscription(sub)
                .setAckDeadlineSeconds(seconds)
                .addAllAckIds(ackIds(received))
                .build());
  }

  Stream stream(String sub) {
    return stream(sub, r -> {});
  }

  Stream stream(String sub, Consumer<StreamingPullRequest.Builder> settings) {
    StreamingPullRequest.Builder first = StreamingPullRequest.newBuilder().setSubscription(sub);
    settings.accept(first);
    streams.add(new Stream(clients, first));
    return streams.get(streams.size() - 1);
  }

  void receive(String sub, Handler handler) throws Exception {
    receive(sub, b -> {}, handler);
  }

  /** Runs the library's subscriber until the handler says that the case has all, or for 7 s. */
  void receive(String sub, Consumer<Subscriber.Builder> settings, Handler handler)
      throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    Subscriber.Builder builder =
        Subscriber.newBuilder(
                sub,
                (PubsubMessage message, AckReplyConsumerWithResponse reply) -> {
                  try {
                    if (handler.handle(message, reply)) {
                      done.countDown();
                    }
                  } catch (Exception e) {
                    throw new IllegalStateException(e);
                  }
                })
            .setChannelProvider(clients.channel)
            .setCredentialsProvider(clients.credentials);
    settings.accept(builder);
    Subscriber subscriber = builder.build();
    subscriber.startAsync().awaitRunning();
    done.await(7, TimeUnit.SECONDS);
    try {
      subscriber.stopAsync().awaitTerminated(2, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new Failure("the subscriber does not stop");
    }
  }
}
