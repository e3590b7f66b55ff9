#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct tally tally;

void complain(const char *format, ...) {
  char text[600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  fprintf(stderr, "  complaint: %s\n", text);
  atomic_fetch_add(&tally.complaints, 1);
}

uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* One who waits for the whole place gets it before new callers do. */
static void place_init(struct place *place) {
  pthread_rwlockattr_t attributes;
  pthread_rwlockattr_init(&attributes);
  pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
  pthread_rwlock_init(&place->lock, &attributes);
  pthread_rwlockattr_destroy(&attributes);
}

static void each_place(struct arena *arena, void (*visit)(struct place *place)) {
  for (size_t i = 0; i < PUBLISHERS; i++)
    visit(&arena->publishers[i]);
  for (size_t i = 0; i < SUBSCRIBERS; i++)
    visit(&arena->subscribers[i]);
}

bool arena_open(struct arena *arena, struct victim *victim) {
  struct pubsub_client_options options = {.endpoint = victim->endpoint,
                                          .plaintext = !victim->tls,
                                          .ca_file = victim->tls ? victim->certificate : NULL,
                                          .loop_threads = 2,
                                          .connect_timeout_ms = 2000,
                                          .keepalive_ms = 1000,
                                          .proxy = ""};
  struct pubsub_error error;
  memset(arena, 0, sizeof *arena);
  arena->victim = victim;
  each_place(arena, place_init);
  if (pubsub_client_new(&options, &arena->client, &error) == PUBSUB_OK) return true;
  complain("no client: %s", error.text);
  return false;
}

static void place_clear(struct place *place) {
  pthread_rwlock_destroy(&place->lock);
}

void arena_close(struct arena *arena, struct chance *chance) {
  struct pubsub_error error;
  for (size_t i = 0; i < SUBSCRIBERS; i++) {
    struct pubsub_subscriber *subscriber = arena->subscribers[i].subscriber;
    if (subscriber && one_in(chance, 2)) pubsub_subscriber_close(subscriber, 50, &error);
    pubsub_subscriber_destroy(subscriber);
  }
  for (size_t i = 0; i < PUBLISHERS; i++)
    pubsub_publisher_destroy(arena->publishers[i].publisher);
  if (arena->victim->tls && one_in(chance, 2))
    pubsub_client_set_token(arena->client, "last", 4, &error);
  pubsub_client_destroy(arena->client);
  each_place(arena, place_clear);
}
