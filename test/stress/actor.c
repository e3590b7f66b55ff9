/* A thread's life: random calls until the round is over. */
#include "call.h"

#define SLACK_MS 15000 /* a machine that is busy with other things, under a sanitizer */

struct timing timing_begin(const char *what, uint64_t limit_ms) {
  return (struct timing){what, now_ms(), limit_ms + SLACK_MS};
}

bool timing_ended(struct timing timing, enum pubsub_status status,
                  const struct pubsub_error *error) {
  uint64_t took_ms = now_ms() - timing.begin_ms;
  atomic_fetch_add(&tally.calls, 1);
  if (took_ms > timing.limit_ms)
    complain("%s took %llu ms", timing.what, (unsigned long long)took_ms);
  if (took_ms > atomic_load(&tally.longest_ms)) atomic_store(&tally.longest_ms, took_ms);
  if (status == PUBSUB_OK) return true;
  atomic_fetch_add(&tally.errors[status & 15], 1);
  if (error->status != status || !error->text[0])
    complain("%s: %s, but its error is %s '%s'", timing.what, pubsub_status_name(status),
             pubsub_status_name(error->status), error->text);
  return false;
}

void actor_run(struct actor *actor) {
  while (!atomic_load(&actor->arena->over)) {
    switch (chance_below(&actor->chance, 24)) {
    case 0:
    case 1:
      use_admin(actor);
      break;
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
      use_publisher(actor);
      break;
    default:
      use_subscriber(actor);
    }
  }
}

void actor_let_go(struct actor *actor) {
  for (size_t i = 0; i < 4; i++) {
    pubsub_chunk_unref(actor->kept[i]);
    actor->kept[i] = NULL;
  }
}
