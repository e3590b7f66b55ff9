#include "parts.h"

#include <string.h>

#define WORK_MS 250
#define RECOVER_MS 20000

static void on_ids(void *user, const uint64_t *numbers, const struct pubsub_view *ids,
                   size_t count) {
  struct world *world = user;
  (void)numbers;
  for (size_t i = 0; i < count; i++) {
    if (ids[i].len == 0) complain(world, "an empty message id");
  }
  atomic_fetch_add(&world->ids, count);
}

static enum pubsub_status open_publisher(struct world *world, uint32_t total_timeout_ms,
                                         struct pubsub_publisher **out,
                                         struct pubsub_error *error) {
  struct pubsub_publisher_options options = {.topic = TOPIC,
                                             .max_batch_messages = 3,
                                             .linger_ms = 1,
                                             .initial_backoff_ms = 10,
                                             .max_backoff_ms = 50,
                                             .total_timeout_ms = total_timeout_ms,
                                             .gzip = true,
                                             .on_ids = on_ids,
                                             .on_ids_user = world};
  return pubsub_publisher_new(world->client, &options, out, error);
}

#define VIEW(text)                                                                                 \
  { (const uint8_t *)(text), sizeof(text) - 1 }

/* One message; the larger ones are compressed, every third has a key. */
static enum pubsub_status publish_one(struct pubsub_publisher *publisher, unsigned n,
                                      struct pubsub_error *error) {
  static const uint8_t data[2000];
  static const struct pubsub_attribute attributes[] = {{VIEW("key"), VIEW("value")},
                                                       {VIEW("other"), VIEW("")}};
  static const struct pubsub_view key = VIEW("ordered");
  struct pubsub_message message = {.data = {data, n % 2 ? sizeof data : 1},
                                   .attributes = attributes,
                                   .attribute_count = n % 3,
                                   .ordering_key = n % 3 == 0 ? key : (struct pubsub_view){0}};
  return pubsub_publisher_publish(publisher, &message, 1, error);
}

/* Two rows: "x", and "y" with a key and an attribute. */
static enum pubsub_status publish_rows(struct pubsub_publisher *publisher,
                                       struct pubsub_error *error) {
  static const uint8_t block[] = "\x0d\0\0\0\x01\0\0\0x\xff\xff\xff\xff\0\0\0\0"
                                 "\x18\0\0\0\x01\0\0\0y\x01\0\0\0k\x01\0\0\0\x01\0\0\0a\x01\0\0\0b";
  return pubsub_publisher_publish_block(publisher, block, sizeof block - 1, 2, 0, error);
}

/* Returns how many were queued; *out_known: whether the number is exact. */
static uint64_t publish_all(struct world *world, bool *out_known) {
  struct pubsub_error error;
  uint64_t queued = 0;
  *out_known = true;
  for (unsigned n = 0; n < MESSAGES - 2; n++) {
    if (worked(world, publish_one(world->publisher, n, &error), &error, "publish")) queued++;
  }
  if (worked(world, publish_rows(world->publisher, &error), &error, "publish_block")) {
    queued += 2;
  } else {
    *out_known = false; /* the first row may be queued */
  }
  return queued;
}

void work_write(struct world *world) {
  struct pubsub_error error;
  struct pubsub_publisher_metrics metrics;
  bool known, reached;
  uint64_t before = atomic_load(&world->ids);
  if (!world->client || !worked(world, open_publisher(world, 3000, &world->publisher, &error),
                                &error, "publisher_new"))
    return;
  uint64_t queued = publish_all(world, &known);
  worked(world,
         pubsub_publisher_wait(world->publisher, PUBSUB_WAIT_ROOM, WORK_MS, &reached, &error),
         &error, "wait for room");
  worked(world, pubsub_publisher_wait(world->publisher, PUBSUB_WAIT_IDS, 1, &reached, &error),
         &error, "wait for ids");
  if (worked(world, pubsub_publisher_flush(world->publisher, WORK_MS, &error), &error, "flush") &&
      known && atomic_load(&world->ids) - before != queued)
    complain(world, "flush is done with %llu of %llu ids",
             (unsigned long long)(atomic_load(&world->ids) - before), (unsigned long long)queued);
  pubsub_publisher_metrics(world->publisher, &metrics);
}

void recover_write(struct world *world) {
  struct pubsub_publisher *publisher = NULL;
  struct pubsub_error error;
  if (world->publisher)
    worked(world, pubsub_publisher_flush(world->publisher, RECOVER_MS, &error), &error, "flush");
  must_work(world, open_publisher(world, RECOVER_MS, &publisher, &error), &error,
            "a new publisher");
  if (!publisher) return;
  for (unsigned n = 0; n < 4; n++)
    must_work(world, publish_one(publisher, n, &error), &error, "publish again");
  must_work(world, pubsub_publisher_flush(publisher, RECOVER_MS, &error), &error, "flush again");
  pubsub_publisher_destroy(publisher);
}

void fill(struct world *world) {
  enum side side = side_enter(SIDE_NONE);
  struct pubsub_publisher_options options = {.topic = TOPIC};
  struct pubsub_publisher *publisher = NULL;
  struct pubsub_client *client = NULL;
  struct pubsub_error error;
  must_work(world, world_connect(world, &client, &error), &error, "connect to fill");
  if (client) {
    must_work(world, pubsub_publisher_new(client, &options, &publisher, &error), &error,
              "publisher to fill");
    for (unsigned n = 0; publisher && n < MESSAGES; n++)
      must_work(world, publish_one(publisher, n, &error), &error, "publish to fill");
    if (publisher)
      must_work(world, pubsub_publisher_flush(publisher, RECOVER_MS, &error), &error, "fill");
    pubsub_publisher_destroy(publisher);
    pubsub_client_destroy(client);
  }
  side_enter(side);
}
