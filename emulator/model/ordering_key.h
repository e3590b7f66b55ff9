/* An ordering key of a subscription: its messages in a line. What is done with it: ordering.h. */
#ifndef EMULATOR_MODEL_ORDERING_KEY_H
#define EMULATOR_MODEL_ORDERING_KEY_H

#include "base/map.h"
#include "model/message.h"

struct ordering_key {
  struct pubsub_map_entry entry; /* in subscription.keys; its key: `name` */
  struct pubsub_list link;       /* in subscription.free_keys, consumer.keys, or detached */
  struct pubsub_list line;       /* of struct message, in order */
  struct message *next;          /* the first that is not lent; NULL: none */
  struct consumer *owner;        /* who has the lent ones; NULL: it left, or nothing is lent */
  size_t lent;
  char name[];
};

#endif
