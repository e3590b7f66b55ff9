#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 2
#define WORK_MS 250
#define RECOVER_MS 20000
#define ASK_MS 5000
#define CLOSE_MS 3000

static enum pubsub_status open_slot(struct world *world, uint32_t slot,
                                    struct pubsub_error *error) {
  return pubsub_subscriber_open_slot(world->subscriber, slot, world->epoch + slot, 0, error);
}

static enum pubsub_status open_subscriber(struct world *world, struct pubsub_error *error) {
  struct pubsub_subscriber_options options = {.subscription = SUBSCRIPTION,
                                              .columns = PUBSUB_COLUMN_ALL,
                                              .chunk_rows = 3,
                                              .linger_ms = 1,
                                              .max_reservoir_bytes = 32 << 20,
                                              .ack_deadline_s = 60};
  return pubsub_subscriber_new(world->client, &options, &world->subscriber, error);
}

static void unpack(struct world *world, struct pubsub_chunk *chunk) {
  struct pubsub_chunk *copy = NULL;
  struct pubsub_error error;
  size_t len = pubsub_chunk_packed_bytes(chunk);
  enum side side = side_enter(SIDE_NONE);
  uint8_t *packed = malloc(len);
  side_enter(side);
  pubsub_chunk_pack(chunk, packed);
  worked(world, pubsub_chunk_unpack(packed, len, &copy, &error), &error, "chunk_unpack");
  pubsub_chunk_unref(copy);
  free(packed);
}

static void look_at(struct world *world, struct pubsub_chunk *chunk) {
  struct pubsub_chunk_view view;
  struct ArrowSchema schema;
  struct ArrowArray array;
  struct pubsub_error error;
  pubsub_chunk_view(chunk, &view);
  if (view.rows <= 0) complain(world, "a chunk of %d rows", view.rows);
  if (worked(world, pubsub_chunk_export(chunk, &schema, &array, &error), &error, "chunk_export")) {
    schema.release(&schema);
    array.release(&array);
  }
  unpack(world, chunk);
}

static void read_slot(struct world *world, const struct pubsub_slot_report *report, bool look) {
  struct pubsub_chunk_size size;
  for (uint64_t seq = report->settled; look && seq < report->sealed; seq++) {
    struct pubsub_chunk *chunk = NULL;
    struct pubsub_error error;
    pubsub_subscriber_chunk_sizes(world->subscriber, report->slot, report->epoch, seq, &size, 1);
    if (!worked(world,
                pubsub_subscriber_chunk(world->subscriber, report->slot, report->epoch, seq, &chunk,
                                        &error),
                &error, "chunk"))
      continue;
    look_at(world, chunk);
    pubsub_chunk_unref(chunk);
  }
  pubsub_subscriber_settle(world->subscriber, report->slot, report->epoch, report->sealed,
                           PUBSUB_ACK);
}

/* A slot that failed says why. Returns true where it has failed. */
static bool has_failed(struct world *world, const struct pubsub_slot_report *report) {
  struct pubsub_error error = {0};
  if (report->state != PUBSUB_SLOT_FAILED) return false;
  pubsub_subscriber_slot_error(world->subscriber, report->slot, report->epoch, &error);
  if (error.status == PUBSUB_OK || !error.text[0])
    complain(world, "slot %u failed without words", report->slot);
  return true;
}

/* Reads and acknowledges what there is now; failed slots are opened anew where `heal`. */
static void read_once(struct world *world, uint64_t *generation, bool heal) {
  struct pubsub_slot_report reports[4 * SLOTS];
  struct pubsub_error error;
  size_t count;
  pubsub_subscriber_wait(world->subscriber, generation, 10);
  pubsub_subscriber_report(world->subscriber, reports, sizeof reports / sizeof *reports, &count);
  for (size_t i = 0; i < count && i < sizeof reports / sizeof *reports; i++) {
    read_slot(world, &reports[i], !heal);
    if (!has_failed(world, &reports[i]) || !heal) continue;
    pubsub_subscriber_close_slot(world->subscriber, reports[i].slot, reports[i].epoch,
                                 PUBSUB_CLOSE_DRAIN);
    world->epoch += 100;
    must_work(world, open_slot(world, reports[i].slot, &error), &error, "a slot anew");
  }
}

/* One way to read, and the other. */
static void take_next(struct world *world) {
  struct pubsub_chunk *chunk = NULL;
  struct pubsub_chunk_place place;
  struct pubsub_error error;
  if (!worked(world, pubsub_subscriber_next(world->subscriber, 10, &chunk, &place, &error), &error,
              "next"))
    return;
  pubsub_chunk_unref(pubsub_chunk_ref(chunk));
  look_at(world, chunk);
  pubsub_chunk_unref(chunk);
  pubsub_subscriber_settle_chunk(world->subscriber, &place, PUBSUB_NACK);
}

void work_read(struct world *world) {
  struct pubsub_error error;
  struct pubsub_subscriber_metrics metrics = {0};
  uint64_t generation = 0, deadline = world_now_ms() + WORK_MS;
  world->epoch = 1;
  if (!world->client || !worked(world, open_subscriber(world, &error), &error, "subscriber_new"))
    return;
  for (uint32_t slot = 0; slot < SLOTS; slot++)
    worked(world, open_slot(world, slot, &error), &error, "open_slot");
  take_next(world);
  do {
    read_once(world, &generation, false);
    pubsub_subscriber_metrics(world->subscriber, &metrics);
  } while (metrics.acknowledged_rows < MESSAGES && world_now_ms() < deadline);
}

/* As the emulator counts; -1: it did not say. */
static long backlog(struct world *world) {
  struct raw_answer answer;
  world_command(world, "stats", ASK_MS, &answer);
  const char *line = strstr((const char *)answer.message, SUBSCRIPTION " backlog=");
  if (answer.status != 0 || !line) return -1;
  return atol(line + sizeof SUBSCRIPTION " backlog=" - 1);
}

static void advance(struct world *world) {
  struct raw_answer answer;
  world_command(world, "advance 11m", ASK_MS, &answer);
}

static void tell_slots(struct world *world) {
  struct pubsub_slot_report reports[4 * SLOTS];
  size_t count;
  pubsub_subscriber_report(world->subscriber, reports, sizeof reports / sizeof *reports, &count);
  for (size_t i = 0; i < count && i < sizeof reports / sizeof *reports; i++)
    fprintf(stderr, "      slot %u epoch %llu state %d sealed %llu settled %llu backlog %llu\n",
            reports[i].slot, (unsigned long long)reports[i].epoch, (int)reports[i].state,
            (unsigned long long)reports[i].sealed, (unsigned long long)reports[i].settled,
            (unsigned long long)reports[i].backlog_rows);
}

/* What got lost on its way comes again when its deadline is over: the emulator's clock is
 * advanced. */
void recover_read(struct world *world) {
  struct pubsub_error error;
  uint64_t generation = 0, start = world_now_ms(), next_look = start, next_advance = start + 700;
  long left = -1;
  if (!world->subscriber)
    must_work(world, open_subscriber(world, &error), &error, "a new subscriber");
  if (!world->subscriber) return;
  world->epoch += 100;
  for (uint32_t slot = 0; slot < SLOTS; slot++)
    must_work(world, open_slot(world, slot + SLOTS, &error), &error, "a new slot");
  while (left != 0 && world_now_ms() < start + RECOVER_MS) {
    read_once(world, &generation, true);
    if (world_now_ms() >= next_advance) {
      advance(world);
      next_advance += 1000;
    }
    if (world_now_ms() < next_look) continue;
    left = backlog(world);
    next_look = world_now_ms() + 20;
  }
  if (left != 0) {
    complain(world, "%ld messages were never acknowledged", left);
    tell_slots(world);
  }
  worked(world, pubsub_subscriber_close(world->subscriber, CLOSE_MS, &error), &error, "close");
}
