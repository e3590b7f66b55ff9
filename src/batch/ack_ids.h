/*
 * The ack ids of a chunk's rows, in an arena of their own. An id can be replaced by a newer one of
 * the same message: it goes to the arena's end, and the arena is written anew when it is full, so
 * that it stays below three times the ids' bytes. One thread at a time.
 */
#ifndef PUBSUB_BATCH_ACK_IDS_H
#define PUBSUB_BATCH_ACK_IDS_H

#include "base/bytes.h"
#include "batch/blocks.h"

struct pubsub_ack_ids {
  uint8_t *bytes;    /* owned, from the store */
  uint32_t *offsets; /* count + 1: id i begins at offsets[i], and ends at offsets[i + 1] … */
  uint32_t *ends;    /* … or, once an id was replaced, at ends[i]; else NULL */
  uint32_t count;
  size_t bytes_used;                                      /* counted where there are `ends` */
  size_t bytes_capacity, offsets_capacity, ends_capacity; /* of the store, in bytes */
  struct pubsub_blocks *blocks;                           /* one reference */
};

static inline struct pubsub_view pubsub_ack_ids_at(const struct pubsub_ack_ids *ids, uint32_t i) {
  uint32_t end = __builtin_expect(ids->ends != NULL, 0) ? ids->ends[i] : ids->offsets[i + 1];
  return pubsub_view_of(ids->bytes + ids->offsets[i], end - ids->offsets[i]);
}
/* Row i has this id from now on; `id` is copied. Errors: NOMEM, LIMIT (2 GiB of ids): unchanged. */
enum pubsub_status pubsub_ack_ids_replace(struct pubsub_ack_ids *ids, uint32_t i,
                                          struct pubsub_view id);
void pubsub_ack_ids_clear(struct pubsub_ack_ids *ids);

#endif
