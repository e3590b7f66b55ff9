/* The emulator's model on a clock of the test's own: no loop, no network. What one test does not
 * use is quiet. */
#ifndef TEST_UNIT_EMULATOR_WORLD_H
#define TEST_UNIT_EMULATOR_WORLD_H

#include "support.h"

#include "model/backlog.h"
#include "model/broker.h"
#include "model/contents.h"
#include "model/deadletter.h"
#include "model/delivery.h"
#include <stdlib.h>

#define TOPIC "projects/p/topics/topic1"
#define OTHER_TOPIC "projects/p/topics/topic2"
#define SUBSCRIPTION "projects/p/subscriptions/sub1"
#define SECOND UINT64_C(1000000)
#define UNUSED __attribute__((unused))

struct test_world {
  struct broker broker;
  uint64_t now_us;
  uint64_t woken_us; /* when the clock wants to be run */
  int stirred;
  struct topic *topic;
  struct subscription *subscription;
};

/* A consumer that keeps what it gets. */
struct test_consumer {
  struct consumer consumer;
  struct message *got[64];
  size_t count, room;
  int ended;
  uint64_t lease_us;
};

static uint64_t test_now(void *user) {
  return ((struct test_world *)user)->now_us;
}

static int64_t test_wall(void *user) {
  return (int64_t)((struct test_world *)user)->now_us + INT64_C(1700000000000000);
}

static void test_wake(void *user, uint64_t due_us) {
  ((struct test_world *)user)->woken_us = due_us;
}

static const struct clock_source test_source = {test_now, test_wall, test_wake};

static void test_stirred(void *user) {
  ((struct test_world *)user)->stirred++;
}

static bool test_dead(void *user, const struct subscription *subscription,
                      const struct message *message) {
  return deadletter_publish(&((struct test_world *)user)->broker, subscription, message);
}

static UNUSED struct topic *add_topic(struct test_world *world, const char *name) {
  Google__Pubsub__V1__Topic *config = calloc(1, sizeof *config);
  google__pubsub__v1__topic__init(config);
  config->name = strdup(name);
  struct topic *topic = broker_add_topic(&world->broker, config);
  assert_non_null(topic);
  return topic;
}

static UNUSED struct subscription *add_subscription(struct test_world *world, const char *name) {
  Google__Pubsub__V1__Subscription *config = calloc(1, sizeof *config);
  google__pubsub__v1__subscription__init(config);
  config->name = strdup(name);
  config->topic = strdup(TOPIC);
  config->ack_deadline_seconds = 10;
  struct subscription *subscription =
      broker_add_subscription(&world->broker, world->topic, config, NULL);
  assert_non_null(subscription);
  return subscription;
}

static UNUSED void world_set_up(struct test_world *world) {
  struct world_callbacks callbacks = {world, test_stirred, test_dead, NULL};
  *world = (struct test_world){.now_us = 1000 * SECOND, .woken_us = UINT64_MAX};
  broker_init(&world->broker, &test_source, world, &callbacks);
  world->broker.world.record.on = true;
  world->topic = add_topic(world, TOPIC);
  world->subscription = add_subscription(world, SUBSCRIPTION);
}

static UNUSED void world_tear_down(struct test_world *world) {
  broker_clear(&world->broker);
}

static UNUSED void world_pass(struct test_world *world, uint64_t us) {
  world->now_us += us;
  clock_run(&world->broker.world.clock);
}

/* A message with data `text` and, unless NULL, an ordering key. */
static UNUSED void publish(struct test_world *world, const char *text, const char *key) {
  struct pubsub_buf bytes = {0};
  uint8_t head[2] = {1 << 3 | 2, (uint8_t)strlen(text)};
  pubsub_buf_append(&bytes, head, 2);
  pubsub_buf_append(&bytes, text, strlen(text));
  if (key) {
    uint8_t key_head[2] = {5 << 3 | 2, (uint8_t)strlen(key)};
    pubsub_buf_append(&bytes, key_head, 2);
    pubsub_buf_append(&bytes, key, strlen(key));
  }
  uint32_t len = (uint32_t)bytes.len;
  struct block *block = block_new(&bytes);
  struct world *all = &world->broker.world;
  assert_int_equal(broker_publish(&world->broker, world->topic, block, 0, len,
                                  all->next_message_id++, clock_wall_us(&all->clock)),
                   PUBSUB_OK);
  block_unref(block);
}

/* The first letter of a message's data. */
static UNUSED char letter_of(const struct message *message) {
  return (char)message_view(message).ptr[2];
}

static struct test_consumer *test_consumer_of(const struct consumer *consumer) {
  return PUBSUB_CONTAINER_OF(consumer, struct test_consumer, consumer);
}

static bool test_has_room(const struct consumer *consumer) {
  return test_consumer_of(consumer)->room > 0;
}

static bool test_serve(struct consumer *consumer, size_t most) {
  struct test_consumer *self = test_consumer_of(consumer);
  struct subscription *subscription = consumer->subscription;
  size_t before = self->count;
  while (self->room > 0 && most-- > 0) {
    uint64_t due = clock_now_us(&subscription->world->clock) + self->lease_us;
    struct message *message = backlog_lend(subscription, consumer, due);
    if (!message) break;
    self->got[self->count++] = message;
    self->room--;
  }
  return self->count > before;
}

static void test_end(struct consumer *consumer, int grpc_code, const char *why) {
  (void)why;
  pubsub_list_remove(&consumer->link);
  test_consumer_of(consumer)->ended = grpc_code;
}

static const struct consumer_ops test_consumer_ops = {test_has_room, test_serve, test_end};

static UNUSED void consume(struct test_consumer *self, struct subscription *subscription,
                           size_t room) {
  *self = (struct test_consumer){.room = room, .lease_us = 10 * SECOND};
  consumer_init(&self->consumer, &test_consumer_ops, subscription);
}

/* The letters of what a consumer is lent now. */
static UNUSED const char *take_all(struct test_consumer *self) {
  static char text[65];
  size_t from = self->count, len = 0;
  self->room = 64 - self->count;
  test_serve(&self->consumer, SIZE_MAX);
  for (size_t i = from; i < self->count; i++)
    text[len++] = letter_of(self->got[i]);
  text[len] = '\0';
  return text;
}

#endif
