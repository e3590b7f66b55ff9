/*
 * The inside of a publisher: callers encode into open requests (publisher.c, any thread), the loop sends sealed ones (sender.c).
 *
 *   publish ─▶ open request (per key, or the plain one) ── full, due, flush ─▶ sealed ─▶ ordering ─▶ sent ─▶ ids
 *                                                                              ▲                      │
 *                                                                              └── backoff ◀── failed ┘
 */
#ifndef PUBSUB_PUB_PUBLISHER_H
#define PUBSUB_PUB_PUBLISHER_H

#include "base/rng.h"
#include "pub/request.h"
#include <pthread.h>
#include <pubsub/publisher.h>

struct pubsub_publisher {
  struct pubsub_channel *channel;
  struct pubsub_loop *owner; /* of the channel */
  struct pubsub_publisher_options options;
  struct pubsub_batcher_limits batch_limits;
  struct pubsub_retry_limits retry_limits;
  char *topic, *routing_header; /* owned */
  struct pubsub_request_pool *pool;
  struct pubsub_task work; /* posted by callers: something was opened, sealed or is to be flushed */

  struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct pubsub_list open;      /* requests being filled, in the order of their opening */
    struct pubsub_request *plain; /* the one without a key; NULL: none */
    struct pubsub_map keyed;      /* the others by key */
    struct pubsub_list sealed;    /* for the loop */
    uint64_t next_number, unfinished_requests, in_flight_bytes;
    struct pubsub_error error; /* permanent; status OK: none */
    bool task_posted, loop_gone;
    struct pubsub_publisher_metrics metrics;
  } shared;

  struct { /* loop thread */
    struct pubsub_ordering ordering;
    struct pubsub_list under_way; /* of struct pubsub_request.under_way_link */
    struct pubsub_timer linger;
    struct pubsub_rng rng;
  } loop;
};

/* Any thread. The channel outlives the publisher. Errors: INVALID, NOMEM. */
enum pubsub_status pubsub_publisher_create(struct pubsub_channel *channel,
                                           const struct pubsub_publisher_options *options,
                                           struct pubsub_publisher **out,
                                           struct pubsub_error *error);

/* Under the mutex. */
void pubsub_publisher_seal(struct pubsub_publisher *publisher, struct pubsub_request *request);
/* sender.c, on the loop's thread */
void pubsub_sender_init(struct pubsub_publisher *publisher);
void pubsub_sender_work(struct pubsub_task *task);
void pubsub_sender_clear(struct pubsub_publisher *publisher);

#endif
