/*
 * The desk of a publisher: where callers fill Publish requests, and where the sender fetches them.
 *
 *              no open request of the key takes it
 *   add ──────────────────────────────────────────────▶ open a request ── (into an open one) ──┐
 *                                                                                              ▼
 *   with the sender ◀─ take_sealed ── sealed ◀─ full, due, the next does not fit, seal_all ── open
 *        │
 *        └─▶ finish: it has its ids, or was given up
 *
 * There is at most one open request a key, and one without a key. A request is unfinished from its
 * opening until `finish`, and its messages are in flight from `add` until then; has_room looks at
 * both.
 *
 * Pure: no I/O, no clock, no lock: the publisher's callers and its sender use it under one mutex.
 */
#ifndef PUBSUB_PUB_DESK_H
#define PUBSUB_PUB_DESK_H

#include "pub/publish_request.h"
#include <pubsub/publisher.h>

struct pubsub_desk {
  struct pubsub_batcher_limits limits;
  uint64_t max_in_flight_bytes;
  struct pubsub_request_pool *pool; /* owned */
  struct pubsub_buf head;           /* owned: what every request begins with, the encoded topic */
  struct pubsub_list open;          /* requests being filled, in the order of their opening */
  struct pubsub_publish_request *plain; /* the open one without a key; NULL: none */
  struct pubsub_map keyed;              /* the other open ones, by key */
  struct pubsub_list sealed;            /* in the order of sealing */
  uint64_t next_number;                 /* of the next message, in the order of publishing */
  uint64_t unfinished_requests, in_flight_bytes;
  bool news; /* something was opened or sealed since take_sealed: the sender has to look */
};

/* Zeroes, and makes the topic's head. Clear it also where this fails. Errors: NOMEM. */
enum pubsub_status pubsub_desk_init(struct pubsub_desk *desk, struct pubsub_view topic,
                                    const struct pubsub_publisher_options *options);
/* Drops every request that it has, and frees what it owns. */
void pubsub_desk_clear(struct pubsub_desk *desk);

/* Encodes a message, which takes `bytes` in a request, into its request. Errors: NOMEM (the message
 * was not added; of its key, what comes later must not be added either). */
enum pubsub_status pubsub_desk_add(struct pubsub_desk *desk, const struct pubsub_message *message,
                                   size_t bytes, uint64_t now_us);
/* Whether more may be added: what is in flight, and about a kilobyte a request beside its messages,
 * which counts where each key has one of its own, is below the limit. */
bool pubsub_desk_has_room(const struct pubsub_desk *desk);

void pubsub_desk_seal_all(struct pubsub_desk *desk);
/* Seals what has lingered long enough; when the next one is due, UINT64_MAX: none is open. */
uint64_t pubsub_desk_seal_due(struct pubsub_desk *desk, uint64_t now_us);
/* Moves every sealed request to the end of `out`. */
void pubsub_desk_take_sealed(struct pubsub_desk *desk, struct pubsub_list *out);
/* A taken request is over, one way or the other; the caller's reference stays. */
void pubsub_desk_finish(struct pubsub_desk *desk, const struct pubsub_publish_request *request);

#endif
