/*
 * The settler: sends acknowledgements, give-backs and lease extensions in packed requests, a few at
 * a time, and tells when every id of a chunk has its outcome. Stands on settle_call.h (a request),
 * leases.h (when a lease is due) and pass.h (which ids are sent again). Loop thread only.
 *
 * A call that fails as a whole is repeated as it is. Where the service tells the outcome of single
 * ids (exactly-once), those with a transient failure make the chunk's next turn, with their newest
 * ack ids. One id that cannot be read fails its whole request: that is sent again in parts until
 * the id stands alone.
 */
#ifndef PUBSUB_SUB_SETTLER_H
#define PUBSUB_SUB_SETTLER_H

#include "sub/ack_latency.h"
#include "sub/leases.h"
#include "sub/settle_call.h"

struct pubsub_settler_options {
  struct pubsub_channel *channel;
  struct pubsub_view subscription; /* full name; outlives the settler */
  uint32_t deadline_s;             /* the stream's, and of extensions until there is a percentile */
  uint64_t max_extension_us;
};
struct pubsub_settler_handler {
  /* Every id of a settled chunk has an outcome; may free it. */
  void (*on_settled)(void *user, struct pubsub_held *held);
  /* A lease was given up, or has ended before an extension had arrived (late_lease; not where the
   * service tells the outcome of single ids). Once a chunk. */
  void (*on_lost)(void *user, struct pubsub_held *held);
  /* A receipt is there: held->drop tells what of the chunk is left. May free it. */
  void (*on_receipt)(void *user, struct pubsub_held *held);
  /* A settled row was refused for good. */
  void (*on_row_failed)(void *user, struct pubsub_held *held, uint32_t row);
};

struct pubsub_settler {
  const struct pubsub_settler_handler *handler;
  void *user;
  struct pubsub_loop *loop;
  char *routing_header; /* owned */
  uint32_t deadline_s;
  bool exactly_once; /* as the service told last; the owner sets it */

  struct pubsub_settle_line line;
  struct pubsub_leases leases;
  struct pubsub_ack_latency latency;
  struct pubsub_list queues[PUBSUB_ACK_KIND_COUNT]; /* of passes with ids to take */
  struct pubsub_heap retries;                       /* of struct pubsub_pass.retry */
  struct pubsub_timer retry_timer;
  struct pubsub_deferred pump;
};

/* Errors: NOMEM; cleared by pubsub_settler_clear either way. */
enum pubsub_status pubsub_settler_init(struct pubsub_settler *settler,
                                       const struct pubsub_settler_options *options,
                                       const struct pubsub_settler_handler *handler, void *user);
/* Cancels what is under way. Chunks are their owner's to free. */
void pubsub_settler_clear(struct pubsub_settler *settler);
/* Watches over the lease of a sealed chunk whose first row arrived at received_us. */
void pubsub_settler_lease(struct pubsub_settler *settler, struct pubsub_held *held,
                          uint64_t received_us);
void pubsub_settler_unlease(struct pubsub_settler *settler, struct pubsub_held *held);
/* A row of a leased chunk has a newer ack id, with a lease of its own. */
void pubsub_settler_renewed(struct pubsub_settler *settler, struct pubsub_held *held);
/* Asks for the receipt of a leased chunk; on_receipt comes later, unless it is settled before. */
void pubsub_settler_receipt(struct pubsub_settler *settler, struct pubsub_held *held);
/* A chunk that is SETTLING: its ids are sent. on_settled comes later (at once for one whose lease
 * was lost), exactly once. */
void pubsub_settler_settle(struct pubsub_settler *settler, struct pubsub_held *held);

#endif
