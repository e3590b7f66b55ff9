/*
 * The push decoder: any split gives what the whole gives, and both agree with the generated code.
 *
 * Input: how it is cut, then a StreamingPullResponse; or, so that a short input reaches the road of
 * long messages, the fields of one ReceivedMessage behind a long ack id.
 */
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "proto/pull_decoder.h"
#include "support/fuzz.h"
#include "support/generated.h"
#include <stdlib.h>

#define LONG_ACK_ID_BYTES 9000
#define MAX_RESPONSE_BYTES ((size_t)1 << 20)

struct told { /* what the sink was told, as bytes */
  struct pubsub_buf rows;
  size_t row_count, properties_count;
  struct pubsub_subscription_properties properties;
  uint8_t *reserved;
};

static void put(struct told *told, struct pubsub_view view) {
  FUZZ_CHECK(pubsub_buf_append(&told->rows, &view.len, sizeof view.len) == PUBSUB_OK);
  if (view.len == 0) return;
  FUZZ_CHECK(pubsub_buf_append(&told->rows, view.ptr, view.len) == PUBSUB_OK);
}

static enum pubsub_status on_message(void *user, const struct pubsub_received *message) {
  struct told *told = user;
  told->row_count++;
  put(told, message->ack_id);
  put(told, message->message_id);
  put(told, message->data);
  put(told, message->ordering_key);
  put(told, pubsub_view_of(&message->attribute_count, sizeof message->attribute_count));
  for (size_t i = 0; i < message->attribute_count; i++) {
    put(told, message->attributes[i].key);
    put(told, message->attributes[i].value);
  }
  put(told, pubsub_view_of(&message->publish_time_us, 8));
  put(told, pubsub_view_of(&message->delivery_attempt, 4));
  return PUBSUB_OK;
}

static enum pubsub_status reserve_data(void *user, size_t len, uint8_t **out) {
  struct told *told = user;
  FUZZ_CHECK(len <= MAX_RESPONSE_BYTES);
  free(told->reserved);
  *out = told->reserved = fuzz_alloc(len);
  memset(*out, 0, len);
  return PUBSUB_OK;
}

static void on_properties(void *user, const struct pubsub_subscription_properties *properties) {
  struct told *told = user;
  told->properties_count++;
  told->properties = *properties;
}

static const struct pubsub_pull_sink sink = {
    .on_message = on_message, .reserve_data = reserve_data, .on_properties = on_properties};

static enum pubsub_status decode(struct pubsub_view response, struct fuzz_input cuts, uint8_t mode,
                                 struct told *told) {
  struct pubsub_pull_decoder *decoder;
  *told = (struct told){0};
  FUZZ_CHECK(pubsub_pull_decoder_new(&sink, told, MAX_RESPONSE_BYTES, &decoder) == PUBSUB_OK);
  enum pubsub_status status = pubsub_pull_decoder_begin(decoder, response.len, NULL);
  for (size_t at = 0; status == PUBSUB_OK && at < response.len;) {
    size_t len = fuzz_split(&cuts, mode, response.len - at);
    uint8_t *piece = fuzz_copy(pubsub_view_of(response.ptr + at, len));
    status = pubsub_pull_decoder_feed(decoder, piece, len, NULL);
    free(piece);
    at += len;
  }
  if (status == PUBSUB_OK) status = pubsub_pull_decoder_end(decoder, NULL);
  pubsub_pull_decoder_destroy(decoder);
  free(told->reserved);
  return status;
}

static void check_same(const struct told *a, const struct told *b) {
  FUZZ_CHECK(a->row_count == b->row_count && a->rows.len == b->rows.len);
  FUZZ_CHECK(a->rows.len == 0 || memcmp(a->rows.ptr, b->rows.ptr, a->rows.len) == 0);
}

typedef Google__Pubsub__V1__StreamingPullResponse generated_response;

/* What is to be told of a response, by the generated code. */
static void expect(const generated_response *response, struct told *told) {
  struct generated_row row;
  *told = (struct told){0};
  for (size_t i = 0; i < response->n_received_messages; i++) {
    generated_row_of(response->received_messages[i], &row);
    on_message(told, &row.received);
    generated_row_clear(&row);
  }
  if (response->subscription_properties) {
    told->properties_count = 1;
    told->properties.exactly_once =
        response->subscription_properties->exactly_once_delivery_enabled;
    told->properties.ordering = response->subscription_properties->message_ordering_enabled;
  }
}

static void check_properties(const struct told *told, const struct told *expected) {
  if (expected->properties_count != 1 || told->properties_count != 1)
    return; /* merged from several */
  FUZZ_CHECK(told->properties.exactly_once == expected->properties.exactly_once);
  FUZZ_CHECK(told->properties.ordering == expected->properties.ordering);
}

/* The generated code reads a bool of any wire type, where the format makes it an unknown field. */
static bool bools_are_numbers(struct pubsub_view message, bool inside) {
  const uint8_t *ptr = message.ptr, *end = ptr + message.len;
  struct pubsub_wire_field field;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (!ptr) return false;
    if (inside && field.tag >> 3 <= 2 && (field.tag & 7) != PUBSUB_WIRE_VARINT) return false;
    if (!inside && field.tag == (4 << 3 | PUBSUB_WIRE_LEN) &&
        !bools_are_numbers(field.value, true)) {
      return false;
    }
  }
  return true;
}

/* Written anew by the generated code, without what it does not know, it must be taken, and mean the
 * same. */
static void compare_repacked(generated_response *generated, struct fuzz_input cuts, uint8_t mode,
                             const struct told *expected) {
  struct told told;
  generated_strip(&generated->base);
  size_t len = google__pubsub__v1__streaming_pull_response__get_packed_size(generated);
  if (len > MAX_RESPONSE_BYTES) return;
  uint8_t *packed = fuzz_alloc(len + 1);
  google__pubsub__v1__streaming_pull_response__pack(generated, packed);
  FUZZ_CHECK(decode(pubsub_view_of(packed, len), cuts, mode, &told) == PUBSUB_OK);
  check_same(&told, expected);
  FUZZ_CHECK(told.properties_count == expected->properties_count);
  check_properties(&told, expected);
  pubsub_buf_clear(&told.rows);
  free(packed);
}

/* `told`: of the response itself, where it was taken; else NULL. A NUL in it may end a text, for
 * the generated code alone. */
static void compare_generated(struct pubsub_view response, struct fuzz_input cuts, uint8_t mode,
                              const struct told *told) {
  struct told expected;
  generated_response *generated =
      google__pubsub__v1__streaming_pull_response__unpack(NULL, response.len, response.ptr);
  if (!generated) return;
  expect(generated, &expected);
  if (told && bools_are_numbers(response, false)) check_properties(told, &expected);
  if (told && response.len > 0 && !memchr(response.ptr, 0, response.len)) {
    check_same(told, &expected);
  }
  compare_repacked(generated, cuts, mode, &expected);
  pubsub_buf_clear(&expected.rows);
  google__pubsub__v1__streaming_pull_response__free_unpacked(generated, NULL);
}

static void put_head(struct pubsub_buf *out, size_t len) {
  uint8_t head[11] = {1 << 3 | PUBSUB_WIRE_LEN};
  size_t bytes = (size_t)(pubsub_varint_write(head + 1, len) - head);
  FUZZ_CHECK(pubsub_buf_append(out, head, bytes) == PUBSUB_OK);
}

/* One long ReceivedMessage: an ack id that is longer than what the decoder keeps whole, then these
 * fields. */
static void make_long(struct pubsub_view fields, struct pubsub_buf *out) {
  static uint8_t ack_id[LONG_ACK_ID_BYTES];
  size_t id_head = 1 + pubsub_varint_bytes(sizeof ack_id);
  put_head(out, id_head + sizeof ack_id + fields.len);
  put_head(out, sizeof ack_id);
  FUZZ_CHECK(pubsub_buf_append(out, ack_id, sizeof ack_id) == PUBSUB_OK);
  FUZZ_CHECK(pubsub_buf_append(out, fields.ptr, fields.len) == PUBSUB_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size}, cuts = {data, size};
  struct told whole, cut;
  struct pubsub_buf made = {0};
  uint8_t mode = fuzz_u8(&input);
  struct pubsub_view response = fuzz_rest(&input);
  if (mode & 0x80) {
    make_long(response, &made);
    response = pubsub_view_of(made.ptr, made.len);
  }
  mode &= 0x7f;
  enum pubsub_status status = decode(response, cuts, 0, &whole);
  FUZZ_CHECK(decode(response, cuts, mode, &cut) == status);
  if (status == PUBSUB_OK) check_same(&whole, &cut);
  if (status == PUBSUB_OK) FUZZ_CHECK(whole.properties_count == cut.properties_count);
  compare_generated(response, cuts, mode, status == PUBSUB_OK ? &whole : NULL);
  pubsub_buf_clear(&whole.rows);
  pubsub_buf_clear(&cut.rows);
  pubsub_buf_clear(&made);
  return 0;
}
