package io.sparkpubsub.conformance;

import com.google.api.gax.core.CredentialsProvider;
import com.google.api.gax.core.NoCredentialsProvider;
import com.google.api.gax.grpc.GrpcTransportChannel;
import com.google.api.gax.rpc.FixedTransportChannelProvider;
import com.google.api.gax.rpc.TransportChannelProvider;
import com.google.cloud.pubsub.v1.SchemaServiceClient;
import com.google.cloud.pubsub.v1.SchemaServiceSettings;
import com.google.cloud.pubsub.v1.SubscriptionAdminClient;
import com.google.cloud.pubsub.v1.SubscriptionAdminSettings;
import com.google.cloud.pubsub.v1.TopicAdminClient;
import com.google.cloud.pubsub.v1.TopicAdminSettings;
import io.grpc.ManagedChannelBuilder;
import java.io.IOException;

/**
 * The clients that all cases share, on one channel. The library does not look at
 * PUBSUB_EMULATOR_HOST by itself.
 */
final class Clients {
  // As the library's own channels have it.
  private static final int MAX_INBOUND_BYTES = 20 << 20;

  final TransportChannelProvider channel;
  final CredentialsProvider credentials = NoCredentialsProvider.create();
  final TopicAdminClient topics;
  final SubscriptionAdminClient subscriptions;
  final SchemaServiceClient schemas;

  Clients(String host) throws IOException {
    channel =
        FixedTransportChannelProvider.create(
            GrpcTransportChannel.create(
                ManagedChannelBuilder.forTarget(host)
                    .usePlaintext()
                    .maxInboundMessageSize(MAX_INBOUND_BYTES)
                    .build()));
    topics =
        TopicAdminClient.create(
            TopicAdminSettings.newBuilder()
                .setTransportChannelProvider(channel)
                .setCredentialsProvider(credentials)
                .build());
    subscriptions =
        SubscriptionAdminClient.create(
            SubscriptionAdminSettings.newBuilder()
                .setTransportChannelProvider(channel)
                .setCredentialsProvider(credentials)
                .build());
    schemas =
        SchemaServiceClient.create(
            SchemaServiceSettings.newBuilder()
                .setTransportChannelProvider(channel)
                .setCredentialsProvider(credentials)
                .build());
  }
}
