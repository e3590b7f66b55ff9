/*
 *   level 0  StreamingPullResponse    received_messages (1) …
 *   level 1    ReceivedMessage        ack_id (1), message (2), delivery_attempt (3)
 *   level 2      PubsubMessage        data (1), attributes (2), message_id (3), publish_time (4),
 *                                     ordering_key (5)
 *
 * At level 0 a message that is whole in the input is parsed in place. A short one that is cut is
 * stashed whole (one small copy an input). A long one is entered: its fields are stashed one by
 * one, its data goes to the sink.
 */
#include "proto/pull_decoder.h"

#include "base/alloc.h"
#include "base/error.h"
#include "proto/received_parser.h"
#include "proto/wire.h"

#define STASH_WHOLE_BYTES 8192
#define HEAD_BYTES 20 /* a tag and a length, at most */

enum phase { IN_HEAD, IN_STASH, IN_DATA, IN_SKIP };

struct field_ref { /* a field of an entered message, in the stash */
  uint32_t level, field;
  size_t at, len;
};

struct pubsub_pull_decoder {
  const struct pubsub_pull_sink *sink;
  void *user;
  size_t max_response_bytes;
  struct pubsub_received_parser parser;

  size_t offset; /* bytes of the response consumed */
  size_t end[3]; /* of the message at each level, as offsets */
  int level;
  enum phase phase;
  uint8_t head[HEAD_BYTES];
  size_t head_len;
  size_t left;             /* of the body in IN_STASH, IN_DATA, IN_SKIP */
  uint32_t field;          /* whose body it is */
  struct pubsub_buf stash; /* a short message, or the fields of an entered one */
  struct field_ref *refs;
  size_t ref_count, ref_cap;
  uint8_t *data; /* where the payload of the entered message goes; NULL: not wanted */
  size_t data_len, data_filled;
  bool failed;
  enum pubsub_status failure; /* once it has failed */
};

enum pubsub_status pubsub_pull_decoder_new(const struct pubsub_pull_sink *sink, void *user,
                                           size_t max_response_bytes,
                                           struct pubsub_pull_decoder **out) {
  struct pubsub_pull_decoder *decoder = pubsub_alloc_zero(1, sizeof *decoder);
  if (!decoder) return PUBSUB_E_NOMEM;
  decoder->sink = sink;
  decoder->user = user;
  decoder->max_response_bytes = max_response_bytes;
  *out = decoder;
  return PUBSUB_OK;
}

void pubsub_pull_decoder_destroy(struct pubsub_pull_decoder *decoder) {
  if (!decoder) return;
  pubsub_received_parser_clear(&decoder->parser);
  pubsub_buf_clear(&decoder->stash);
  pubsub_free(decoder->refs);
  pubsub_free(decoder);
}

static enum pubsub_status fail(struct pubsub_pull_decoder *decoder, struct pubsub_error *error,
                               const char *problem) {
  decoder->failed = true;
  decoder->failure = PUBSUB_E_PROTOCOL;
  return pubsub_error_set(error, PUBSUB_E_PROTOCOL, "malformed StreamingPullResponse: %s", problem);
}

enum pubsub_status pubsub_pull_decoder_begin(struct pubsub_pull_decoder *decoder, size_t bytes,
                                             struct pubsub_error *error) {
  decoder->offset = 0;
  decoder->level = 0;
  decoder->end[0] = bytes;
  decoder->phase = IN_HEAD;
  decoder->head_len = 0;
  decoder->failed = false;
  if (bytes > decoder->max_response_bytes) return fail(decoder, error, "it is too long");
  return PUBSUB_OK;
}

static enum pubsub_status report(struct pubsub_pull_decoder *decoder, enum pubsub_status status,
                                 struct pubsub_error *error) {
  decoder->failed = true;
  if (status == PUBSUB_E_PROTOCOL) {
    return fail(decoder, error, decoder->parser.problem ? decoder->parser.problem : "refused");
  }
  decoder->failure = status;
  return pubsub_error_set(error, status, "%s",
                          status == PUBSUB_E_NOMEM ? "out of memory" : "the message was refused");
}

static enum pubsub_status deliver(struct pubsub_pull_decoder *decoder, struct pubsub_error *error) {
  enum pubsub_status status = pubsub_received_finish(&decoder->parser);
  if (status == PUBSUB_OK) {
    status = decoder->sink->on_message(decoder->user, &decoder->parser.message);
  }
  return status == PUBSUB_OK ? PUBSUB_OK : report(decoder, status, error);
}

static enum pubsub_status whole_message(struct pubsub_pull_decoder *decoder,
                                        struct pubsub_view encoded, struct pubsub_error *error) {
  pubsub_received_parser_reset(&decoder->parser);
  enum pubsub_status status = pubsub_received_parse(&decoder->parser, encoded);
  return status == PUBSUB_OK ? deliver(decoder, error) : report(decoder, status, error);
}

static void read_properties(struct pubsub_pull_decoder *decoder, struct pubsub_view encoded) {
  struct pubsub_subscription_properties properties = {0};
  const uint8_t *ptr = encoded.ptr, *end = ptr + encoded.len;
  struct pubsub_wire_field field;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (ptr && field.tag == (1 << 3)) properties.exactly_once = field.number != 0;
    if (ptr && field.tag == (2 << 3)) properties.ordering = field.number != 0;
  }
  if (decoder->sink->on_properties) decoder->sink->on_properties(decoder->user, &properties);
}

/* A length-delimited field of the response is whole. */
static enum pubsub_status response_field(struct pubsub_pull_decoder *decoder, uint32_t field,
                                         struct pubsub_view value, struct pubsub_error *error) {
  if (field == 1) return whole_message(decoder, value, error);
  if (field == 4) read_properties(decoder, value);
  return PUBSUB_OK; /* confirmations of requests that this client does not make on its streams */
}

/* ---- entered messages ---- */

static enum pubsub_status add_ref(struct pubsub_pull_decoder *decoder, size_t len) {
  if (decoder->ref_count == decoder->ref_cap) {
    size_t cap = decoder->ref_cap ? decoder->ref_cap * 2 : 32;
    void *refs = pubsub_realloc(decoder->refs, cap * sizeof *decoder->refs);
    if (!refs) return PUBSUB_E_NOMEM;
    decoder->refs = refs;
    decoder->ref_cap = cap;
  }
  decoder->refs[decoder->ref_count++] =
      (struct field_ref){(uint32_t)decoder->level, decoder->field, decoder->stash.len, len};
  return PUBSUB_OK;
}

static enum pubsub_status leave_message(struct pubsub_pull_decoder *decoder,
                                        struct pubsub_error *error) {
  struct pubsub_received_parser *parser = &decoder->parser;
  for (size_t i = 0; i < decoder->ref_count; i++) {
    const struct field_ref *ref = &decoder->refs[i];
    struct pubsub_view value = pubsub_view_of(decoder->stash.ptr + ref->at, ref->len);
    if (ref->level == 1) {
      parser->message.ack_id = value;
      continue;
    }
    enum pubsub_status status = pubsub_received_parse_field(parser, ref->field, value);
    if (status != PUBSUB_OK) return report(decoder, status, error);
  }
  parser->message.data = pubsub_view_of(decoder->data, decoder->data_len);
  return deliver(decoder, error);
}

static enum pubsub_status start_data(struct pubsub_pull_decoder *decoder, size_t len,
                                     struct pubsub_error *error) {
  uint8_t *out = NULL;
  if (len > 0) {
    enum pubsub_status status = decoder->sink->reserve_data(decoder->user, len, &out);
    if (status != PUBSUB_OK) return report(decoder, status, error);
  }
  decoder->data = out;
  decoder->data_len = len;
  decoder->data_filled = 0;
  decoder->phase = IN_DATA;
  return PUBSUB_OK;
}

/* A tag and what follows it (a scalar, or the length of a body) are complete. */
static enum pubsub_status field_begins(struct pubsub_pull_decoder *decoder, uint64_t tag,
                                       uint64_t value, struct pubsub_error *error) {
  uint32_t field = (uint32_t)(tag >> 3);
  int level = decoder->level;
  decoder->field = field;
  if ((tag & 7) != PUBSUB_WIRE_LEN) {
    if (level == 1 && tag == (3 << 3)) decoder->parser.message.delivery_attempt = (int32_t)value;
    return PUBSUB_OK;
  }
  if (value > decoder->end[level] - decoder->offset) {
    return fail(decoder, error, "a field is longer than its message");
  }
  decoder->left = (size_t)value;
  if (level == 0 && field == 1 && value > STASH_WHOLE_BYTES) {
    pubsub_received_parser_reset(&decoder->parser);
    decoder->level = 1;
    decoder->end[1] = decoder->offset + (size_t)value;
    decoder->stash.len = decoder->ref_count = 0;
    decoder->data = NULL;
    decoder->data_len = 0;
    return PUBSUB_OK;
  }
  if (level == 1 && field == 2) {
    decoder->level = 2;
    decoder->end[2] = decoder->offset + (size_t)value;
    return PUBSUB_OK;
  }
  if (level == 2 && field == 1) return start_data(decoder, (size_t)value, error);
  bool known = level == 0 || (level == 1 && field == 1) || (level == 2 && field <= 5);
  if (!known) {
    decoder->phase = IN_SKIP;
    return PUBSUB_OK;
  }
  if (level == 0) {
    decoder->stash.len = 0;
  } else if (add_ref(decoder, (size_t)value) != PUBSUB_OK) {
    return report(decoder, PUBSUB_E_NOMEM, error);
  }
  decoder->phase = IN_STASH;
  return PUBSUB_OK;
}

/* Takes one byte of a head; calls field_begins with the last one. */
static enum pubsub_status head_byte(struct pubsub_pull_decoder *decoder, uint8_t byte,
                                    struct pubsub_error *error) {
  uint64_t tag, value = 0;
  decoder->head[decoder->head_len++] = byte;
  const uint8_t *end = decoder->head + decoder->head_len;
  const uint8_t *ptr = pubsub_varint_read(decoder->head, end, &tag);
  if (!ptr) {
    return decoder->head_len >= 10 ? fail(decoder, error, "a tag is malformed") : PUBSUB_OK;
  }
  uint32_t type = tag & 7;
  if (tag > UINT32_MAX || tag >> 3 == 0 || type == 3 || type == 4 || type > 5) {
    return fail(decoder, error, "a tag is malformed");
  }
  size_t seen = (size_t)(end - ptr);
  if (type == PUBSUB_WIRE_I64 || type == PUBSUB_WIRE_I32) {
    if (seen < (type == PUBSUB_WIRE_I64 ? 8 : 4)) return PUBSUB_OK;
  } else if (!pubsub_varint_read(ptr, end, &value)) {
    return seen >= 10 ? fail(decoder, error, "a number is malformed") : PUBSUB_OK;
  }
  decoder->head_len = 0;
  return field_begins(decoder, tag, value, error);
}

/* Everything at level 0 that is whole in [ptr, end). Returns where it stopped; NULL: failed. */
static const uint8_t *whole_fields(struct pubsub_pull_decoder *decoder, const uint8_t *ptr,
                                   const uint8_t *end, struct pubsub_error *error) {
  while (ptr < end) {
    uint64_t tag, len;
    const uint8_t *body = pubsub_varint_read(ptr, end, &tag);
    if (!body || (tag & 7) != PUBSUB_WIRE_LEN || tag > UINT32_MAX || tag >> 3 == 0) break;
    body = pubsub_varint_read(body, end, &len);
    if (!body || len > (uint64_t)(end - body)) break;
    if (response_field(decoder, (uint32_t)(tag >> 3), pubsub_view_of(body, (size_t)len), error) !=
        PUBSUB_OK) {
      return NULL;
    }
    ptr = body + len;
  }
  return ptr;
}

static enum pubsub_status body_ended(struct pubsub_pull_decoder *decoder,
                                     struct pubsub_error *error) {
  enum phase phase = decoder->phase;
  decoder->phase = IN_HEAD;
  if (phase != IN_STASH || decoder->level != 0) return PUBSUB_OK;
  return response_field(decoder, decoder->field,
                        pubsub_view_of(decoder->stash.ptr, decoder->stash.len), error);
}

/* The next part of a body. */
static enum pubsub_status body_bytes(struct pubsub_pull_decoder *decoder, const uint8_t *ptr,
                                     size_t len, struct pubsub_error *error) {
  if (decoder->phase == IN_STASH) {
    if (pubsub_buf_append(&decoder->stash, ptr, len) != PUBSUB_OK) {
      return report(decoder, PUBSUB_E_NOMEM, error);
    }
  } else if (decoder->phase == IN_DATA) {
    if (decoder->data && len > 0) memcpy(decoder->data + decoder->data_filled, ptr, len);
    decoder->data_filled += len;
  }
  decoder->left -= len;
  decoder->offset += len;
  return decoder->left == 0 ? body_ended(decoder, error) : PUBSUB_OK;
}

/* Levels that end here are left. */
static enum pubsub_status leave_levels(struct pubsub_pull_decoder *decoder,
                                       struct pubsub_error *error) {
  while (decoder->level > 0 && decoder->offset == decoder->end[decoder->level]) {
    if (decoder->head_len > 0) return fail(decoder, error, "a field is cut off");
    if (decoder->level-- == 1) {
      enum pubsub_status status = leave_message(decoder, error);
      if (status != PUBSUB_OK) return status;
    }
  }
  return PUBSUB_OK;
}

enum pubsub_status pubsub_pull_decoder_feed(struct pubsub_pull_decoder *decoder,
                                            const uint8_t *data, size_t len,
                                            struct pubsub_error *error) {
  enum pubsub_status status = PUBSUB_OK;
  const uint8_t *ptr = data, *end = data + len;
  if (decoder->failed) return pubsub_error_set(error, PUBSUB_E_PROTOCOL, "malformed response");
  if (len > decoder->end[0] - decoder->offset) return fail(decoder, error, "it is too long");
  while (status == PUBSUB_OK) {
    if (decoder->phase != IN_HEAD) {
      size_t part = decoder->left < (size_t)(end - ptr) ? decoder->left : (size_t)(end - ptr);
      if (part == 0 && decoder->left > 0) break;
      status = body_bytes(decoder, ptr, part, error);
      ptr += part;
      continue;
    }
    if (decoder->level > 0 && decoder->offset == decoder->end[decoder->level]) {
      status = leave_levels(decoder, error);
      continue;
    }
    if (ptr == end) break;
    if (decoder->level == 0 && decoder->head_len == 0) {
      const uint8_t *stopped = whole_fields(decoder, ptr, end, error);
      if (!stopped) return decoder->failure;
      decoder->offset += (size_t)(stopped - ptr);
      ptr = stopped;
      if (ptr == end) break;
    }
    decoder->offset++;
    status = head_byte(decoder, *ptr++, error);
  }
  return status;
}

enum pubsub_status pubsub_pull_decoder_end(struct pubsub_pull_decoder *decoder,
                                           struct pubsub_error *error) {
  if (decoder->failed) return pubsub_error_set(error, PUBSUB_E_PROTOCOL, "malformed response");
  if (decoder->offset != decoder->end[0] || decoder->level != 0 || decoder->phase != IN_HEAD ||
      decoder->head_len != 0) {
    return fail(decoder, error, "it is cut off");
  }
  return PUBSUB_OK;
}
