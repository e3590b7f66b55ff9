/* Public constructors of what lives on a client's channels. */
#include "client/client.h"
#include "pub/publisher.h"
#include "sub/subscriber.h"

enum pubsub_status pubsub_subscriber_new(struct pubsub_client *client,
                                         const struct pubsub_subscriber_options *options,
                                         struct pubsub_subscriber **out,
                                         struct pubsub_error *error) {
  return pubsub_subscriber_create(pubsub_client_next_channel(client), options, out, error);
}

enum pubsub_status pubsub_publisher_new(struct pubsub_client *client,
                                        const struct pubsub_publisher_options *options,
                                        struct pubsub_publisher **out, struct pubsub_error *error) {
  return pubsub_publisher_create(pubsub_client_next_channel(client), options, out, error);
}
