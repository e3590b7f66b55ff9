#include "sub/epoch.h"

#include "base/alloc.h"
#include "base/container.h"

#define FIRST_RING 64

struct pubsub_epoch *pubsub_epoch_new(uint32_t slot, uint64_t number, uint32_t delay_ms,
                                      struct pubsub_blocks *blocks) {
  struct pubsub_epoch *epoch = pubsub_alloc_zero(1, sizeof *epoch);
  if (!epoch) return NULL;
  epoch->slot = slot;
  epoch->number = number;
  epoch->delay_ms = delay_ms;
  epoch->blocks = blocks;
  pubsub_list_init(&epoch->shared.alone);
  return epoch;
}

static struct pubsub_held **place_of(const struct pubsub_epoch *epoch, uint64_t seq) {
  return &epoch->shared.chunks[seq & (epoch->shared.chunk_cap - 1)];
}

void pubsub_epoch_free(struct pubsub_epoch *epoch) {
  if (!epoch) return;
  for (uint64_t seq = epoch->shared.first_seq; seq < epoch->shared.sealed; seq++)
    pubsub_held_free(*place_of(epoch, seq), epoch->blocks);
  pubsub_free(epoch->shared.chunks);
  pubsub_free(epoch);
}

enum pubsub_status pubsub_epoch_reserve(struct pubsub_epoch *epoch) {
  size_t count = (size_t)(epoch->shared.sealed - epoch->shared.first_seq + epoch->shared.pending);
  if (count < epoch->shared.chunk_cap) return PUBSUB_OK;
  size_t cap = epoch->shared.chunk_cap ? epoch->shared.chunk_cap * 2 : FIRST_RING;
  struct pubsub_held **chunks = pubsub_alloc(cap * sizeof *chunks);
  if (!chunks) return PUBSUB_E_NOMEM;
  for (uint64_t seq = epoch->shared.first_seq; seq < epoch->shared.sealed; seq++)
    chunks[seq & (cap - 1)] = *place_of(epoch, seq);
  pubsub_free(epoch->shared.chunks);
  epoch->shared.chunks = chunks;
  epoch->shared.chunk_cap = cap;
  return PUBSUB_OK;
}

void pubsub_epoch_add(struct pubsub_epoch *epoch, const struct pubsub_held *held) {
  epoch->shared.pending++;
  epoch->shared.backlog_rows += held->rows;
  epoch->shared.backlog_bytes += held->bytes;
}

void pubsub_epoch_publish(struct pubsub_epoch *epoch, struct pubsub_held *take_held) {
  pubsub_held_publish(take_held);
  epoch->shared.pending--;
  *place_of(epoch, epoch->shared.sealed++) = take_held;
  epoch->shared.sealed_rows += take_held->rows;
  epoch->shared.sealed_bytes += take_held->bytes;
}

void pubsub_epoch_forget(struct pubsub_epoch *epoch, uint32_t rows, uint64_t bytes, bool whole) {
  epoch->shared.backlog_rows -= rows;
  epoch->shared.backlog_bytes -= bytes;
  if (!whole) return;
  epoch->shared.pending--;
  pubsub_epoch_maybe_closed(epoch);
}

struct pubsub_held *pubsub_epoch_held(const struct pubsub_epoch *epoch, uint64_t seq) {
  if (seq < epoch->shared.first_seq || seq >= epoch->shared.sealed) return NULL;
  return *place_of(epoch, seq);
}

void pubsub_epoch_ask_settle(struct pubsub_epoch *epoch, uint64_t end_seq, bool nack,
                             uint64_t now_us) {
  if (end_seq > epoch->shared.sealed) end_seq = epoch->shared.sealed;
  for (; epoch->shared.asked < end_seq; epoch->shared.asked++)
    pubsub_held_ask(*place_of(epoch, epoch->shared.asked), nack, now_us);
}

void pubsub_epoch_ask_settle_alone(struct pubsub_epoch *epoch, uint64_t seq, bool nack,
                                   uint64_t now_us) {
  struct pubsub_held *held = pubsub_epoch_held(epoch, seq);
  if (!held || !pubsub_held_ask(held, nack, now_us)) return;
  pubsub_list_push_back(&epoch->shared.alone, &held->shared.alone_link);
}

struct pubsub_held *pubsub_epoch_untaken(struct pubsub_epoch *epoch, uint64_t *out_seq) {
  if (epoch->shared.next < epoch->shared.first_seq) epoch->shared.next = epoch->shared.first_seq;
  for (; epoch->shared.next < epoch->shared.sealed; epoch->shared.next++) {
    struct pubsub_held *held = *place_of(epoch, epoch->shared.next);
    *out_seq = epoch->shared.next;
    if (held->shared.chunk) return held;
  }
  return NULL;
}

struct pubsub_held *pubsub_epoch_hand_over(struct pubsub_epoch *epoch) {
  while (!pubsub_list_empty(&epoch->shared.alone)) {
    struct pubsub_held *held =
        PUBSUB_CONTAINER_OF(epoch->shared.alone.next, struct pubsub_held, shared.alone_link);
    pubsub_list_remove(&held->shared.alone_link);
    if (pubsub_held_begin(held)) return held;
  }
  while (epoch->shared.handed < epoch->shared.asked) {
    struct pubsub_held *held = *place_of(epoch, epoch->shared.handed++);
    if (pubsub_held_begin(held)) return held; /* else it was handed over alone */
  }
  return NULL;
}

bool pubsub_epoch_is_empty(const struct pubsub_epoch *epoch) {
  return epoch->shared.first_seq == epoch->shared.sealed && epoch->shared.pending == 0;
}

void pubsub_epoch_maybe_closed(struct pubsub_epoch *epoch) {
  if (epoch->shared.close_asked && !epoch->shared.receiving && pubsub_epoch_is_empty(epoch)) {
    epoch->shared.state = PUBSUB_SLOT_CLOSED;
  }
}

void pubsub_epoch_settled(struct pubsub_epoch *epoch, struct pubsub_held *held) {
  epoch->shared.backlog_rows -= held->rows;
  epoch->shared.backlog_bytes -= held->bytes;
  pubsub_held_finish(held);
  while (epoch->shared.first_seq < epoch->shared.sealed) {
    struct pubsub_held *first = *place_of(epoch, epoch->shared.first_seq);
    if (pubsub_held_stage(first) != PUBSUB_HELD_DONE) break;
    epoch->shared.first_seq++;
    pubsub_held_free(first, epoch->blocks);
  }
  if (epoch->shared.asked < epoch->shared.first_seq) epoch->shared.asked = epoch->shared.first_seq;
  if (epoch->shared.handed < epoch->shared.first_seq)
    epoch->shared.handed = epoch->shared.first_seq;
  pubsub_epoch_maybe_closed(epoch);
}

static int64_t oldest_receive_us(const struct pubsub_epoch *epoch) {
  const struct pubsub_held *first = pubsub_epoch_held(epoch, epoch->shared.first_seq);
  return first ? first->receive_wall_us : 0;
}

void pubsub_epoch_report(const struct pubsub_epoch *epoch, struct pubsub_slot_report *out) {
  *out = (struct pubsub_slot_report){.slot = epoch->slot,
                                     .state = epoch->shared.state,
                                     .epoch = epoch->number,
                                     .sealed = epoch->shared.sealed,
                                     .settled = epoch->shared.first_seq,
                                     .sealed_rows = epoch->shared.sealed_rows,
                                     .sealed_bytes = epoch->shared.sealed_bytes,
                                     .backlog_rows = epoch->shared.backlog_rows,
                                     .backlog_bytes = epoch->shared.backlog_bytes,
                                     .oldest_receive_us = oldest_receive_us(epoch)};
}
