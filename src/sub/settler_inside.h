/*
 * The inside of the settler, shared by its four files: settler.c queues passes and packs requests, settle_request.c sends and
 * repeats them, settle_outcome.c tells what became of each id, leasing.c watches over leases. Nothing else includes this.
 */
#ifndef PUBSUB_SUB_SETTLER_INSIDE_H
#define PUBSUB_SUB_SETTLER_INSIDE_H

#include "grpc/backoff.h"
#include "sub/ack_outcome.h"
#include "sub/settler.h"

#define PUBSUB_SETTLE_FIRST_BACKOFF_US 100000
#define PUBSUB_SETTLE_MAX_BACKOFF_US 10000000
#define PUBSUB_SETTLE_RETRY_FOR_US UINT64_C(600000000)
#define PUBSUB_SETTLE_PARTS 64 /* chunks in one request */

struct pubsub_settle_part {
  struct pubsub_held *held;
  uint32_t first, ids; /* of its pass */
};

struct pubsub_settle_request {
  struct pubsub_list link; /* in settler.in_flight */
  struct pubsub_settler *settler;
  struct pubsub_ack_request packed;
  struct pubsub_settle_part parts[PUBSUB_SETTLE_PARTS];
  size_t part_count;
  unsigned refs; /* ours, and one per segment the transport holds */
  struct pubsub_call *call;
  struct pubsub_backoff backoff;
  struct pubsub_timer retry;
  uint64_t until_us; /* repeated as a whole until then */
};

static inline struct pubsub_loop *pubsub_settler_loop(const struct pubsub_settler *settler) {
  return pubsub_channel_loop(settler->channel);
}

static inline uint64_t pubsub_settler_now(const struct pubsub_settler *settler) {
  return pubsub_loop_now_us(pubsub_settler_loop(settler));
}

/* Requests of this kind that are in flight. */
static inline size_t *pubsub_settler_count(struct pubsub_settler *settler,
                                           enum pubsub_ack_kind kind) {
  return kind == PUBSUB_ACK_KIND_EXTEND ? &settler->extending_count : &settler->settling_count;
}

static inline struct pubsub_pass *pubsub_settler_pass(struct pubsub_held *held,
                                                      enum pubsub_ack_kind kind) {
  return kind == PUBSUB_ACK_KIND_EXTEND ? &held->extending : &held->settling;
}

/* settler.c */
void pubsub_settler_wake(struct pubsub_settler *settler); /* packs what is queued, soon */
void pubsub_settler_begin(struct pubsub_settler *settler, struct pubsub_held *held,
                          enum pubsub_ack_kind kind);
void pubsub_settler_stop_extending(struct pubsub_settler *settler, struct pubsub_held *held);
void pubsub_settler_schedule_retries(struct pubsub_settler *settler);

/* settle_request.c. NULL: no memory. */
struct pubsub_settle_request *pubsub_settle_request_new(struct pubsub_settler *settler,
                                                        enum pubsub_ack_kind kind,
                                                        uint32_t deadline_s);
void pubsub_settle_request_send(struct pubsub_settle_request *request);
/* Takes the request out of the settler; its memory may live on in the transport. */
void pubsub_settle_request_forget(struct pubsub_settle_request *request);

/* settle_outcome.c. Every id has its outcome: the listed one, else `unlisted`. The request is forgotten. */
void pubsub_settle_request_finish(struct pubsub_settle_request *request,
                                  const struct pubsub_ack_outcomes *outcomes,
                                  enum pubsub_ack_outcome unlisted);
void pubsub_settler_maybe_settled(struct pubsub_settler *settler, struct pubsub_held *held);

/* leasing.c */
void pubsub_settler_on_lease_timer(struct pubsub_timer *timer);
void pubsub_settler_look_at(struct pubsub_settler *settler, struct pubsub_held *held,
                            uint64_t due_us); /* a leased chunk is looked at when due */

#endif
