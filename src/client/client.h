/* The inside of a client, shared by the files of this folder. Nothing outside src/client includes
 * this. */
#ifndef PUBSUB_CLIENT_INTERNAL_H
#define PUBSUB_CLIENT_INTERNAL_H

#include "grpc/channel.h"
#include "net/loop.h"
#include <pubsub/client.h>
#include <stdatomic.h>

struct pubsub_token_feed;

struct pubsub_client_lane {
  struct pubsub_loop *loop;
  struct pubsub_channel *channel; /* loop thread only, but for its pointer */
};
struct pubsub_client {
  struct pubsub_tls_context *tls; /* NULL: plaintext */
  struct pubsub_client_lane *lanes;
  size_t lane_count;
  atomic_size_t next_lane;
  _Atomic(struct pubsub_token_feed *) feed; /* NULL: tokens are the caller's matter */
};
/* The channel for the next subscriber, publisher or call: in turns. */
struct pubsub_channel *pubsub_client_next_channel(struct pubsub_client *client);

#endif
