#include "batch/ack_ids.h"

static enum pubsub_status make_ends(struct pubsub_ack_ids *ids) {
  if (ids->ends) return PUBSUB_OK;
  uint8_t *block =
      pubsub_blocks_get(ids->blocks, ids->count * sizeof(uint32_t), &ids->ends_capacity);
  if (!block) return PUBSUB_E_NOMEM;
  ids->ends = (uint32_t *)(void *)block;
  memcpy(ids->ends, ids->offsets + 1, ids->count * sizeof(uint32_t));
  ids->bytes_used = ids->offsets[ids->count];
  return PUBSUB_OK;
}

/* Writes the ids one after another into an arena with room for as much again. */
static enum pubsub_status compact(struct pubsub_ack_ids *ids, size_t more) {
  size_t live = 0, capacity, used = 0;
  for (uint32_t i = 0; i < ids->count; i++)
    live += pubsub_ack_ids_at(ids, i).len;
  if (2 * live + more > INT32_MAX) return PUBSUB_E_LIMIT;
  uint8_t *bytes = pubsub_blocks_get(ids->blocks, live + live / 2 + more, &capacity);
  if (!bytes) return PUBSUB_E_NOMEM;
  for (uint32_t i = 0; i < ids->count; i++) {
    struct pubsub_view id = pubsub_ack_ids_at(ids, i);
    if (id.len > 0) memcpy(bytes + used, id.ptr, id.len);
    ids->offsets[i] = (uint32_t)used;
    used += id.len;
    ids->ends[i] = (uint32_t)used;
  }
  pubsub_blocks_put(ids->blocks, ids->bytes, ids->bytes_capacity);
  ids->bytes = bytes;
  ids->bytes_capacity = capacity;
  ids->bytes_used = used;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_ack_ids_replace(struct pubsub_ack_ids *ids, uint32_t i,
                                          struct pubsub_view id) {
  enum pubsub_status status = make_ends(ids);
  if (status == PUBSUB_OK && id.len > ids->bytes_capacity - ids->bytes_used) {
    status = compact(ids, id.len);
  }
  if (status != PUBSUB_OK) return status;
  if (id.len > 0) memcpy(ids->bytes + ids->bytes_used, id.ptr, id.len);
  ids->offsets[i] = (uint32_t)ids->bytes_used;
  ids->bytes_used += id.len;
  ids->ends[i] = (uint32_t)ids->bytes_used;
  return PUBSUB_OK;
}

void pubsub_ack_ids_clear(struct pubsub_ack_ids *ids) {
  if (ids->blocks) {
    pubsub_blocks_put(ids->blocks, ids->bytes, ids->bytes_capacity);
    pubsub_blocks_put(ids->blocks, (uint8_t *)ids->offsets, ids->offsets_capacity);
    pubsub_blocks_put(ids->blocks, (uint8_t *)ids->ends, ids->ends_capacity);
    pubsub_blocks_unref(ids->blocks);
  }
  *ids = (struct pubsub_ack_ids){0};
}
