/*
 * One packed request of the settler: sent, repeated as it is while it fails as a whole, and over
 * when every id has its outcome. Knows requests and what they are made of, not what follows from an
 * outcome. Loop thread only.
 */
#ifndef PUBSUB_SUB_SETTLE_CALL_H
#define PUBSUB_SUB_SETTLE_CALL_H

#include "base/list.h"
#include "grpc/backoff.h"
#include "grpc/unary.h"
#include "net/loop.h"
#include "proto/ack_outcome.h"
#include "sub/ack_request.h"

#define PUBSUB_SETTLE_FIRST_BACKOFF_US 100000
#define PUBSUB_SETTLE_MAX_BACKOFF_US 10000000
#define PUBSUB_SETTLE_RETRY_FOR_US UINT64_C(600000000)
#define PUBSUB_SETTLE_PARTS 64 /* chunks in one request */

struct pubsub_held;
struct pubsub_settle_call;

struct pubsub_settle_counts {
  uint64_t ack_requests, extend_requests, failed_requests;
  uint64_t retried_rows; /* ids sent again after a transient failure of their own */
};
/* What all calls of a settler share; outlives them. */
struct pubsub_settle_line {
  struct pubsub_channel *channel;
  struct pubsub_view subscription; /* full name */
  const char *routing_header;
  struct pubsub_rng rng;
  struct pubsub_settle_counts counts;
  struct pubsub_list in_flight; /* of calls */
  size_t settling, extending;   /* how many of them */
  /* Whether it makes sense to send it again. */
  bool (*wanted)(void *user, const struct pubsub_settle_call *call);
  /* Every id has its outcome: the listed one, else `unlisted`. Frees the call
   * (pubsub_settle_call_forget). */
  void (*on_outcomes)(void *user, struct pubsub_settle_call *call,
                      const struct pubsub_ack_outcomes *outcomes, enum pubsub_ack_outcome unlisted);
  void *user;
};

struct pubsub_settle_part {
  struct pubsub_held *held;
  uint32_t first, ids; /* of its pass */
};
struct pubsub_settle_call {
  struct pubsub_list link; /* in line.in_flight */
  struct pubsub_settle_line *line;
  struct pubsub_ack_request packed;
  struct pubsub_settle_part parts[PUBSUB_SETTLE_PARTS];
  size_t part_count;
  uint64_t until_us; /* repeated as a whole until then */

  unsigned refs; /* ours, and one per segment the transport holds */
  struct pubsub_unary *call;
  struct pubsub_backoff backoff;
  struct pubsub_timer retry;
};

/* Empty. `outcomes`: the service may tell the outcome of each id. NULL: no memory. */
struct pubsub_settle_call *pubsub_settle_call_new(struct pubsub_settle_line *line,
                                                  enum pubsub_ack_kind kind, uint32_t deadline_s,
                                                  bool outcomes);
void pubsub_settle_call_send(struct pubsub_settle_call *call);
/* Takes it out of the line; its memory may live on in the transport. */
void pubsub_settle_call_forget(struct pubsub_settle_call *call);
/* Calls of this kind that are under way. */
size_t *pubsub_settle_line_count(struct pubsub_settle_line *line, enum pubsub_ack_kind kind);

#endif
