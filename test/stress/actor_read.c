#include "call.h"

#include <stdlib.h>

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
  struct timing timing = timing_begin("subscriber_new", 0);
  timing_ended(timing,
               pubsub_subscriber_new(actor->arena->client, &options, &place->subscriber, &error),
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
  struct timing timing = timing_begin("chunk", 0);
  if (!timing_ended(
          timing,
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

static void take_next(struct actor *actor, struct pubsub_subscriber *subscriber) {
  struct pubsub_chunk *chunk = NULL;
  struct pubsub_chunk_place place;
  struct pubsub_error error;
  uint32_t wait_ms = chance_below(&actor->chance, WAIT_MS);
  struct timing timing = timing_begin("next", wait_ms);
  if (!timing_ended(timing, pubsub_subscriber_next(subscriber, wait_ms, &chunk, &place, &error),
                    &error))
    return;
  look_at(actor, chunk);
  if (one_in(&actor->chance, 3)) keep(actor, pubsub_chunk_ref(chunk));
  pubsub_chunk_unref(chunk);
  pubsub_subscriber_settle_chunk(subscriber, &place,
                                 one_in(&actor->chance, 5) ? PUBSUB_NACK : PUBSUB_ACK);
}

static void open_slot(struct actor *actor, struct place *place) {
  struct pubsub_error error;
  uint64_t newest = atomic_load(&place->epoch);
  uint64_t epoch = one_in(&actor->chance, 3) ? newest : atomic_fetch_add(&place->epoch, 1) + 1;
  uint32_t slot = chance_below(&actor->chance, SLOTS);
  struct timing timing = timing_begin("open_slot", 0);
  timing_ended(timing,
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
  struct timing timing = timing_begin("wait or close", wait_ms);
  switch (chance_below(&actor->chance, 12)) {
  case 10:
  case 11:
    take_next(actor, place->subscriber);
    break;
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
    timing_ended(timing, PUBSUB_OK, NULL);
    break;
  case 5:
    if (!one_in(&actor->chance, 20)) break;
    timing_ended(timing, pubsub_subscriber_close(place->subscriber, wait_ms, &error), &error);
    break;
  default:
    look_around(actor, place->subscriber);
  }
}

void use_subscriber(struct actor *actor) {
  struct place *place = &actor->arena->subscribers[chance_below(&actor->chance, SUBSCRIBERS)];
  if (one_in(&actor->chance, 60)) {
    pthread_rwlock_wrlock(&place->lock);
    struct timing timing = timing_begin("subscriber_destroy", 0);
    pubsub_subscriber_destroy(place->subscriber);
    timing_ended(timing, PUBSUB_OK, NULL);
    place->subscriber = NULL;
    make_subscriber(actor, place);
  } else {
    pthread_rwlock_rdlock(&place->lock);
    if (place->subscriber) call_subscriber(actor, place);
  }
  pthread_rwlock_unlock(&place->lock);
}
