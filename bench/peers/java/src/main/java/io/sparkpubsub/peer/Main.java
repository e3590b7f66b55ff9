package io.sparkpubsub.peer;

import com.google.api.core.ApiFuture;
import com.google.api.core.ApiFutures;
import com.google.api.gax.batching.BatchingSettings;
import com.google.api.gax.batching.FlowControlSettings;
import com.google.api.gax.batching.FlowController.LimitExceededBehavior;
import com.google.api.gax.core.NoCredentialsProvider;
import com.google.api.gax.grpc.GrpcTransportChannel;
import com.google.api.gax.rpc.FixedTransportChannelProvider;
import com.google.api.gax.rpc.TransportChannelProvider;
import com.google.cloud.pubsub.v1.AckReplyConsumer;
import com.google.cloud.pubsub.v1.Publisher;
import com.google.cloud.pubsub.v1.Subscriber;
import com.google.protobuf.ByteString;
import com.google.pubsub.v1.PubsubMessage;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;

/** receive|publish NAME COUNT SIZE: as the peer in Go does it; one line of JSON. */
public final class Main {
  private static final FlowControlSettings FLOW =
      FlowControlSettings.newBuilder()
          .setMaxOutstandingElementCount(20000L)
          .setMaxOutstandingRequestBytes(64L << 20)
          .setLimitExceededBehavior(LimitExceededBehavior.Block)
          .build();

  private Main() {}

  private static double cpuSeconds() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getProcessCpuTime()
        / 1e9;
  }

  private static void publish(TransportChannelProvider channel, String topic, int count, int size)
      throws Exception {
    Publisher publisher =
        Publisher.newBuilder(topic)
            .setChannelProvider(channel)
            .setCredentialsProvider(NoCredentialsProvider.create())
            .setBatchingSettings(
                BatchingSettings.newBuilder()
                    .setElementCountThreshold(1000L)
                    .setRequestByteThreshold(1_000_000L)
                    .setDelayThresholdDuration(Duration.ofMillis(10))
                    .setFlowControlSettings(FLOW)
                    .build())
            .build();
    ByteString data = ByteString.copyFrom(new byte[size]);
    List<ApiFuture<String>> results = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      results.add(
          publisher.publish(
              PubsubMessage.newBuilder().setData(data).putAttributes("source", "bench").build()));
    }
    publisher.publishAllOutstanding();
    ApiFutures.allAsList(results).get();
    publisher.shutdown();
  }

  private static void receive(TransportChannelProvider channel, String subscription, int count)
      throws Exception {
    CountDownLatch left = new CountDownLatch(count);
    Subscriber subscriber =
        Subscriber.newBuilder(
                subscription,
                (PubsubMessage message, AckReplyConsumer reply) -> {
                  reply.ack();
                  left.countDown();
                })
            .setChannelProvider(channel)
            .setCredentialsProvider(NoCredentialsProvider.create())
            .setParallelPullCount(1)
            .setFlowControlSettings(
                FLOW.toBuilder().setLimitExceededBehavior(LimitExceededBehavior.Block).build())
            .build();
    subscriber.startAsync().awaitRunning();
    left.await();
    subscriber.stopAsync().awaitTerminated();
  }

  public static void main(String[] args) throws Exception {
    int count = Integer.parseInt(args[2]);
    int size = Integer.parseInt(args[3]);
    ManagedChannel plain =
        ManagedChannelBuilder.forTarget(System.getenv("PUBSUB_EMULATOR_HOST"))
            .usePlaintext()
            .maxInboundMessageSize(20 << 20)
            .build();
    TransportChannelProvider channel =
        FixedTransportChannelProvider.create(GrpcTransportChannel.create(plain));
    double cpu = cpuSeconds();
    long begin = System.nanoTime();
    if (args[0].equals("publish")) {
      publish(channel, args[1], count, size);
    } else {
      receive(channel, args[1], count);
    }
    double wall = (System.nanoTime() - begin) / 1e9;
    System.out.printf(
        Locale.ROOT,
        "{\"bench\": \"%s\", \"messages\": %d, \"cpu_us_per_message\": %.3f, \"messages_per_s\":"
            + " %.0f, \"mb_per_s\": %.1f}%n",
        args[0],
        count,
        (cpuSeconds() - cpu) * 1e6 / count,
        count / wall,
        (double) count * size / wall / 1e6);
    plain.shutdownNow();
  }
}
