/*
 * What the threads share in one round: a client, its publishers and its subscribers, each under a
 * lock that is shared for calls and exclusive for making and destroying. That is all the order the
 * headers ask for; the rest is left to chance.
 */
#ifndef STRESS_ARENA_H
#define STRESS_ARENA_H

#include "chance.h"
#include "victim.h"

#include <pthread.h>
#include <pubsub/admin.h>
#include <pubsub/publisher.h>
#include <pubsub/subscriber.h>
#include <stdatomic.h>

#define PUBLISHERS 2
#define SUBSCRIBERS 2
#define SLOTS 4

struct place {
  pthread_rwlock_t lock;
  union {
    struct pubsub_publisher *publisher;
    struct pubsub_subscriber *subscriber;
  };                          /* NULL: none now */
  atomic_uint_fast64_t epoch; /* subscribers: the newest that was opened */
};

struct arena {
  struct victim *victim;
  struct pubsub_client *client;
  struct place publishers[PUBLISHERS], subscribers[SUBSCRIBERS];
  atomic_bool over;
};

/* Over all rounds. */
struct tally {
  atomic_uint_fast64_t calls, errors[16], published, received, complaints, longest_ms;
};
extern struct tally tally;

void complain(const char *format, ...) PUBSUB_PRINTF(1, 2);
uint64_t now_ms(void);

/* A client with nothing else. False: complained of. */
bool arena_open(struct arena *arena, struct victim *victim);
/* Destroys what is left, in their order; every block must be free afterwards. */
void arena_close(struct arena *arena, struct chance *chance);

/* One thread's life in an arena until it is over: random calls. The chunks it keeps are let go at
 * the end, some of them after everything else is gone. */
struct actor {
  struct arena *arena;
  struct chance chance;
  struct pubsub_chunk *kept[4];
};
void actor_run(struct actor *actor);
void actor_let_go(struct actor *actor);

#endif
