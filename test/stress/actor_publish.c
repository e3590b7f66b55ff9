#include "call.h"

#define MAX_PAYLOAD 20000

static void on_ids(void *user, const uint64_t *numbers, const struct pubsub_view *ids,
                   size_t count) {
  (void)user;
  (void)numbers;
  for (size_t i = 0; i < count; i++) {
    if (ids[i].len == 0) complain("an empty message id");
  }
  atomic_fetch_add(&tally.published, count);
}

static void make_publisher(struct actor *actor, struct place *place) {
  struct chance *chance = &actor->chance;
  struct pubsub_publisher_options options = {
      .topic = one_in(chance, 20) ? "projects/p/topics/missing" : TOPIC,
      .max_batch_messages = 1 + chance_below(chance, 50),
      .linger_ms = 1 + chance_below(chance, 20),
      .max_requests_in_flight = 1 + chance_below(chance, 8),
      .max_in_flight_bytes = one_in(chance, 2) ? 0 : 50000,
      .initial_backoff_ms = 5,
      .max_backoff_ms = 50,
      .total_timeout_ms = one_in(chance, 3) ? 100 : 1000,
      .gzip = one_in(chance, 2),
      .on_ids = one_in(chance, 4) ? NULL : on_ids};
  struct pubsub_error error;
  struct timing timing = timing_begin("publisher_new", 0);
  timing_ended(timing,
               pubsub_publisher_new(actor->arena->client, &options, &place->publisher, &error),
               &error);
}

static void publish(struct actor *actor, struct pubsub_publisher *publisher) {
  static const uint8_t payload[MAX_PAYLOAD];
  struct pubsub_attribute attributes[] = {{{(const uint8_t *)"k", 1}, {(const uint8_t *)"v", 1}}};
  struct pubsub_message messages[8];
  struct pubsub_error error;
  size_t count = 1 + chance_below(&actor->chance, 8);
  for (size_t i = 0; i < count; i++) {
    uint8_t key = "abc"[chance_below(&actor->chance, 3)];
    static const uint8_t keys[] = "abc";
    messages[i] = (struct pubsub_message){
        .data = {payload,
                 chance_below(&actor->chance, one_in(&actor->chance, 10) ? MAX_PAYLOAD : 100)},
        .attributes = attributes,
        .attribute_count = chance_below(&actor->chance, 2)};
    if (one_in(&actor->chance, 3))
      messages[i].ordering_key = (struct pubsub_view){&keys[key - 'a'], 1};
  }
  struct timing timing = timing_begin("publish", 1000);
  timing_ended(timing, pubsub_publisher_publish(publisher, messages, count, &error), &error);
}

/* A row "x", or bytes at random. */
static void publish_block(struct actor *actor, struct pubsub_publisher *publisher) {
  uint8_t block[] = "\x0d\0\0\0\x01\0\0\0x\xff\xff\xff\xff\0\0\0\0";
  struct pubsub_error error;
  if (one_in(&actor->chance, 3))
    block[chance_below(&actor->chance, sizeof block - 1)] = (uint8_t)chance_next(&actor->chance);
  struct timing timing = timing_begin("publish_block", 1000);
  timing_ended(timing,
               pubsub_publisher_publish_block(publisher, block, sizeof block - 1, 1, 0, &error),
               &error);
}

static void call_publisher(struct actor *actor, struct pubsub_publisher *publisher) {
  struct pubsub_publisher_metrics metrics;
  struct pubsub_error error;
  bool reached;
  uint32_t wait_ms = chance_below(&actor->chance, WAIT_MS);
  struct timing timing = timing_begin("flush or wait", wait_ms);
  switch (chance_below(&actor->chance, 8)) {
  case 0:
    timing_ended(timing, pubsub_publisher_flush(publisher, wait_ms, &error), &error);
    break;
  case 1:
    timing_ended(timing,
                 pubsub_publisher_wait(
                     publisher, one_in(&actor->chance, 2) ? PUBSUB_WAIT_ROOM : PUBSUB_WAIT_IDS,
                     wait_ms, &reached, &error),
                 &error);
    break;
  case 2:
    pubsub_publisher_metrics(publisher, &metrics);
    break;
  case 3:
    publish_block(actor, publisher);
    break;
  default:
    publish(actor, publisher);
  }
}

void use_publisher(struct actor *actor) {
  struct place *place = &actor->arena->publishers[chance_below(&actor->chance, PUBLISHERS)];
  if (one_in(&actor->chance, 40)) {
    pthread_rwlock_wrlock(&place->lock);
    struct timing timing = timing_begin("publisher_destroy", 0);
    pubsub_publisher_destroy(place->publisher);
    timing_ended(timing, PUBSUB_OK, NULL);
    place->publisher = NULL;
    make_publisher(actor, place);
  } else {
    pthread_rwlock_rdlock(&place->lock);
    if (place->publisher) call_publisher(actor, place->publisher);
  }
  pthread_rwlock_unlock(&place->lock);
}
