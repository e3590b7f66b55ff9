/*
 * What an actor's calls share: each must come back in time, and say why where it fails.
 */
#ifndef STRESS_CALL_H
#define STRESS_CALL_H

#include "arena.h"

#define ADMIN_MS 200
#define WAIT_MS 30

struct timing {
  const char *what;
  uint64_t begin_ms, limit_ms;
};

/* limit_ms: its own timeout; a busy machine gets more. */
struct timing timing_begin(const char *what, uint64_t limit_ms);
/* Counts and judges. True: it worked. */
bool timing_ended(struct timing timing, enum pubsub_status status,
                  const struct pubsub_error *error);

/* One random call, or the making and destroying of what it is for. */
void use_admin(struct actor *actor);      /* actor_admin.c */
void use_publisher(struct actor *actor);  /* actor_publish.c */
void use_subscriber(struct actor *actor); /* actor_read.c */

#endif
