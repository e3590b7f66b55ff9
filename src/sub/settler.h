/*
 * The settler: sends acknowledgements, give-backs and lease extensions in packed requests, a few at a time, retries them, and
 * tells when every id of a chunk has its outcome. Loop thread only.
 */
#ifndef PUBSUB_SUB_SETTLER_H
#define PUBSUB_SUB_SETTLER_H

#include "base/rng.h"
#include "grpc/channel.h"
#include "net/loop.h"
#include "sub/held.h"

struct pubsub_settler_counts {
  uint64_t ack_requests, extend_requests, failed_requests;
};
struct pubsub_settler {
  struct pubsub_channel *channel;
  struct pubsub_view subscription; /* full name; outlives the settler */
  char *routing_header;            /* owned */
  struct pubsub_lease_limits lease_limits;
  uint32_t deadline_s;
  /* Every id of an ordered chunk has an outcome; may free it. */
  void (*on_settled)(void *user, struct pubsub_held *held);
  /* A lease was given up. */
  void (*on_expired)(void *user, struct pubsub_held *held);
  void *user;

  struct pubsub_list queues[PUBSUB_ACK_KIND_COUNT]; /* of struct pubsub_held.queue_link */
  struct pubsub_list in_flight;                     /* of requests */
  size_t in_flight_count;
  struct pubsub_heap leases;
  struct pubsub_timer lease_timer;
  struct pubsub_deferred pump;
  struct pubsub_rng rng;
  struct pubsub_settler_counts counts;
};

enum pubsub_status pubsub_settler_init(struct pubsub_settler *settler,
                                       struct pubsub_channel *channel,
                                       struct pubsub_view subscription, uint32_t deadline_s,
                                       uint64_t max_extension_us);
/* Cancels what is under way. Chunks are their owner's to free. */
void pubsub_settler_clear(struct pubsub_settler *settler);
/* A new chunk: watches over its lease. */
void pubsub_settler_lease(struct pubsub_settler *settler, struct pubsub_held *held);
/* An ordered chunk: its ids are sent. on_settled comes later, exactly once. */
void pubsub_settler_settle(struct pubsub_settler *settler, struct pubsub_held *held);
bool pubsub_settler_idle(const struct pubsub_settler *settler);

#endif
