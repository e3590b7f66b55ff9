/*
 * Somebody messages are lent to: a StreamingPull, a Pull, a push endpoint (pusher.c).
 * Embedded in its state. The model reaches it through its callbacks alone.
 */
#ifndef EMULATOR_MODEL_CONSUMER_H
#define EMULATOR_MODEL_CONSUMER_H

#include "base/list.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct consumer;
struct consumer_ops {
  /* Whether serve would lend anything. */
  bool (*has_room)(const struct consumer *consumer);
  /* Lends (backlog_lend) what it can take now, `most` messages at most. False: nothing. */
  bool (*serve)(struct consumer *consumer, size_t most);
  /* Ends with a gRPC code and the reason, and leaves its list. */
  void (*end)(struct consumer *consumer, int grpc_code, const char *why);
};

struct consumer {
  const struct consumer_ops *ops;
  struct pubsub_list link; /* in subscription.streams or subscription.pulls */
  struct subscription *subscription;
  struct pubsub_list keys; /* ordering keys bound to it that have something ready */
  uint64_t outstanding_messages, outstanding_bytes;
};

static inline void consumer_init(struct consumer *consumer, const struct consumer_ops *ops,
                                 struct subscription *subscription) {
  *consumer = (struct consumer){.ops = ops, .subscription = subscription};
  pubsub_list_init(&consumer->link);
  pubsub_list_init(&consumer->keys);
}

#endif
