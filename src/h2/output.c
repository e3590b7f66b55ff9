#include "h2/output.h"

#include "base/alloc.h"

#define ARENA_BYTES ((size_t)16384)
#define FIRST_CAP ((size_t)32)

static struct pubsub_segment *piece_at(const struct pubsub_h2_output *output, size_t index) {
  return &output->pieces[(output->first + index) & (output->cap - 1)];
}

static void push(struct pubsub_h2_output *output, struct pubsub_segment piece) {
  *piece_at(output, output->count++) = piece;
  output->bytes += piece.len;
}

/* Room for one piece and for one more place to hold. */
static enum pubsub_status reserve(struct pubsub_h2_output *output) {
  size_t needed = output->count + output->held + 2;
  if (needed <= output->cap) return PUBSUB_OK;
  size_t cap = output->cap ? output->cap : FIRST_CAP;
  while (cap < needed)
    cap *= 2;
  struct pubsub_segment *pieces = pubsub_alloc(cap * sizeof *pieces);
  if (!pieces) return PUBSUB_E_NOMEM;
  for (size_t i = 0; i < output->count; i++)
    pieces[i] = *piece_at(output, i);
  pubsub_free(output->pieces);
  output->pieces = pieces;
  output->first = 0;
  output->cap = cap;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_h2_output_add(struct pubsub_h2_output *output,
                                        struct pubsub_segment take_piece) {
  if (reserve(output) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  push(output, take_piece);
  return PUBSUB_OK;
}

static enum pubsub_status add_block(struct pubsub_h2_output *output, const uint8_t *ptr,
                                    size_t len) {
  uint8_t *copy = pubsub_alloc(len);
  if (!copy) return PUBSUB_E_NOMEM;
  memcpy(copy, ptr, len);
  push(output, (struct pubsub_segment){copy, len, pubsub_free, copy});
  return PUBSUB_OK;
}

enum pubsub_status pubsub_h2_output_copy(struct pubsub_h2_output *output, const uint8_t *ptr,
                                         size_t len) {
  if (!output->arena && !(output->arena = pubsub_alloc(ARENA_BYTES))) return PUBSUB_E_NOMEM;
  if (reserve(output) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  if (len > ARENA_BYTES - output->arena_used) return add_block(output, ptr, len);
  uint8_t *place = output->arena + output->arena_used;
  memcpy(place, ptr, len);
  output->arena_used += len;
  struct pubsub_segment *last = output->count > 0 ? piece_at(output, output->count - 1) : NULL;
  if (last && !last->release && last->ptr + last->len == place) { /* frames in a row */
    last->len += len;
    output->bytes += len;
  } else {
    push(output, (struct pubsub_segment){place, len, NULL, NULL});
  }
  return PUBSUB_OK;
}

void pubsub_h2_output_hold(struct pubsub_h2_output *output) {
  output->held++;
}

void pubsub_h2_output_release(struct pubsub_h2_output *output) {
  output->held--;
}

void pubsub_h2_output_keep(struct pubsub_h2_output *output, struct pubsub_segment take_owner) {
  take_owner.len = 0;
  output->held--;
  push(output, take_owner);
}

int pubsub_h2_output_parts(const struct pubsub_h2_output *output, struct iovec *parts, int max,
                           size_t *out_bytes) {
  size_t offset = output->offset, bytes = 0;
  int count = 0;
  for (size_t i = 0; i < output->count && count < max; i++) {
    const struct pubsub_segment *piece = piece_at(output, i);
    parts[count].iov_base = (uint8_t *)(uintptr_t)piece->ptr + offset;
    parts[count].iov_len = piece->len - offset;
    bytes += parts[count++].iov_len;
    offset = 0;
  }
  *out_bytes = bytes;
  return count;
}

void pubsub_h2_output_written(struct pubsub_h2_output *output, size_t bytes) {
  output->bytes -= bytes;
  while (output->count > 0) {
    struct pubsub_segment piece = *piece_at(output, 0);
    size_t left = piece.len - output->offset;
    if (bytes < left) break;
    bytes -= left;
    output->offset = 0;
    output->first = (output->first + 1) & (output->cap - 1);
    output->count--;
    if (piece.release) piece.release(piece.owner);
  }
  output->offset += bytes;
  if (output->count == 0) output->arena_used = 0;
}

void pubsub_h2_output_clear(struct pubsub_h2_output *output) {
  pubsub_h2_output_written(output, output->bytes);
  pubsub_free(output->pieces);
  pubsub_free(output->arena);
  *output = (struct pubsub_h2_output){0};
}
