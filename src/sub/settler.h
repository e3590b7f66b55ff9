/*
 * The settler: sends acknowledgements, give-backs and lease extensions in packed requests, a few at a time, retries what fails
 * for a while, and tells when every id of a chunk has its outcome. Loop thread only.
 *
 * A call that fails as a whole is repeated as it is. Where the service tells the outcome of single ids (exactly-once), those with
 * a transient failure make the chunk's next turn (pass.h), with their newest ack ids.
 */
#ifndef PUBSUB_SUB_SETTLER_H
#define PUBSUB_SUB_SETTLER_H

#include "base/rng.h"
#include "grpc/channel.h"
#include "net/loop.h"
#include "sub/ack_latency.h"
#include "sub/held.h"

struct pubsub_settler_counts {
  uint64_t ack_requests, extend_requests, failed_requests;
  uint64_t retried_rows; /* ids sent again after a transient failure of their own */
};
struct pubsub_settler {
  struct pubsub_channel *channel;
  struct pubsub_view subscription; /* full name; outlives the settler */
  char *routing_header;            /* owned */
  uint64_t max_extension_us;
  uint32_t deadline_s; /* the stream's, and of extensions until there is a percentile */
  bool exactly_once;   /* as the service told last; the owner sets it */
  /* Every id of an ordered chunk has an outcome; may free it. */
  void (*on_settled)(void *user, struct pubsub_held *held);
  /* A lease was given up. */
  void (*on_expired)(void *user, struct pubsub_held *held);
  /* A receipt is there: held->drop tells what of the chunk is left. May free it. */
  void (*on_receipt)(void *user, struct pubsub_held *held);
  /* An ordered row was refused for good. */
  void (*on_row_failed)(void *user, struct pubsub_held *held, uint32_t row);
  void *user;

  struct pubsub_list queues[PUBSUB_ACK_KIND_COUNT]; /* of passes with ids to take */
  struct pubsub_list in_flight;                     /* of requests */
  size_t settling_count, extending_count;           /* of them */
  struct pubsub_heap leases;                        /* of struct pubsub_held.lease_node */
  struct pubsub_heap retries;                       /* of struct pubsub_pass.retry */
  struct pubsub_timer lease_timer, retry_timer;
  struct pubsub_deferred pump;
  struct pubsub_rng rng;
  struct pubsub_ack_latency latency;
  struct pubsub_settler_counts counts;
};

enum pubsub_status pubsub_settler_init(struct pubsub_settler *settler,
                                       struct pubsub_channel *channel,
                                       struct pubsub_view subscription, uint32_t deadline_s,
                                       uint64_t max_extension_us);
/* Cancels what is under way. Chunks are their owner's to free. */
void pubsub_settler_clear(struct pubsub_settler *settler);
/* Watches over the lease of a chunk whose first row arrived at received_us. */
void pubsub_settler_lease(struct pubsub_settler *settler, struct pubsub_held *held,
                          uint64_t received_us);
void pubsub_settler_unlease(struct pubsub_settler *settler, struct pubsub_held *held);
/* A row of a leased chunk has a newer ack id, with a lease of its own. */
void pubsub_settler_renewed(struct pubsub_settler *settler, struct pubsub_held *held);
/* Asks for the receipt of a leased chunk; on_receipt comes later, unless it is ordered before. */
void pubsub_settler_receipt(struct pubsub_settler *settler, struct pubsub_held *held);
/* An ordered chunk: its ids are sent. on_settled comes later (at once for one whose lease was given up), exactly once. */
void pubsub_settler_settle(struct pubsub_settler *settler, struct pubsub_held *held);

#endif
