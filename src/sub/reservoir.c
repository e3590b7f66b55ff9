#include "sub/reservoir.h"

#include "base/alloc.h"
#include "base/container.h"

enum pubsub_status pubsub_reservoir_init(struct pubsub_reservoir *reservoir,
                                         uint64_t budget_bytes) {
  pubsub_monitor_init(&reservoir->monitor);
  pubsub_list_init(&reservoir->epochs);
  reservoir->generation = 1;
  return pubsub_blocks_new(budget_bytes, &reservoir->blocks);
}

void pubsub_reservoir_clear(struct pubsub_reservoir *reservoir) {
  while (!pubsub_list_empty(&reservoir->epochs)) {
    struct pubsub_epoch *epoch =
        PUBSUB_CONTAINER_OF(reservoir->epochs.next, struct pubsub_epoch, shared.link);
    pubsub_list_remove(&epoch->shared.link);
    pubsub_epoch_free(epoch);
  }
  pubsub_blocks_unref(reservoir->blocks);
  pubsub_monitor_clear(&reservoir->monitor);
  pubsub_free(reservoir->seen);
}

void pubsub_reservoir_lock(struct pubsub_reservoir *reservoir) {
  pubsub_monitor_lock(&reservoir->monitor);
}

void pubsub_reservoir_unlock(struct pubsub_reservoir *reservoir) {
  pubsub_monitor_unlock(&reservoir->monitor);
}

void pubsub_reservoir_changed(struct pubsub_reservoir *reservoir) {
  reservoir->generation++;
  pubsub_monitor_wake(&reservoir->monitor);
}

bool pubsub_reservoir_wait(struct pubsub_reservoir *reservoir, uint64_t due_us) {
  return pubsub_monitor_wait_until(&reservoir->monitor, due_us);
}

struct pubsub_epoch *pubsub_reservoir_next(struct pubsub_reservoir *reservoir,
                                           const struct pubsub_epoch *epoch) {
  struct pubsub_list *link = epoch ? epoch->shared.link.next : reservoir->epochs.next;
  if (link == &reservoir->epochs) return NULL;
  return PUBSUB_CONTAINER_OF(link, struct pubsub_epoch, shared.link);
}

struct pubsub_epoch *pubsub_reservoir_find(struct pubsub_reservoir *reservoir, uint32_t slot,
                                           uint64_t number) {
  struct pubsub_epoch *epoch = NULL;
  while ((epoch = pubsub_reservoir_next(reservoir, epoch))) {
    if (epoch->slot == slot && epoch->number == number) return epoch;
  }
  return NULL;
}

struct pubsub_chunk *pubsub_reservoir_take(struct pubsub_reservoir *reservoir,
                                           struct pubsub_chunk_place *out_place) {
  struct pubsub_epoch *epoch = NULL, *best_epoch = NULL;
  struct pubsub_held *best = NULL;
  while ((epoch = pubsub_reservoir_next(reservoir, epoch))) {
    uint64_t seq;
    struct pubsub_held *held = pubsub_epoch_untaken(epoch, &seq);
    if (!held || (best && best->receive_wall_us <= held->receive_wall_us)) continue;
    best = held;
    best_epoch = epoch;
    *out_place = (struct pubsub_chunk_place){epoch->slot, epoch->number, seq, held->rows};
  }
  if (!best) return NULL;
  best_epoch->shared.next++;
  return pubsub_chunk_ref(best->shared.chunk);
}

struct pubsub_epoch *pubsub_reservoir_failed(struct pubsub_reservoir *reservoir) {
  struct pubsub_epoch *epoch = NULL;
  while ((epoch = pubsub_reservoir_next(reservoir, epoch))) {
    if (epoch->shared.state == PUBSUB_SLOT_FAILED) return epoch;
  }
  return NULL;
}

/* Notes that the epoch was opened. */
static enum pubsub_status note(struct pubsub_reservoir *reservoir, uint32_t slot, uint64_t epoch) {
  for (size_t i = 0; i < reservoir->seen_count; i++) {
    if (reservoir->seen[i].slot != slot) continue;
    if (reservoir->seen[i].epoch >= epoch) return PUBSUB_E_INVALID;
    reservoir->seen[i].epoch = epoch;
    return PUBSUB_OK;
  }
  if (reservoir->seen_count == reservoir->seen_cap) {
    size_t cap = reservoir->seen_cap ? reservoir->seen_cap * 2 : 16;
    void *seen = pubsub_realloc(reservoir->seen, cap * sizeof *reservoir->seen);
    if (!seen) return PUBSUB_E_NOMEM;
    reservoir->seen = seen;
    reservoir->seen_cap = cap;
  }
  size_t i = reservoir->seen_count++;
  reservoir->seen[i].slot = slot;
  reservoir->seen[i].epoch = epoch;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_reservoir_add(struct pubsub_reservoir *reservoir,
                                        struct pubsub_epoch *take_epoch) {
  enum pubsub_status status = note(reservoir, take_epoch->slot, take_epoch->number);
  if (status != PUBSUB_OK) return status;
  pubsub_list_push_back(&reservoir->epochs, &take_epoch->shared.link);
  return PUBSUB_OK;
}

void pubsub_reservoir_for_each(struct pubsub_reservoir *reservoir,
                               void (*visit)(void *user, struct pubsub_epoch *epoch), void *user) {
  pubsub_reservoir_lock(reservoir);
  struct pubsub_epoch *epoch = pubsub_reservoir_next(reservoir, NULL);
  while (epoch) {
    struct pubsub_epoch *next = pubsub_reservoir_next(reservoir, epoch);
    pubsub_reservoir_unlock(reservoir);
    visit(user, epoch);
    pubsub_reservoir_lock(reservoir);
    epoch = next;
  }
  pubsub_reservoir_unlock(reservoir);
}
