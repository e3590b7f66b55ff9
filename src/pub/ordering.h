/*
 * Which sealed request may be sent now. Messages of one ordering key must arrive in the order of
 * publishing, so a key has at most one request under way; requests without a key only wait for
 * their turn.
 *
 *                    the key has a request already
 *   add ──────────────────────────────────────────────▶ follower of that request
 *    │ no key, or the key's first                              │ its predecessor is done
 *    ▼                                                         │
 *   ready ◀────────────────────────────────────────────────────┘
 *    │ next (while places are free)
 *    ▼
 *   under way: sent, or backing off before it is sent again ── done ──▶ forgotten
 *
 * A request keeps its place while it backs off: its key's order holds because nothing of that key
 * overtakes it, and a service that refuses is not flooded with ever more first attempts. Requests
 * with and without a key have places of their own, so that a key in trouble stops no other traffic.
 *
 * Pure: no I/O, no clock. Owns its table, not the items. Loop thread only; used by sender.c.
 */
#ifndef PUBSUB_PUB_ORDERING_H
#define PUBSUB_PUB_ORDERING_H

#include "base/list.h"
#include "base/map.h"

/* Embedded in a request; `key` is set before add and borrowed until done. */
struct pubsub_ordering_item {
  struct pubsub_view key;        /* empty: no order is asked for */
  struct pubsub_list link;       /* in `ready` or in its head's `followers`; else detached */
  struct pubsub_list followers;  /* of a key's head: later requests of that key, oldest first */
  struct pubsub_map_entry entry; /* in `heads` while this is its key's head */
};

struct pubsub_ordering_places {
  struct pubsub_list ready; /* oldest first */
  size_t under_way, max_under_way;
};

struct pubsub_ordering {
  struct pubsub_map heads; /* key -> its oldest request, ready or under way */
  struct pubsub_ordering_places plain, keyed;
};

void pubsub_ordering_init(struct pubsub_ordering *ordering, size_t max_plain, size_t max_keyed);
void pubsub_ordering_clear(struct pubsub_ordering *ordering); /* frees the table */

/* Errors: NOMEM (the item was not added). */
enum pubsub_status pubsub_ordering_add(struct pubsub_ordering *ordering,
                                       struct pubsub_ordering_item *item);
/* The oldest ready item that has a place, now under way; NULL: none. */
struct pubsub_ordering_item *pubsub_ordering_next(struct pubsub_ordering *ordering);
/* An item under way is over: gives its place back and makes the next of its key ready. */
void pubsub_ordering_done(struct pubsub_ordering *ordering, struct pubsub_ordering_item *item);
/* Takes out every item that is not under way and hands each to `drop`, which may free it. */
void pubsub_ordering_drop(struct pubsub_ordering *ordering,
                          void (*drop)(void *user, struct pubsub_ordering_item *item), void *user);

#endif
