/*
 * Reading, simulated: receiver, flow, streams, sealer, settler and leases as they are, on a virtual
 * clock, against a model of the service, with budgets, sizes, limits, readers and faults that a
 * seed draws. After every step: memory within its budget, what is lent within what was asked for.
 * At the end every message was read and acknowledged, none before its batch had committed, and
 * where nothing had failed, each was delivered once.
 *
 * sim_test [SEEDS [FIRST]]: so many seeds from FIRST on. A seed that fails is printed; the same
 * seed does the same again.
 */
#include "service.h"
#include "virtual.h"

#include "base/alloc.h"
#include "base/map.h"
#include "sub/receiver.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND UINT64_C(1000000)
#define MAX_SLOTS 24

struct plan { /* what the seed draws */
  struct pubsub_subscriber_options options;
  struct service_faults faults;
  uint32_t slots, messages;
  uint64_t smallest, largest;       /* of a message */
  uint64_t batch_us, batch_most_us; /* how long one takes */
  bool faulty, stops;               /* a reader that stops half-way and another that goes on */
};

static struct plan plan;
static struct pubsub_reservoir reservoir;
static struct pubsub_receiver receiver;
static uint64_t seed, planned[MAX_SLOTS], read_to[MAX_SLOTS];
static uint64_t generation; /* of epochs: a reader that starts anew opens the next */

static void fail(const char *what, uint64_t a, uint64_t b) {
  const struct service_counts *counts = service_counts();
  fprintf(stderr,
          "seed %" PRIu64 " at %" PRIu64 " s: %s (%" PRIu64 ", %" PRIu64 ")\n"
          "  budget %" PRIu64 ", slots %u, messages %u of %" PRIu64 "..%" PRIu64
          ", deadline %u s, at most %u s, trigger %" PRIu64 ", batch %" PRIu64 "..%" PRIu64
          " ms, faulty %d\n"
          "  lent %" PRIu64 ", expired %" PRIu64 ", acked %" PRIu64 ", nacked %" PRIu64 "\n",
          seed, virtual_now_us() / SECOND, what, a, b, plan.options.max_reservoir_bytes, plan.slots,
          plan.messages, plan.smallest, plan.largest, plan.options.ack_deadline_s,
          plan.options.max_ack_extension_s, plan.options.trigger_rows, plan.batch_us / 1000,
          plan.batch_most_us / 1000, plan.faulty, counts->lent, counts->expired, counts->acked,
          counts->nacked);
  exit(1);
}

static void draw_plan(void) {
  uint64_t kind = virtual_draw(0, 3);
  plan = (struct plan){.slots = (uint32_t)virtual_draw(1, virtual_happens(0.2) ? MAX_SLOTS : 6),
                       .faults.delay_us = virtual_draw(0, 200000),
                       .faulty = virtual_happens(0.5)};
  plan.options =
      (struct pubsub_subscriber_options){.subscription = "projects/p/subscriptions/s",
                                         .columns = PUBSUB_COLUMN_ALL,
                                         .chunk_rows = (uint32_t)virtual_draw(1, 2000),
                                         .chunk_bytes = UINT64_C(1) << virtual_draw(16, 23),
                                         .max_reservoir_bytes = UINT64_C(1) << virtual_draw(20, 25),
                                         .ack_deadline_s = (uint32_t)virtual_draw(10, 60),
                                         .max_ack_extension_s = 3600,
                                         .max_outstanding_messages = INT64_MAX,
                                         .max_outstanding_bytes = INT64_MAX};
  if (plan.options.chunk_bytes > plan.options.max_reservoir_bytes / 32) {
    plan.options.chunk_bytes = plan.options.max_reservoir_bytes / 32;
  }
  plan.smallest = kind == 0 ? 0 : virtual_draw(0, 2000);
  plan.largest = kind == 3 ? 2000000 : plan.smallest + virtual_draw(0, 3000);
  plan.messages = (uint32_t)virtual_draw(1, kind == 3 ? 60 : 4000);
  plan.batch_us = virtual_draw(20000, 2 * SECOND);
  plan.batch_most_us = plan.batch_us + virtual_draw(0, 20 * SECOND);
  if (virtual_happens(0.3)) { /* limits that are kept well before leases end */
    plan.options.trigger_rows = virtual_draw(10, 500);
    plan.options.max_ack_extension_s = (uint32_t)virtual_draw(10, 60);
    plan.batch_us = virtual_draw(20000, SECOND);
    plan.batch_most_us = plan.batch_us + virtual_draw(0, SECOND / 5);
    plan.messages = (uint32_t)virtual_draw(1, 2000);
    plan.options.chunk_rows = 10;
  }
  plan.stops = virtual_happens(0.3);
  plan.faults.bad_id = virtual_happens(0.2) ? 0.002 : 0; /* no fault to the others */
  if (!plan.faulty) return;
  plan.faults.stream_ends = virtual_happens(0.5) ? 0.05 : 0;
  plan.faults.call_fails = virtual_happens(0.5) ? 0.2 : 0;
}

/* ---- the reader ---- */

static void open_slots(void) {
  generation++;
  for (uint32_t slot = 0; slot < plan.slots; slot++) {
    struct pubsub_epoch *epoch = pubsub_epoch_new(slot, generation, 0, reservoir.blocks);
    if (!epoch || pubsub_reservoir_add(&reservoir, epoch) != PUBSUB_OK) fail("open", slot, 0);
    planned[slot] = read_to[slot] = 0;
  }
  pubsub_receiver_work(&receiver);
}

static void note_rows(const struct pubsub_chunk *chunk, bool commit) {
  struct pubsub_chunk_view view;
  pubsub_chunk_view(chunk, &view);
  const int32_t *offsets =
      (const int32_t *)(uintptr_t)view.buffers[PUBSUB_BUFFER_MESSAGE_ID_OFFSETS].address;
  const char *ids = (const char *)(uintptr_t)view.buffers[PUBSUB_BUFFER_MESSAGE_ID_BYTES].address;
  for (int32_t row = 0; row < view.rows; row++) {
    char text[24] = {0};
    memcpy(text, ids + offsets[row], (size_t)(offsets[row + 1] - offsets[row]));
    struct service_message *message = service_message(strtoull(text, NULL, 10));
    if (commit) {
      message->committed = true;
    } else {
      message->seen++;
    }
  }
}

static struct pubsub_held *next_chunk(uint32_t slot, uint64_t seq) {
  struct pubsub_epoch *epoch = pubsub_reservoir_find(&reservoir, slot, generation);
  return epoch ? pubsub_epoch_held(epoch, seq) : NULL;
}

/* Chunks of every slot in turns, within the limit: what a batch reads. */
static void plan_batch(void) {
  uint64_t rows = 0, most = plan.options.trigger_rows ? plan.options.trigger_rows : UINT64_MAX;
  bool more = true;
  while (more && rows < most) {
    more = false;
    for (uint32_t slot = 0; slot < plan.slots && rows < most; slot++) {
      struct pubsub_held *held = next_chunk(slot, planned[slot]);
      if (!held || !held->shared.chunk) continue;
      note_rows(held->shared.chunk, false);
      rows += held->rows;
      planned[slot]++;
      more = true;
    }
  }
}

static void commit_batch(void) {
  for (uint32_t slot = 0; slot < plan.slots; slot++) {
    struct pubsub_epoch *epoch = pubsub_reservoir_find(&reservoir, slot, generation);
    if (!epoch) continue;
    for (uint64_t seq = read_to[slot]; seq < planned[slot]; seq++)
      note_rows(pubsub_epoch_held(epoch, seq)->shared.chunk, true);
    pubsub_epoch_ask_settle(epoch, planned[slot], false, virtual_now_us());
    read_to[slot] = planned[slot];
  }
  pubsub_receiver_work(&receiver);
}

static void check_step(void) {
  uint64_t used = pubsub_blocks_used_bytes(reservoir.blocks);
  uint64_t budget = plan.options.max_reservoir_bytes;
  uint64_t most = budget + budget / 10;
  if (plan.largest > budget / 2) most = budget + 2 * plan.largest; /* the stated exception */
  if (used > most) fail("memory", used, most);
  if (service_counts()->early > 0) fail("acknowledged before its commit", 0, 0);
}

static void run_until(uint64_t until_us) {
  while (virtual_step(until_us))
    check_step();
}

static bool all_acked(void) {
  for (uint32_t i = 1; i <= service_message_count(); i++) {
    if (!service_message(i)->acked && !service_message(i)->bad_id) return false;
  }
  return true;
}

/* Stop: everything goes back, what is on the wire too. */
static void stop_and_start_anew(void) {
  struct pubsub_epoch *epoch = NULL;
  while ((epoch = pubsub_reservoir_next(&reservoir, epoch)))
    epoch->shared.close_asked = epoch->shared.give_back = true;
  pubsub_receiver_work(&receiver);
  run_until(virtual_now_us() + 8 * SECOND);
  if (!plan.faulty && service_outstanding_rows() > 0) {
    fail("lent after the end", service_outstanding_rows(), 0);
  }
  while ((epoch = pubsub_reservoir_next(&reservoir, epoch))) {
    if (epoch->shared.state == PUBSUB_SLOT_CLOSED) {
      epoch->shared.reported_closed = true;
    } else if (!plan.faulty) {
      fail("not closed", epoch->slot, epoch->shared.pending);
    }
  }
  pubsub_receiver_work(&receiver);
  open_slots();
}

static void check_end(void) {
  for (uint32_t i = 1; i <= service_message_count(); i++) {
    const struct service_message *message = service_message(i);
    if (message->bad_id) continue;
    if (!message->acked) fail("never acknowledged", i, message->attempts);
    if (message->seen == 0) fail("never read", i, message->attempts);
    if (!plan.faulty && !plan.stops && message->attempts != 1) {
      fail("delivered twice without a fault", i, message->attempts);
    }
  }
  /* What came too late for the service is not counted. */
  uint64_t counted = reservoir.metrics.acknowledged_rows;
  if (counted > service_counts()->acked) {
    fail("more acknowledgements are counted than were taken", counted, service_counts()->acked);
  }
  if (!plan.faulty && reservoir.metrics.expired_rows > 0) {
    fail("leases are told to have ended without a fault", reservoir.metrics.expired_rows, 0);
  }
  if (!plan.faulty && service_counts()->expired > 0) {
    fail("leases ended without a fault", service_counts()->expired, 0);
  }
}

static void run(uint64_t number) {
  seed = number;
  virtual_start(number);
  draw_plan();
  service_start(plan.messages, plan.smallest, plan.largest, &plan.faults);
  if (pubsub_reservoir_init(&reservoir, plan.options.max_reservoir_bytes) != PUBSUB_OK ||
      pubsub_receiver_init(&receiver, service_channel(), &plan.options, &reservoir) != PUBSUB_OK) {
    fail("no memory", 0, 0);
  }
  reservoir.trigger_rows = plan.options.trigger_rows;
  open_slots();
  uint64_t stop_us = plan.stops ? virtual_now_us() + virtual_draw(0, 30 * SECOND) : UINT64_MAX;
  uint64_t heal_us = virtual_now_us() + 300 * SECOND, end_us = heal_us + 3600 * SECOND;
  while (!all_acked() && virtual_now_us() < end_us) {
    plan_batch();
    run_until(virtual_now_us() + virtual_draw(plan.batch_us, plan.batch_most_us));
    commit_batch();
    run_until(virtual_now_us() + virtual_draw(0, 100000));
    if (virtual_now_us() >= heal_us) service_heal();
    if (virtual_now_us() < stop_us) continue;
    stop_us = UINT64_MAX;
    stop_and_start_anew();
  }
  check_end();
  pubsub_receiver_clear(&receiver);
  pubsub_reservoir_clear(&reservoir);
  service_end();
  receiver = (struct pubsub_receiver){0};
  reservoir = (struct pubsub_reservoir){0};
  if (pubsub_alloc_live() != 0) fail("blocks of memory left", pubsub_alloc_live(), 0);
  virtual_end();
}

int main(int argc, char **argv) {
  uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 300;
  uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  for (uint64_t number = first; number < first + seeds; number++)
    run(number);
  printf("%" PRIu64 " seeds: nothing found\n", seeds);
  return 0;
}
