/*
 * From the builder to a chunk that readers see. An ordinary subscription's chunk is published as it is sealed; one with
 * exactly-once delivery waits, pending, for its receipt, and loses the rows whose receipt failed. The index finds the held row of
 * a message that comes again.
 */
#include "sub/reservoir.h"

#include "base/alloc.h"
#include "base/map.h"
#include "batch/drop_rows.h"

static void lock(struct pubsub_subscriber *subscriber) {
  pthread_mutex_lock(&subscriber->shared.mutex);
}

static void unlock(struct pubsub_subscriber *subscriber) {
  pthread_mutex_unlock(&subscriber->shared.mutex);
}

/* ---- publishing ---- */

/* Under the mutex: room for one more than there are, pending ones included. */
static enum pubsub_status ring_reserve(struct pubsub_epoch *epoch) {
  size_t count = (size_t)(epoch->shared.sealed - epoch->shared.first_seq + epoch->shared.pending);
  size_t cap = epoch->shared.chunk_cap;
  if (count < cap) return PUBSUB_OK;
  size_t new_cap = cap ? cap * 2 : 64;
  struct pubsub_held **chunks = pubsub_alloc(new_cap * sizeof *chunks);
  if (!chunks) return PUBSUB_E_NOMEM;
  for (uint64_t seq = epoch->shared.first_seq; seq < epoch->shared.sealed; seq++) {
    chunks[seq & (new_cap - 1)] = pubsub_epoch_held(epoch, seq);
  }
  pubsub_free(epoch->shared.chunks);
  epoch->shared.chunks = chunks;
  epoch->shared.chunk_cap = new_cap;
  return PUBSUB_OK;
}

/* Under the mutex. */
static void give_seq(struct pubsub_epoch *epoch, struct pubsub_held *held) {
  uint64_t seq = epoch->shared.sealed++;
  epoch->shared.chunks[seq & (epoch->shared.chunk_cap - 1)] = held;
  epoch->shared.sealed_rows += held->rows;
  epoch->shared.sealed_bytes += held->bytes;
}

static void publish(struct pubsub_held *held) {
  struct pubsub_epoch *epoch = held->epoch;
  held->receipt = false;
  pubsub_list_remove(&held->pending_link);
  lock(epoch->subscriber);
  epoch->shared.pending--;
  give_seq(epoch, held);
  pubsub_subscriber_changed(epoch->subscriber);
  unlock(epoch->subscriber);
}

void pubsub_epoch_publish_pending(struct pubsub_epoch *epoch, bool all) {
  bool unknown = epoch->subscriber->loop.delivery == PUBSUB_DELIVERY_UNKNOWN;
  struct pubsub_list *link = epoch->loop.pending.next, *next;
  for (; link != &epoch->loop.pending; link = next) {
    struct pubsub_held *held = PUBSUB_CONTAINER_OF(link, struct pubsub_held, pending_link);
    next = link->next;
    if (all || unknown || !held->receipt) {
      publish(held);
    } else if (epoch->subscriber->loop.ordering) {
      return; /* what stands behind it may be of the same key */
    }
  }
}

void pubsub_epoch_free_pending(struct pubsub_epoch *epoch) {
  while (!pubsub_list_empty(&epoch->loop.pending)) {
    struct pubsub_list *link = epoch->loop.pending.next;
    pubsub_list_remove(link);
    pubsub_held_free(PUBSUB_CONTAINER_OF(link, struct pubsub_held, pending_link),
                     epoch->subscriber->pool);
  }
  pubsub_held_free(epoch->loop.building, epoch->subscriber->pool);
  epoch->loop.building = NULL;
}

/* ---- sealing ---- */

static struct pubsub_held *take_building(struct pubsub_epoch *epoch) {
  if (!epoch->loop.building) epoch->loop.building = pubsub_held_new(epoch);
  return epoch->loop.building;
}

enum pubsub_status pubsub_epoch_seal(struct pubsub_epoch *epoch) {
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  struct pubsub_settler *settler = &subscriber->loop.settler;
  uint32_t rows = pubsub_builder_rows(epoch->loop.builder);
  if (rows == 0) return PUBSUB_OK;
  struct pubsub_held *held = take_building(epoch);
  if (!held) return PUBSUB_E_NOMEM;
  lock(subscriber);
  enum pubsub_status status = ring_reserve(epoch);
  unlock(subscriber);
  if (status != PUBSUB_OK) return status;
  status = pubsub_builder_seal(epoch->loop.builder, &held->chunk, &held->ack_ids);
  if (status != PUBSUB_OK) return status;
  pubsub_settler_lease(settler, held, epoch->loop.first_receive_us);
  epoch->loop.building = NULL;
  pubsub_loop_timer_cancel(subscriber->owner, &epoch->loop.linger);
  struct pubsub_chunk_view view;
  pubsub_chunk_view(held->chunk, &view);
  held->rows = rows;
  held->bytes = view.bytes;
  held->oldest_publish_us = view.oldest_publish_us;
  held->receive_wall_us = epoch->loop.first_receive_wall_us;
  bool visible = subscriber->loop.delivery == PUBSUB_AT_LEAST_ONCE;

  lock(subscriber);
  epoch->shared.backlog_rows += rows;
  epoch->shared.backlog_bytes += held->bytes;
  struct pubsub_subscriber_metrics *metrics = &subscriber->shared.metrics;
  metrics->received_rows += rows;
  metrics->backlog_rows += rows;
  metrics->received_bytes += subscriber->loop.received_bytes;
  metrics->redelivered_rows += subscriber->loop.redelivered_rows;
  subscriber->loop.received_bytes = subscriber->loop.redelivered_rows = 0;
  if (visible) {
    give_seq(epoch, held);
  } else {
    epoch->shared.pending++;
  }
  pubsub_subscriber_changed(subscriber);
  unlock(subscriber);
  if (visible) return PUBSUB_OK;
  pubsub_list_push_back(&epoch->loop.pending, &held->pending_link);
  if (subscriber->loop.delivery == PUBSUB_EXACTLY_ONCE) pubsub_settler_receipt(settler, held);
  return PUBSUB_OK;
}

/* ---- the index ---- */

void pubsub_epoch_index_row(struct pubsub_epoch *epoch, struct pubsub_view message_id) {
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  uint32_t row = pubsub_builder_rows(epoch->loop.builder) - 1;
  struct pubsub_held *held = take_building(epoch);
  uint64_t number = pubsub_message_number(message_id);
  /* Once a row could not be noted, those behind it are not either. */
  if (!held || held->number_count != row ||
      pubsub_held_add_number(held, subscriber->pool, number) != PUBSUB_OK) {
    return;
  }
  if (number != 0) pubsub_held_index_set(&subscriber->loop.index, number, held, row);
}

void pubsub_held_unindex_row(struct pubsub_held *held, uint32_t row) {
  if (row >= held->number_count) return;
  pubsub_held_index_remove(&held->epoch->subscriber->loop.index, held->numbers[row], held);
}

void pubsub_held_unindex(struct pubsub_held *held) {
  for (uint32_t row = 0; row < held->number_count; row++)
    pubsub_held_unindex_row(held, row);
  held->number_count = 0;
}

bool pubsub_epoch_renew(struct pubsub_epoch *epoch, const struct pubsub_received *message) {
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  uint64_t number = pubsub_message_number(message->message_id);
  const struct pubsub_held_place *place =
      number != 0 ? pubsub_held_index_find(&subscriber->loop.index, number) : NULL;
  if (!place) return false;
  struct pubsub_held *held = place->held;
  uint32_t row = place->row;
  if (held == held->epoch->loop.building && pubsub_epoch_seal(held->epoch) != PUBSUB_OK) {
    return false;
  }
  if (!pubsub_view_equal(pubsub_ack_ids_at(&held->ack_ids, row), message->ack_id)) {
    if (pubsub_ack_ids_replace(&held->ack_ids, row, message->ack_id) != PUBSUB_OK) return false;
    pubsub_settler_renewed(&subscriber->loop.settler, held);
  }
  lock(subscriber); /* there may be no seal after it */
  subscriber->shared.metrics.redelivered_rows++;
  unlock(subscriber);
  return true;
}

/* ---- receipts ---- */

/* Under the mutex. */
static void forget_rows(struct pubsub_held *held, uint32_t rows, uint64_t bytes) {
  struct pubsub_epoch *epoch = held->epoch;
  epoch->shared.backlog_rows -= rows;
  epoch->shared.backlog_bytes -= bytes;
  epoch->subscriber->shared.metrics.backlog_rows -= rows;
  if (!held->expired) epoch->subscriber->shared.metrics.failed_receipt_rows += rows;
}

static void drop_chunk(struct pubsub_held *held) {
  struct pubsub_epoch *epoch = held->epoch;
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  pubsub_settler_unlease(&subscriber->loop.settler, held);
  pubsub_held_unindex(held);
  pubsub_list_remove(&held->pending_link);
  lock(subscriber);
  forget_rows(held, held->rows, held->bytes);
  epoch->shared.pending--;
  pubsub_epoch_advance(epoch);
  pubsub_subscriber_changed(subscriber);
  unlock(subscriber);
  pubsub_held_free(held, subscriber->pool);
}

static void keep_numbers(struct pubsub_held *held) {
  struct pubsub_held_index *index = &held->epoch->subscriber->loop.index;
  uint32_t kept = 0;
  for (uint32_t row = 0; row < held->number_count; row++) {
    uint64_t number = held->numbers[row];
    const struct pubsub_held_place *place =
        number != 0 ? pubsub_held_index_find(index, number) : NULL;
    bool ours = place && place->held == held;
    pubsub_held_unindex_row(held, row);
    if (held->drop[row]) continue;
    if (ours) pubsub_held_index_set(index, number, held, kept);
    held->numbers[kept++] = number;
  }
  held->number_count = kept;
}

static void drop_rows(struct pubsub_held *held) {
  struct pubsub_subscriber *subscriber = held->epoch->subscriber;
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  uint32_t dropped = 0;
  for (uint32_t row = 0; row < held->rows; row++)
    dropped += held->drop[row];
  if (dropped == held->rows ||
      pubsub_chunk_drop_rows(held->chunk, &held->ack_ids, held->drop, &chunk, &ids) != PUBSUB_OK) {
    drop_chunk(held); /* none is left, or no memory: they come again */
    return;
  }
  keep_numbers(held);
  struct pubsub_chunk_view view;
  pubsub_chunk_view(chunk, &view);
  pubsub_chunk_unref(held->chunk);
  pubsub_ack_ids_clear(&held->ack_ids);
  held->chunk = chunk;
  held->ack_ids = ids;
  pubsub_free(held->drop);
  held->drop = NULL;
  lock(subscriber);
  forget_rows(held, dropped, held->bytes - view.bytes);
  held->rows -= dropped;
  held->bytes = view.bytes;
  held->oldest_publish_us = view.oldest_publish_us;
  unlock(subscriber);
}

void pubsub_epoch_on_receipt(void *user, struct pubsub_held *held) {
  struct pubsub_epoch *epoch = held->epoch;
  (void)user;
  if (held->drop_all) {
    drop_chunk(held);
  } else if (held->drop) {
    drop_rows(held);
  }
  if (epoch->loop.started) pubsub_epoch_publish_pending(epoch, false);
}

/* ---- what the service tells ---- */

static void learn(struct pubsub_epoch *epoch, enum pubsub_delivery delivery) {
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  bool was_unknown = subscriber->loop.delivery == PUBSUB_DELIVERY_UNKNOWN;
  subscriber->loop.delivery = delivery;
  subscriber->loop.settler.exactly_once = delivery == PUBSUB_EXACTLY_ONCE;
  if (!was_unknown) return; /* what waits for a receipt has it or gets it */
  lock(subscriber);
  struct pubsub_list *link = subscriber->shared.epochs.next, *end = &subscriber->shared.epochs;
  unlock(subscriber);
  while (link != end) {
    struct pubsub_epoch *other = PUBSUB_CONTAINER_OF(link, struct pubsub_epoch, shared.link);
    struct pubsub_list *pending = other->loop.pending.next;
    for (; pending != &other->loop.pending && delivery == PUBSUB_EXACTLY_ONCE;
         pending = pending->next) {
      pubsub_settler_receipt(&subscriber->loop.settler,
                             PUBSUB_CONTAINER_OF(pending, struct pubsub_held, pending_link));
    }
    pubsub_epoch_publish_pending(other, false);
    lock(subscriber);
    link = link->next;
    unlock(subscriber);
  }
}

void pubsub_epoch_told(struct pubsub_epoch *epoch) {
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  struct pubsub_subscription_properties told = epoch->loop.told;
  enum pubsub_delivery delivery = told.exactly_once ? PUBSUB_EXACTLY_ONCE : PUBSUB_AT_LEAST_ONCE;
  epoch->loop.told = (struct pubsub_subscription_properties){0}; /* absent means none */
  subscriber->loop.ordering = told.ordering;
  if (delivery != subscriber->loop.delivery) learn(epoch, delivery);
}

/* ---- the end of chunks ---- */

void pubsub_epoch_advance(struct pubsub_epoch *epoch) {
  while (epoch->shared.first_seq < epoch->shared.sealed) {
    struct pubsub_held *held = pubsub_epoch_held(epoch, epoch->shared.first_seq);
    if (held->state != PUBSUB_HELD_DONE) break;
    epoch->shared.first_seq++;
    pubsub_held_free(held, epoch->subscriber->pool);
  }
  if (epoch->shared.close_asked && !epoch->loop.receiving && epoch->shared.pending == 0 &&
      epoch->shared.first_seq == epoch->shared.sealed) {
    epoch->shared.state = PUBSUB_SLOT_CLOSED;
  }
}
