#include "sub/sealer.h"

#include "base/clock.h"
#include "base/map.h"
#include "batch/chunk.h"
#include "batch/drop_rows.h"

static void lock(struct pubsub_sealer *sealer) {
  pubsub_reservoir_lock(sealer->reservoir);
}

static void unlock(struct pubsub_sealer *sealer) {
  pubsub_reservoir_unlock(sealer->reservoir);
}

static struct pubsub_blocks *blocks_of(const struct pubsub_inlet *inlet) {
  return inlet->sealer->reservoir->blocks;
}

/* ---- publishing ---- */

static void publish(struct pubsub_sealer *sealer, struct pubsub_held *held) {
  pubsub_list_remove(&held->loop.pending_link);
  lock(sealer);
  pubsub_epoch_publish(held->epoch, held);
  pubsub_reservoir_changed(sealer->reservoir);
  unlock(sealer);
}

void pubsub_inlet_publish_pending(struct pubsub_inlet *inlet, bool all) {
  struct pubsub_sealer *sealer = inlet->sealer;
  bool unknown = sealer->delivery == PUBSUB_DELIVERY_UNKNOWN;
  struct pubsub_list *link = inlet->pending.next, *next;
  for (; link != &inlet->pending; link = next) {
    struct pubsub_held *held = PUBSUB_CONTAINER_OF(link, struct pubsub_held, loop.pending_link);
    next = link->next;
    if (all || unknown || !pubsub_held_awaits_receipt(held)) {
      publish(sealer, held);
    } else if (sealer->ordering) {
      return; /* what stands behind it may be of the same key */
    }
  }
}

/* ---- inlets ---- */

enum pubsub_status pubsub_inlet_init(struct pubsub_inlet *inlet, struct pubsub_sealer *sealer,
                                     struct pubsub_epoch *epoch, uint32_t columns) {
  inlet->sealer = sealer;
  inlet->epoch = epoch;
  pubsub_list_init(&inlet->pending);
  pubsub_list_init(&inlet->loose);
  return pubsub_builder_new(blocks_of(inlet), columns, &inlet->builder);
}

static void free_building(struct pubsub_inlet *inlet) {
  if (!inlet->building) return;
  pubsub_sealer_unindex(inlet->sealer, inlet->building);
  pubsub_held_free(inlet->building, blocks_of(inlet));
  inlet->building = NULL;
}

void pubsub_inlet_drop_rows(struct pubsub_inlet *inlet) {
  free_building(inlet);
  pubsub_builder_destroy(inlet->builder);
  inlet->builder = NULL;
}

static void free_all(struct pubsub_inlet *inlet, struct pubsub_list *helds) {
  while (!pubsub_list_empty(helds)) {
    struct pubsub_list *link = helds->next;
    pubsub_list_remove(link);
    pubsub_held_free(PUBSUB_CONTAINER_OF(link, struct pubsub_held, loop.pending_link),
                     blocks_of(inlet));
  }
}

void pubsub_inlet_clear(struct pubsub_inlet *inlet) {
  free_all(inlet, &inlet->pending);
  free_all(inlet, &inlet->loose);
  pubsub_inlet_drop_rows(inlet);
}

static struct pubsub_held *take_building(struct pubsub_inlet *inlet) {
  if (!inlet->building) inlet->building = pubsub_held_new(inlet->epoch);
  return inlet->building;
}

/* The builder's last row is this message. */
static void index_row(struct pubsub_inlet *inlet, struct pubsub_view message_id) {
  uint32_t row = pubsub_builder_rows(inlet->builder) - 1;
  struct pubsub_held *held = take_building(inlet);
  uint64_t number = pubsub_message_number(message_id);
  /* Once a row could not be noted, those behind it are not either. */
  if (!held || held->loop.number_count != row ||
      pubsub_held_add_number(held, blocks_of(inlet), number) != PUBSUB_OK) {
    return;
  }
  if (number != 0) pubsub_held_index_set(&inlet->sealer->index, number, held, row);
}

/* As the service counts it for its limits, or less. */
static uint64_t wire_bytes_of(const struct pubsub_received *message) {
  uint64_t bytes = message->data.len + message->ordering_key.len;
  for (size_t i = 0; i < message->attribute_count; i++)
    bytes += message->attributes[i].key.len + message->attributes[i].value.len;
  return bytes;
}

/* A message whose lease had ended here. */
static bool comes_again(struct pubsub_sealer *sealer, const struct pubsub_received *message) {
  uint64_t number = pubsub_message_number(message->message_id);
  const struct pubsub_held_place *place =
      number != 0 ? pubsub_held_index_find(&sealer->index, number) : NULL;
  if (!place || place->held) return false;
  pubsub_held_index_remove(&sealer->index, number, NULL);
  return true;
}

enum pubsub_status pubsub_inlet_append(struct pubsub_inlet *inlet,
                                       const struct pubsub_received *message, uint64_t now_us) {
  PUBSUB_ON_LOOP(inlet->sealer->settler->loop);
  struct pubsub_sealer *sealer = inlet->sealer;
  enum pubsub_status status = pubsub_builder_append(inlet->builder, message);
  if (status != PUBSUB_OK) return status;
  uint64_t wire_bytes = wire_bytes_of(message);
  inlet->wire_bytes += wire_bytes;
  if (wire_bytes > inlet->largest_bytes) inlet->largest_bytes = wire_bytes;
  inlet->lent_rows++;
  inlet->lent_bytes += wire_bytes;
  bool again = sealer->index.count > 0 && sealer->delivery == PUBSUB_AT_LEAST_ONCE &&
               comes_again(sealer, message);
  if (again || message->delivery_attempt > 1) sealer->redelivered_rows++;
  if (pubsub_builder_rows(inlet->builder) == 1) {
    inlet->first_receive_us = now_us;
    inlet->first_receive_wall_us = pubsub_clock_wall_us();
  }
  if (__builtin_expect(sealer->delivery != PUBSUB_AT_LEAST_ONCE, 0)) {
    index_row(inlet, message->message_id);
  }
  return PUBSUB_OK;
}

/* ---- sealing ---- */

/* The chunk is the epoch's; a visible one has a seq at once. */
static void hand_in(struct pubsub_inlet *inlet, struct pubsub_held *held, bool visible) {
  struct pubsub_sealer *sealer = inlet->sealer;
  struct pubsub_subscriber_metrics *metrics = &sealer->reservoir->metrics;
  lock(sealer);
  pubsub_epoch_add(inlet->epoch, held);
  if (visible) pubsub_epoch_publish(inlet->epoch, held);
  metrics->received_rows += held->rows;
  metrics->backlog_rows += held->rows;
  metrics->received_bytes += sealer->received_bytes;
  metrics->redelivered_rows += sealer->redelivered_rows;
  pubsub_reservoir_changed(sealer->reservoir);
  unlock(sealer);
  sealer->received_bytes = sealer->redelivered_rows = 0;
}

/* The rows are the chunk's, no more the builder's. */
static void note_sealed(struct pubsub_inlet *inlet, struct pubsub_held *held,
                        struct pubsub_sealed *out) {
  const struct pubsub_ack_ids *ids = &held->loop.ack_ids;
  held->loop.lent_rows = held->rows;
  held->loop.lent_bytes = inlet->wire_bytes;
  if (out) {
    *out = (struct pubsub_sealed){.rows = held->rows,
                                  .wire_bytes = inlet->wire_bytes,
                                  .largest_bytes = inlet->largest_bytes,
                                  .room_bytes = pubsub_chunk_room_bytes(held->shared.chunk) +
                                                ids->bytes_capacity + ids->offsets_capacity};
  }
  inlet->wire_bytes = inlet->largest_bytes = 0;
}

enum pubsub_status pubsub_inlet_seal(struct pubsub_inlet *inlet, struct pubsub_sealed *out) {
  PUBSUB_ON_LOOP(inlet->sealer->settler->loop);
  struct pubsub_sealer *sealer = inlet->sealer;
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ack_ids;
  if (!inlet->builder || pubsub_builder_rows(inlet->builder) == 0) return PUBSUB_OK;
  struct pubsub_held *held = take_building(inlet);
  if (!held) return PUBSUB_E_NOMEM;
  lock(sealer);
  enum pubsub_status status = pubsub_epoch_reserve(inlet->epoch);
  unlock(sealer);
  if (status == PUBSUB_OK) status = pubsub_builder_seal(inlet->builder, &chunk, &ack_ids);
  if (status != PUBSUB_OK) return status;
  inlet->building = NULL;
  pubsub_held_seal(held, chunk, &ack_ids, inlet->first_receive_wall_us);
  note_sealed(inlet, held, out);
  pubsub_settler_lease(sealer->settler, held, inlet->first_receive_us);
  bool visible = sealer->delivery == PUBSUB_AT_LEAST_ONCE;
  if (!visible) pubsub_list_push_back(&inlet->pending, &held->loop.pending_link);
  hand_in(inlet, held, visible);
  if (sealer->delivery == PUBSUB_EXACTLY_ONCE) pubsub_settler_receipt(sealer->settler, held);
  return PUBSUB_OK;
}

enum pubsub_status pubsub_inlet_give_back(struct pubsub_inlet *inlet,
                                          struct pubsub_builder *ids_only) {
  PUBSUB_ON_LOOP(inlet->sealer->settler->loop);
  struct pubsub_sealer *sealer = inlet->sealer;
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ack_ids;
  struct pubsub_held *held = pubsub_held_new(inlet->epoch);
  if (!held) return PUBSUB_E_NOMEM;
  enum pubsub_status status = pubsub_builder_seal(ids_only, &chunk, &ack_ids);
  if (status != PUBSUB_OK) {
    pubsub_held_free(held, blocks_of(inlet));
    return status;
  }
  pubsub_chunk_unref(chunk);
  pubsub_held_turn_away(held, &ack_ids);
  pubsub_list_push_back(&inlet->loose, &held->loop.pending_link);
  hand_in(inlet, held, false);
  pubsub_settler_settle(sealer->settler, held);
  return PUBSUB_OK;
}

/* ---- the end of a chunk ---- */

void pubsub_sealer_on_settled(struct pubsub_sealer *sealer, struct pubsub_held *held) {
  PUBSUB_ON_LOOP(sealer->settler->loop);
  struct pubsub_inlet *inlet = held->epoch->inlet;
  bool loose = pubsub_held_is_loose(held);
  inlet->lent_rows -= held->loop.lent_rows;
  inlet->lent_bytes -= held->loop.lent_bytes;
  pubsub_sealer_unindex(sealer, held);
  pubsub_ack_ids_clear(&held->loop.ack_ids);
  lock(sealer);
  if (loose) {
    pubsub_epoch_forget(held->epoch, held->rows, held->bytes, true);
  } else {
    pubsub_epoch_settled(held->epoch, held);
  }
  pubsub_reservoir_changed(sealer->reservoir);
  unlock(sealer);
  if (!loose) return;
  pubsub_list_remove(&held->loop.pending_link);
  pubsub_held_free(held, sealer->reservoir->blocks);
}

/* ---- the index ---- */

void pubsub_sealer_unindex_row(struct pubsub_sealer *sealer, struct pubsub_held *held,
                               uint32_t row) {
  if (row >= held->loop.number_count) return;
  pubsub_held_index_remove(&sealer->index, held->loop.numbers[row], held);
}

void pubsub_sealer_unindex(struct pubsub_sealer *sealer, struct pubsub_held *held) {
  for (uint32_t row = 0; row < held->loop.number_count; row++)
    pubsub_sealer_unindex_row(sealer, held, row);
  held->loop.number_count = 0;
}

void pubsub_sealer_expect_again(struct pubsub_sealer *sealer, const struct pubsub_chunk *chunk,
                                size_t most) {
  struct pubsub_chunk_view view;
  if (sealer->delivery != PUBSUB_AT_LEAST_ONCE) return;
  if (sealer->index.count + (size_t)chunk->rows > most) pubsub_held_index_clear(&sealer->index);
  pubsub_chunk_view(chunk, &view);
  const int32_t *offsets =
      (const int32_t *)(uintptr_t)view.buffers[PUBSUB_BUFFER_MESSAGE_ID_OFFSETS].address;
  const uint8_t *ids =
      (const uint8_t *)(uintptr_t)view.buffers[PUBSUB_BUFFER_MESSAGE_ID_BYTES].address;
  if (!offsets) return; /* not among the columns */
  for (int32_t row = 0; row < view.rows && (size_t)row < most; row++) {
    size_t len = (size_t)(offsets[row + 1] - offsets[row]);
    uint64_t number = pubsub_message_number((struct pubsub_view){ids + offsets[row], len});
    if (number != 0) pubsub_held_index_set(&sealer->index, number, NULL, 0);
  }
}

bool pubsub_inlet_renew(struct pubsub_inlet *inlet, const struct pubsub_received *message) {
  PUBSUB_ON_LOOP(inlet->sealer->settler->loop);
  struct pubsub_sealer *sealer = inlet->sealer;
  uint64_t number = pubsub_message_number(message->message_id);
  const struct pubsub_held_place *place =
      number != 0 ? pubsub_held_index_find(&sealer->index, number) : NULL;
  if (!place || !place->held) return false;
  struct pubsub_held *held = place->held;
  struct pubsub_inlet *owner = held->epoch->inlet;
  uint32_t row = place->row;
  if (held == owner->building && pubsub_inlet_seal(owner, NULL) != PUBSUB_OK) return false;
  if (!pubsub_view_equal(pubsub_ack_ids_at(&held->loop.ack_ids, row), message->ack_id)) {
    if (pubsub_ack_ids_replace(&held->loop.ack_ids, row, message->ack_id) != PUBSUB_OK) {
      return false;
    }
    pubsub_settler_renewed(sealer->settler, held);
  }
  lock(sealer); /* there may be no seal after it */
  sealer->reservoir->metrics.redelivered_rows++;
  unlock(sealer);
  return true;
}

/* ---- receipts ---- */

/* Under the mutex. */
static void forget_rows(struct pubsub_sealer *sealer, struct pubsub_held *held, uint32_t rows,
                        uint64_t bytes, bool whole) {
  struct pubsub_subscriber_metrics *metrics = &sealer->reservoir->metrics;
  pubsub_epoch_forget(held->epoch, rows, bytes, whole);
  metrics->backlog_rows -= rows;
  if (!held->loop.lost_lease) metrics->failed_receipt_rows += rows;
}

static void drop_chunk(struct pubsub_sealer *sealer, struct pubsub_held *held) {
  pubsub_settler_unlease(sealer->settler, held);
  pubsub_sealer_unindex(sealer, held);
  held->epoch->inlet->lent_rows -= held->loop.lent_rows;
  held->epoch->inlet->lent_bytes -= held->loop.lent_bytes;
  pubsub_list_remove(&held->loop.pending_link);
  lock(sealer);
  forget_rows(sealer, held, held->rows, held->bytes, true);
  pubsub_reservoir_changed(sealer->reservoir);
  unlock(sealer);
  pubsub_held_free(held, sealer->reservoir->blocks);
}

/* The rows that stay are found at their new places. */
static void move_numbers(struct pubsub_sealer *sealer, struct pubsub_held *held) {
  struct pubsub_held_index *index = &sealer->index;
  uint32_t kept = 0;
  for (uint32_t row = 0; row < held->loop.number_count; row++) {
    uint64_t number = held->loop.numbers[row];
    const struct pubsub_held_place *place =
        number != 0 ? pubsub_held_index_find(index, number) : NULL;
    bool ours = place && place->held == held;
    pubsub_sealer_unindex_row(sealer, held, row);
    if (held->loop.drop[row]) continue;
    if (ours) pubsub_held_index_set(index, number, held, kept);
    held->loop.numbers[kept++] = number;
  }
  held->loop.number_count = kept;
}

static void drop_some(struct pubsub_sealer *sealer, struct pubsub_held *held) {
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  uint32_t dropped = 0;
  uint64_t bytes = held->bytes;
  for (uint32_t row = 0; row < held->rows; row++)
    dropped += held->loop.drop[row];
  if (dropped == held->rows || pubsub_chunk_drop_rows(held->shared.chunk, &held->loop.ack_ids,
                                                      held->loop.drop, &chunk, &ids) != PUBSUB_OK) {
    drop_chunk(sealer, held); /* none is left, or no memory: they come again */
    return;
  }
  move_numbers(sealer, held);
  pubsub_held_replace(held, chunk, &ids);
  lock(sealer);
  forget_rows(sealer, held, dropped, bytes - held->bytes, false);
  unlock(sealer);
}

void pubsub_sealer_on_receipt(struct pubsub_sealer *sealer, struct pubsub_held *held) {
  PUBSUB_ON_LOOP(sealer->settler->loop);
  struct pubsub_inlet *inlet = held->epoch->inlet;
  if (held->loop.drop_all) {
    drop_chunk(sealer, held);
  } else if (held->loop.drop) {
    drop_some(sealer, held);
  }
  pubsub_inlet_publish_pending(inlet, false);
}

/* ---- what the service tells ---- */

static void learn_of_pending(void *user, struct pubsub_epoch *epoch) {
  struct pubsub_sealer *sealer = user;
  struct pubsub_inlet *inlet = epoch->inlet;
  if (!inlet) return;
  struct pubsub_list *link = inlet->pending.next;
  for (; link != &inlet->pending && sealer->delivery == PUBSUB_EXACTLY_ONCE; link = link->next) {
    pubsub_settler_receipt(sealer->settler,
                           PUBSUB_CONTAINER_OF(link, struct pubsub_held, loop.pending_link));
  }
  pubsub_inlet_publish_pending(inlet, false);
}

void pubsub_inlet_told(struct pubsub_inlet *inlet) {
  struct pubsub_sealer *sealer = inlet->sealer;
  struct pubsub_subscription_properties told = inlet->told;
  enum pubsub_delivery delivery = told.exactly_once ? PUBSUB_EXACTLY_ONCE : PUBSUB_AT_LEAST_ONCE;
  inlet->told = (struct pubsub_subscription_properties){0}; /* absent means none */
  sealer->ordering = told.ordering;
  if (delivery == sealer->delivery) return;
  bool was_unknown = sealer->delivery == PUBSUB_DELIVERY_UNKNOWN;
  sealer->delivery = delivery;
  sealer->settler->exactly_once = delivery == PUBSUB_EXACTLY_ONCE;
  /* Once it is known, what waits for a receipt has it or gets it. */
  if (was_unknown) pubsub_reservoir_for_each(sealer->reservoir, learn_of_pending, sealer);
}
