/*
 * The loop's half of a publisher: takes sealed requests from the desk, sends them as the ordering
 * allows, sends failed ones again, and gives every one its outcome.
 *
 *   desk ── sealed ─▶ ordering ─▶ sent ── ids ─▶ finished
 *                        ▲         │
 *                        │         ├── passes by itself ─▶ backoff ─▶ sent
 *                        │         └── stays, or too long ─▶ the publisher's error: what is not
 *                        └── the key's next                  under way is dropped, nothing is added
 *
 * Threads: `shared` under its mutex, by callers (publisher.c) and the loop; `loop` on the loop's
 * thread alone. Made and freed by publisher.c.
 */
#ifndef PUBSUB_PUB_SENDER_H
#define PUBSUB_PUB_SENDER_H

#include "base/monitor.h"
#include "base/rng.h"
#include "grpc/channel.h"
#include "pub/desk.h"

struct pubsub_sender {
  struct pubsub_channel *channel; /* borrowed */
  struct pubsub_loop *owner;      /* of the channel */
  char *topic, *routing_header;   /* owned */
  struct pubsub_retry_limits retry_limits;
  bool gzip;
  pubsub_publish_ids_fn *on_ids; /* NULL: ids are counted */
  void *on_ids_user;
  struct pubsub_task work; /* posted by wake */

  struct {
    struct pubsub_monitor monitor; /* woken by room, an outcome, the end */
    struct pubsub_desk desk;
    struct pubsub_error error; /* permanent, the first one; status OK: none */
    bool task_posted;
    struct pubsub_publisher_metrics metrics; /* in_flight_bytes: the desk's */
  } shared;

  struct {
    struct pubsub_ordering ordering;
    struct pubsub_list under_way; /* of requests' loop.link */
    struct pubsub_timer linger;   /* set while an open request lingers */
    struct pubsub_rng rng;
  } loop;
};

/* Any thread; options have their defaults. Clear it also where this fails. Errors: NOMEM. */
enum pubsub_status pubsub_sender_init(struct pubsub_sender *sender, struct pubsub_channel *channel,
                                      const struct pubsub_publisher_options *options);
/* Frees what it owns; nothing of it may be under way: after end, or before anything was
 * published. */
void pubsub_sender_clear(struct pubsub_sender *sender);

void pubsub_sender_lock(struct pubsub_sender *sender);
void pubsub_sender_unlock(struct pubsub_sender *sender);
/* Under the mutex: waits until something changed or due_us (monotonic) came. False: the latter. */
bool pubsub_sender_wait(struct pubsub_sender *sender, uint64_t due_us);
/* Under the mutex, after a change of the desk: lets the loop look at it where it has news. */
void pubsub_sender_wake(struct pubsub_sender *sender);

/* Any thread but the loop's, once, with no other call under way: cancels what is under way and
 * blocks until the loop has let go. */
void pubsub_sender_end(struct pubsub_sender *sender);

#endif
