/*
 * The third consumer: messages of subscriptions with a push endpoint, as HTTP requests, a
 * connection each. 102, 200, 201, 202 and 204 acknowledge; anything else, a connection that fails
 * or an answer that does not come within the ack deadline is a nack. Loop thread only.
 *
 *   lent ─▶ WAITING (its ordering key has one under way) ─▶ UNDER WAY ── answered ─▶ settled
 *      └────────────── no such key ─────────────────────────▲
 *
 * Endpoints of other hosts are left alone unless that is asked for: messages wait as for a pull.
 */
#ifndef EMULATOR_PUSH_PUSHER_H
#define EMULATOR_PUSH_PUSHER_H

#include "model/subscription.h"
#include "net/loop.h"
#include "push/identity.h"

struct pushers {
  struct pubsub_loop *loop;
  struct pubsub_list all; /* of struct pusher */
  struct identity identity;
  bool anywhere; /* other hosts too */
  /* What is to be said of an endpoint that is left alone. */
  void (*on_warning)(void *user, const char *text);
  void *user;
};

void pushers_init(struct pushers *pushers, struct pubsub_loop *loop, bool anywhere,
                  void (*on_warning)(void *user, const char *text), void *user);
/* Its settings are new, or changed: pushes, or no longer. */
void pushers_look(struct pushers *pushers, struct subscription *subscription);
/* The pushers must have been ended (delivery_end_all). */
void pushers_clear(struct pushers *pushers);

#endif
