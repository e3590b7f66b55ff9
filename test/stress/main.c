/*
 * stress: threads call the library at random, on the same objects, while the emulator is killed,
 * frozen, cut off and told to misbehave, and everything is destroyed at any moment. In rounds: each
 * has a client of its own, over TLS every other time. After a round no block of memory may be left;
 * at the end, with a healthy emulator, what is published must arrive.
 */
#include "arena.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ACTORS 8
#define FINAL_MESSAGES 200
#define FINAL_MS 60000
#define STUCK_S 120 /* a round lasts two seconds */

static const char usage[] = "usage: stress [--seconds N] [--seed N]\n";

static char folder[] = "/tmp/stress-XXXXXX";

static bool make_certificate(struct victim *victim) {
  char command[400];
  if (!mkdtemp(folder)) return false;
  snprintf(victim->certificate, sizeof victim->certificate, "%s/cert.pem", folder);
  snprintf(victim->key, sizeof victim->key, "%s/key.pem", folder);
  snprintf(command, sizeof command,
           "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
           "-subj /CN=stress -addext subjectAltName=IP:127.0.0.1 -out %s -keyout %s 2>/dev/null",
           victim->certificate, victim->key);
  victim->tls = true;
  return system(command) == 0;
}

static void tidy(const struct victim *victim) {
  unlink(victim->certificate);
  unlink(victim->key);
  rmdir(folder);
}

/* ---- rounds ---- */

static void *act(void *user) {
  actor_run(user);
  return NULL;
}

struct saboteur {
  struct arena *arena;
  struct chance chance;
};

static void *sabotage(void *user) {
  struct saboteur *saboteur = user;
  while (!atomic_load(&saboteur->arena->over)) {
    if (!victim_sabotage(saboteur->arena->victim, &saboteur->chance))
      complain("the emulator ended by itself");
    nanosleep(&(struct timespec){.tv_nsec = chance_below(&saboteur->chance, 150) * 1000000}, NULL);
  }
  return NULL;
}

static void live(struct arena *arena, struct actor *actors, struct chance *chance) {
  struct saboteur saboteur = {arena, {chance_next(chance)}};
  pthread_t threads[ACTORS], saboteur_thread;
  for (int i = 0; i < ACTORS; i++) {
    actors[i] = (struct actor){.arena = arena, .chance = {chance_next(chance)}};
    pthread_create(&threads[i], NULL, act, &actors[i]);
  }
  pthread_create(&saboteur_thread, NULL, sabotage, &saboteur);
  uint32_t ms = 200 + chance_below(chance, 1800);
  nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
  atomic_store(&arena->over, true);
  for (int i = 0; i < ACTORS; i++)
    pthread_join(threads[i], NULL);
  pthread_join(saboteur_thread, NULL);
}

static void play(struct victim *victim, struct chance *chance) {
  struct arena arena;
  struct actor actors[ACTORS];
  alarm(STUCK_S);
  if (!arena_open(&arena, victim)) return;
  live(&arena, actors, chance);
  for (int i = 0; i < ACTORS; i += 2)
    actor_let_go(&actors[i]);
  arena_close(&arena, chance);
  for (int i = 0; i < ACTORS; i++)
    actor_let_go(&actors[i]);
  if (pubsub_live_allocations() != 0)
    complain("%llu blocks are left", (unsigned long long)pubsub_live_allocations());
}

/* ---- the end ---- */

#define LAST_TOPIC "projects/p/topics/last"
#define LAST_SUBSCRIPTION "projects/p/subscriptions/last"

static bool furnish(struct pubsub_client *client) {
  struct pubsub_subscription_info info = {.topic = LAST_TOPIC};
  return pubsub_client_create_topic(client, LAST_TOPIC, FINAL_MS, NULL) == PUBSUB_OK &&
         pubsub_client_create_subscription(client, LAST_SUBSCRIPTION, &info, FINAL_MS, NULL) ==
             PUBSUB_OK;
}

static bool publish_last(struct pubsub_client *client) {
  struct pubsub_publisher_options options = {.topic = LAST_TOPIC};
  struct pubsub_message message = {.data = {(const uint8_t *)"x", 1}};
  struct pubsub_publisher *publisher;
  if (pubsub_publisher_new(client, &options, &publisher, NULL) != PUBSUB_OK) return false;
  for (int i = 0; i < FINAL_MESSAGES; i++)
    pubsub_publisher_publish(publisher, &message, 1, NULL);
  bool done = pubsub_publisher_flush(publisher, FINAL_MS, NULL) == PUBSUB_OK;
  pubsub_publisher_destroy(publisher);
  return done;
}

static bool read_last(struct pubsub_client *client) {
  struct pubsub_subscriber_options options = {.subscription = LAST_SUBSCRIPTION};
  struct pubsub_subscriber_metrics metrics = {0};
  struct pubsub_subscriber *subscriber;
  uint64_t generation = 0, deadline = now_ms() + FINAL_MS;
  if (pubsub_subscriber_new(client, &options, &subscriber, NULL) != PUBSUB_OK) return false;
  pubsub_subscriber_open_slot(subscriber, 0, 1, 0, NULL);
  while (metrics.acknowledged_rows < FINAL_MESSAGES && now_ms() < deadline) {
    pubsub_subscriber_wait(subscriber, &generation, 50);
    pubsub_subscriber_settle(subscriber, 0, 1, UINT64_MAX, PUBSUB_ACK);
    pubsub_subscriber_metrics(subscriber, &metrics);
  }
  pubsub_subscriber_destroy(subscriber);
  return metrics.acknowledged_rows == FINAL_MESSAGES;
}

static void check_health(struct victim *victim) {
  struct arena arena;
  struct chance chance = {0};
  alarm(STUCK_S);
  victim_heal(victim);
  if (!arena_open(&arena, victim)) return;
  if (!furnish(arena.client) || !publish_last(arena.client) || !read_last(arena.client))
    complain("a healthy emulator does not serve a new client");
  arena_close(&arena, &chance);
}

static int report(uint64_t seed, unsigned rounds, uint64_t took_ms) {
  unsigned long long calls = atomic_load(&tally.calls), errors = 0;
  for (int status = 1; status < 16; status++) {
    unsigned long long count = atomic_load(&tally.errors[status]);
    errors += count;
    if (count) printf("  %-8s %8llu\n", pubsub_status_name((enum pubsub_status)status), count);
  }
  printf(
      "{\"stress\": {\"seed\": %llu, \"rounds\": %u, \"calls\": %llu, \"errors\": %llu, "
      "\"published\": %llu, \"rows_read\": %llu, \"longest_call_ms\": %llu, \"complaints\": %llu, "
      "\"seconds\": %llu}}\n",
      (unsigned long long)seed, rounds, calls, errors,
      (unsigned long long)atomic_load(&tally.published),
      (unsigned long long)atomic_load(&tally.received),
      (unsigned long long)atomic_load(&tally.longest_ms),
      (unsigned long long)atomic_load(&tally.complaints), (unsigned long long)took_ms / 1000);
  return atomic_load(&tally.complaints) ? 1 : 0;
}

static struct victim victims[2];

/* A round that does not end. Its emulators do not outlive it. */
static void on_alarm(int sign) {
  static const char text[] = "stress: a round hangs\n";
  (void)sign;
  for (int i = 0; i < 2; i++) {
    if (victims[i].pid > 0) kill(victims[i].pid, SIGKILL);
  }
  if (write(2, text, sizeof text - 1) > 0) abort();
  _exit(1);
}

static int stress(uint64_t seed, uint64_t seconds) {
  struct chance chance = {seed};
  unsigned rounds = 0;
  uint64_t start = now_ms();
  if (!make_certificate(&victims[1]) || !victim_start(&victims[0]) || !victim_start(&victims[1])) {
    fprintf(stderr, "stress: no emulator could be started\n");
    return 1;
  }
  for (; now_ms() - start < seconds * 1000; rounds++)
    play(&victims[rounds % 2], &chance);
  for (int i = 0; i < 2; i++) {
    check_health(&victims[i]);
    if (!victim_stop(&victims[i])) complain("the emulator did not end cleanly");
  }
  tidy(&victims[1]);
  return report(seed, rounds, now_ms() - start);
}

int main(int argc, char **argv) {
  static const struct option names[] = {
      {"seconds", required_argument, NULL, 's'}, {"seed", required_argument, NULL, 'S'}, {0}};
  uint64_t seed = 1, seconds = 10;
  int option;
  while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
    if (option == 's') seconds = strtoull(optarg, NULL, 10);
    if (option == 'S') seed = strtoull(optarg, NULL, 10);
    if (option == '?') optind = argc + 1;
  }
  if (optind != argc) {
    fputs(usage, stderr);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGALRM, on_alarm);
  return stress(seed, seconds);
}
