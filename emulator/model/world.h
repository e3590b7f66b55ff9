/*
 * What the whole model shares: its clock, its record, who is told that there is something to
 * deliver, and the numbers that must not repeat. Loop thread only.
 */
#ifndef EMULATOR_MODEL_WORLD_H
#define EMULATOR_MODEL_WORLD_H

#include "base/list.h"
#include "model/clock.h"
#include "model/record.h"

struct subscription;
struct message;
struct journal;

/* What the model asks of those who stand above it. */
struct world_callbacks {
  void *user;
  /* delivery_run is to be called soon. */
  void (*on_stirred)(void *user);
  /* A message was delivered too often. True: it is kept elsewhere and to be dropped here. */
  bool (*on_dead)(void *user, const struct subscription *subscription,
                  const struct message *message);
  /* A subscription is new, or has other settings. May be NULL. */
  void (*on_settings)(void *user, struct subscription *subscription);
};

struct world {
  struct clock clock;
  struct record record;
  struct journal *journal; /* journal.h; NULL: nothing survives a restart */
  struct world_callbacks callbacks;
  struct pubsub_list stirred; /* of struct subscription.stirred: those with something to deliver */
  uint64_t next_message_id;
  uint64_t next_serial; /* of subscriptions, deliveries, revisions, etags */
};

#endif
