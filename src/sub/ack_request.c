#include "sub/ack_request.h"

#include "proto/wire.h"

enum {
  SUBSCRIPTION = 1 << 3 | 2,
  SECONDS = 3 << 3,
  ACK_IDS = 2 << 3 | 2,
  MODIFY_ACK_IDS = 4 << 3 | 2
};

enum pubsub_status pubsub_ack_request_begin(struct pubsub_ack_request *request,
                                            enum pubsub_ack_kind kind,
                                            struct pubsub_view subscription, uint32_t deadline_s,
                                            bool outcomes) {
  request->kind = kind;
  request->outcomes = outcomes;
  request->details_bytes = 0;
  request->ids = 0;
  request->bytes.len = 0;
  if (pubsub_buf_reserve(&request->bytes, subscription.len + 32) != PUBSUB_OK) {
    return PUBSUB_E_NOMEM;
  }
  uint8_t *out =
      pubsub_wire_write_bytes(request->bytes.ptr, SUBSCRIPTION, subscription.ptr, subscription.len);
  if (kind == PUBSUB_ACK_KIND_EXTEND) { /* 0 is the default and not written */
    out = pubsub_wire_write_number(out, SECONDS, deadline_s);
  }
  request->bytes.len = request->head_bytes = (size_t)(out - request->bytes.ptr);
  return PUBSUB_OK;
}

static bool fits(const struct pubsub_ack_request *request, size_t bytes, size_t details) {
  if (request->ids == 0) return true;
  if (request->outcomes && request->details_bytes + details > PUBSUB_ACK_REQUEST_MAX_DETAILS) {
    return false;
  }
  return request->bytes.len + bytes <= PUBSUB_ACK_REQUEST_MAX_BYTES;
}

uint32_t pubsub_ack_request_add(struct pubsub_ack_request *request,
                                const struct pubsub_ack_ids *ids, const uint32_t *rows,
                                uint32_t count, uint32_t *next) {
  uint8_t tag = request->kind == PUBSUB_ACK_KIND_ACK ? ACK_IDS : MODIFY_ACK_IDS;
  uint32_t before = request->ids;
  while (*next < count && request->ids < PUBSUB_ACK_REQUEST_MAX_IDS) {
    struct pubsub_view id = pubsub_ack_ids_at(ids, rows ? rows[*next] : *next);
    size_t bytes = pubsub_wire_len_bytes(id.len);
    size_t details = id.len + PUBSUB_ACK_REQUEST_DETAIL_BYTES;
    if (!fits(request, bytes, details)) break;
    if (pubsub_buf_reserve(&request->bytes, bytes) != PUBSUB_OK) break;
    pubsub_wire_write_bytes(request->bytes.ptr + request->bytes.len, tag, id.ptr, id.len);
    request->bytes.len += bytes;
    request->details_bytes += details;
    request->ids++;
    (*next)++;
  }
  return request->ids - before;
}

bool pubsub_ack_request_next_id(const struct pubsub_ack_request *request, size_t *cursor,
                                struct pubsub_view *out) {
  struct pubsub_wire_field field;
  if (*cursor < request->head_bytes) *cursor = request->head_bytes;
  if (*cursor >= request->bytes.len) return false;
  const uint8_t *end = pubsub_wire_field_read(request->bytes.ptr + *cursor,
                                              request->bytes.ptr + request->bytes.len, &field);
  if (!end) return false;
  *cursor = (size_t)(end - request->bytes.ptr);
  *out = field.value;
  return true;
}

void pubsub_ack_request_clear(struct pubsub_ack_request *request) {
  pubsub_buf_clear(&request->bytes);
}
