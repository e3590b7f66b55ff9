/* A thread's random calls. Each must come back in time, and say why where it fails. */
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLACK_MS 15000 /* a machine that is busy with other things, under a sanitizer */
#define ADMIN_MS 200
#define WAIT_MS 30
#define MAX_PAYLOAD 20000

struct timing {
  const char *what;
  uint64_t begin_ms, limit_ms;
};

static struct timing begin(const char *what, uint64_t limit_ms) {
  return (struct timing){what, now_ms(), limit_ms + SLACK_MS};
}

static bool ended(struct timing timing, enum pubsub_status status,
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

/* ---- administration ---- */

static void administer(struct actor *actor) {
  static const char *const topics[] = {"projects/p/topics/first", "projects/p/topics/second",
                                       TOPIC};
  struct pubsub_client *client = actor->arena->client;
  struct pubsub_subscription_info info = {.topic = TOPIC};
  struct pubsub_error error;
  const char *topic = topics[chance_below(&actor->chance, 3)];
  struct timing timing = begin("administration", ADMIN_MS);
  enum pubsub_status status;
  bool granted;
  switch (chance_below(&actor->chance, 7)) {
  case 0:
    status = pubsub_client_create_topic(client, topic, ADMIN_MS, &error);
    break;
  case 1:
    status = pubsub_client_get_topic(client, topic, ADMIN_MS, &error);
    break;
  case 2:
    topic = topics[chance_below(&actor->chance, 2)];
    status = pubsub_client_delete_topic(client, topic, ADMIN_MS, &error);
    break;
  case 3:
    status =
        pubsub_client_create_subscription(client, EXACTLY_ONCE "-not", &info, ADMIN_MS, &error);
    break;
  case 4:
    status = pubsub_client_get_subscription(client, SUBSCRIPTION, &info, ADMIN_MS, &error);
    break;
  case 5:
    status = pubsub_client_test_permission(client, TOPIC, "pubsub.topics.publish", &granted,
                                           ADMIN_MS, &error);
    break;
  default:
    status = pubsub_client_delete_subscription(client, EXACTLY_ONCE "-not", ADMIN_MS, &error);
  }
  ended(timing, status, &error);
}

static void set_token(struct actor *actor) {
  char token[300];
  struct pubsub_error error;
  size_t len = chance_below(&actor->chance, sizeof token);
  memset(token, 'a' + (int)chance_below(&actor->chance, 26), len);
  struct timing timing = begin("set_token", 0);
  ended(timing, pubsub_client_set_token(actor->arena->client, token, len, &error), &error);
  pubsub_client_unauthenticated_count(actor->arena->client);
}

/* ---- publishers ---- */

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
  struct timing timing = begin("publisher_new", 0);
  ended(timing, pubsub_publisher_new(actor->arena->client, &options, &place->publisher, &error),
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
  struct timing timing = begin("publish", 1000);
  ended(timing, pubsub_publisher_publish(publisher, messages, count, &error), &error);
}

/* A row "x", or bytes at random. */
static void publish_block(struct actor *actor, struct pubsub_publisher *publisher) {
  uint8_t block[] = "\x0d\0\0\0\x01\0\0\0x\xff\xff\xff\xff\0\0\0\0";
  struct pubsub_error error;
  if (one_in(&actor->chance, 3))
    block[chance_below(&actor->chance, sizeof block - 1)] = (uint8_t)chance_next(&actor->chance);
  struct timing timing = begin("publish_block", 1000);
  ended(timing, pubsub_publisher_publish_block(publisher, block, sizeof block - 1, 1, 0, &error),
        &error);
}

static void call_publisher(struct actor *actor, struct pubsub_publisher *publisher) {
  struct pubsub_publisher_metrics metrics;
  struct pubsub_error error;
  bool reached;
  uint32_t wait_ms = chance_below(&actor->chance, WAIT_MS);
  struct timing timing = begin("flush or wait", wait_ms);
  switch (chance_below(&actor->chance, 8)) {
  case 0:
    ended(timing, pubsub_publisher_flush(publisher, wait_ms, &error), &error);
    break;
  case 1:
    ended(timing,
          pubsub_publisher_wait(publisher,
                                one_in(&actor->chance, 2) ? PUBSUB_WAIT_ROOM : PUBSUB_WAIT_IDS,
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

static void use_publisher(struct actor *actor) {
  struct place *place = &actor->arena->publishers[chance_below(&actor->chance, PUBLISHERS)];
  if (one_in(&actor->chance, 40)) {
    pthread_rwlock_wrlock(&place->lock);
    struct timing timing = begin("publisher_destroy", 0);
    pubsub_publisher_destroy(place->publisher);
    ended(timing, PUBSUB_OK, NULL);
    place->publisher = NULL;
    make_publisher(actor, place);
  } else {
    pthread_rwlock_rdlock(&place->lock);
    if (place->publisher) call_publisher(actor, place->publisher);
  }
  pthread_rwlock_unlock(&place->lock);
}

/* ---- subscribers ---- */

static void make_subscriber(struct actor *actor, struct place *place) {
  struct chance *chance = &actor->chance;
  struct pubsub_subscriber_options options = {
      .subscription = one_in(chance, 2) ? SUBSCRIPTION : EXACTLY_ONCE,
      .columns = chance_below(chance, PUBSUB_COLUMN_ALL + 1),
      .chunk_rows = 1 + chance_below(chance, 30),
      .linger_ms = 1 + chance_below(chance, 10),
      .max_reservoir_bytes = one_in(chance, 2) ? 0 : 1 << 20,
      .ack_deadline_s = 10,
      .max_ack_extension_s = one_in(chance, 3) ? 1 : 0,
      .max_outstanding_messages = one_in(chance, 2) ? 0 : 20};
  struct pubsub_error error;
  struct timing timing = begin("subscriber_new", 0);
  ended(timing, pubsub_subscriber_new(actor->arena->client, &options, &place->subscriber, &error),
        &error);
}

static void keep(struct actor *actor, struct pubsub_chunk *chunk) {
  struct pubsub_chunk **kept = &actor->kept[chance_below(&actor->chance, 4)];
  pubsub_chunk_unref(*kept);
  *kept = chunk;
}

static void look_at(struct actor *actor, struct pubsub_chunk *chunk) {
  struct pubsub_chunk_view view;
  struct pubsub_error error;
  struct ArrowSchema schema;
  struct ArrowArray array;
  pubsub_chunk_view(chunk, &view);
  if (view.rows <= 0) complain("a chunk without rows");
  atomic_fetch_add(&tally.received, (uint64_t)view.rows);
  if (!one_in(&actor->chance, 4)) return;
  if (pubsub_chunk_export(chunk, &schema, &array, &error) == PUBSUB_OK) {
    schema.release(&schema);
    array.release(&array);
  }
  struct pubsub_chunk *copy = NULL;
  size_t len = pubsub_chunk_packed_bytes(chunk);
  uint8_t *packed = malloc(len);
  pubsub_chunk_pack(chunk, packed);
  if (pubsub_chunk_unpack(packed, len, &copy, &error) != PUBSUB_OK)
    complain("what was packed cannot be unpacked: %s", error.text);
  free(packed);
  keep(actor, copy);
}

/* A chunk that is there, as a rule. */
static void read_slot(struct actor *actor, struct pubsub_subscriber *subscriber,
                      const struct pubsub_slot_report *report) {
  struct pubsub_chunk_size sizes[3];
  struct pubsub_chunk *chunk = NULL;
  struct pubsub_error error;
  uint64_t unsettled = report->sealed > report->settled ? report->sealed - report->settled : 1;
  uint64_t seq = report->settled + chance_below(&actor->chance, (uint32_t)unsettled);
  pubsub_subscriber_chunk_sizes(subscriber, report->slot, report->epoch, seq, sizes, 3);
  struct timing timing = begin("chunk", 0);
  if (!ended(timing,
             pubsub_subscriber_chunk(subscriber, report->slot, report->epoch, seq, &chunk, &error),
             &error))
    return;
  look_at(actor, chunk);
  keep(actor, chunk);
}

static void look_around(struct actor *actor, struct pubsub_subscriber *subscriber) {
  struct pubsub_slot_report reports[8];
  struct pubsub_subscriber_metrics metrics;
  size_t count;
  pubsub_subscriber_report(subscriber, reports, 8, &count);
  pubsub_subscriber_metrics(subscriber, &metrics);
  for (size_t i = 0; i < count && i < 8; i++) {
    const struct pubsub_slot_report *report = &reports[i];
    struct pubsub_error error = {0};
    if (report->settled > report->sealed) complain("more is settled than sealed");
    pubsub_subscriber_slot_error(subscriber, report->slot, report->epoch, &error);
    if (one_in(&actor->chance, 2)) read_slot(actor, subscriber, report);
    if (one_in(&actor->chance, 2))
      pubsub_subscriber_settle(
          subscriber, report->slot, report->epoch,
          report->sealed ? chance_below(&actor->chance, (uint32_t)report->sealed + 2) : 0,
          one_in(&actor->chance, 5) ? PUBSUB_NACK : PUBSUB_ACK);
  }
}

static void open_slot(struct actor *actor, struct place *place) {
  struct pubsub_error error;
  uint64_t newest = atomic_load(&place->epoch);
  uint64_t epoch = one_in(&actor->chance, 3) ? newest : atomic_fetch_add(&place->epoch, 1) + 1;
  uint32_t slot = chance_below(&actor->chance, SLOTS);
  struct timing timing = begin("open_slot", 0);
  ended(timing,
        pubsub_subscriber_open_slot(place->subscriber, slot, epoch,
                                    chance_below(&actor->chance, 2) * 30, &error),
        &error);
}

static void close_slot(struct actor *actor, struct place *place) {
  struct pubsub_slot_report report;
  size_t count;
  pubsub_subscriber_report(place->subscriber, &report, 1, &count);
  if (count == 0) return;
  pubsub_subscriber_close_slot(place->subscriber, report.slot, report.epoch,
                               one_in(&actor->chance, 2) ? PUBSUB_CLOSE_DRAIN
                                                         : PUBSUB_CLOSE_GIVE_BACK);
}

static void call_subscriber(struct actor *actor, struct place *place) {
  struct pubsub_error error;
  uint64_t generation = 0;
  uint32_t wait_ms = chance_below(&actor->chance, WAIT_MS);
  struct timing timing = begin("wait or close", wait_ms);
  switch (chance_below(&actor->chance, 10)) {
  case 0:
  case 1:
    open_slot(actor, place);
    break;
  case 2:
    close_slot(actor, place);
    break;
  case 3:
  case 4:
    pubsub_subscriber_wait(place->subscriber, &generation, wait_ms);
    ended(timing, PUBSUB_OK, NULL);
    break;
  case 5:
    if (!one_in(&actor->chance, 20)) break;
    ended(timing, pubsub_subscriber_close(place->subscriber, wait_ms, &error), &error);
    break;
  default:
    look_around(actor, place->subscriber);
  }
}

static void use_subscriber(struct actor *actor) {
  struct place *place = &actor->arena->subscribers[chance_below(&actor->chance, SUBSCRIBERS)];
  if (one_in(&actor->chance, 60)) {
    pthread_rwlock_wrlock(&place->lock);
    struct timing timing = begin("subscriber_destroy", 0);
    pubsub_subscriber_destroy(place->subscriber);
    ended(timing, PUBSUB_OK, NULL);
    place->subscriber = NULL;
    make_subscriber(actor, place);
  } else {
    pthread_rwlock_rdlock(&place->lock);
    if (place->subscriber) call_subscriber(actor, place);
  }
  pthread_rwlock_unlock(&place->lock);
}

void actor_run(struct actor *actor) {
  while (!atomic_load(&actor->arena->over)) {
    switch (chance_below(&actor->chance, 24)) {
    case 0:
      administer(actor);
      break;
    case 1:
      set_token(actor);
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
