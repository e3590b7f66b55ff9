/*
 * What a caller publishes: measured and encoded by hand, read by the generated code. And the ids
 * that a service answers with.
 *
 * Input: messages as pubsub_publisher_publish_block takes them, or a PublishResponse.
 */
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "proto/publish_encoder.h"
#include "pub/row_block.h"
#include "support/fuzz.h"
#include "support/generated.h"
#include <stdlib.h>

#define TOPIC "projects/p/topics/t"

/* The generated code's texts end at their first NUL. */
static bool same_text(struct pubsub_view bytes, const char *text) {
  size_t len = strlen(text);
  return len <= bytes.len && (len == 0 || memcmp(bytes.ptr, text, len) == 0) &&
         (len == bytes.len || bytes.ptr[len] == 0);
}

static void check_message(const struct pubsub_message *message,
                          const Google__Pubsub__V1__PubsubMessage *generated) {
  FUZZ_CHECK(pubsub_view_equal(pubsub_view_of(message->data.ptr, message->data.len),
                               pubsub_view_of(generated->data.data, generated->data.len)));
  FUZZ_CHECK(same_text(message->ordering_key, generated->ordering_key));
  FUZZ_CHECK(message->attribute_count == generated->n_attributes);
  for (size_t i = 0; i < message->attribute_count; i++) {
    FUZZ_CHECK(same_text(message->attributes[i].key, generated->attributes[i]->key));
    FUZZ_CHECK(same_text(message->attributes[i].value, generated->attributes[i]->value));
  }
}

static void check_encoding(const struct pubsub_message *message, size_t bytes) {
  struct pubsub_buf request = {0};
  FUZZ_CHECK(pubsub_publish_field_bytes(message) == bytes);
  FUZZ_CHECK(pubsub_publish_encode_topic(&request, pubsub_view_str(TOPIC)) == PUBSUB_OK);
  size_t head = request.len;
  uint8_t *whole = fuzz_alloc(head + bytes); /* not a byte too many */
  memcpy(whole, request.ptr, head);
  FUZZ_CHECK(pubsub_publish_encode(message, whole + head) == whole + head + bytes);
  Google__Pubsub__V1__PublishRequest *generated =
      google__pubsub__v1__publish_request__unpack(NULL, head + bytes, whole);
  FUZZ_CHECK(generated && generated->n_messages == 1 && strcmp(generated->topic, TOPIC) == 0);
  check_message(message, generated->messages[0]);
  google__pubsub__v1__publish_request__free_unpacked(generated, NULL);
  pubsub_buf_clear(&request);
  free(whole);
}

static void check_inside(struct pubsub_view block, struct pubsub_view bytes) {
  FUZZ_CHECK(bytes.len == 0 ||
             (bytes.ptr >= block.ptr && bytes.ptr + bytes.len <= block.ptr + block.len));
}

static void read_rows(struct pubsub_view block) {
  struct pubsub_row_block rows;
  struct pubsub_error error;
  pubsub_row_block_init(&rows, block);
  while (!pubsub_row_block_at_end(&rows)) {
    error = (struct pubsub_error){0};
    enum pubsub_status status = pubsub_row_block_next(&rows, &error);
    FUZZ_CHECK((status == PUBSUB_OK) == (error.text[0] == '\0'));
    if (status == PUBSUB_E_INVALID) return;
    if (status != PUBSUB_OK) continue;
    size_t bytes;
    check_inside(block, rows.row.data);
    check_inside(block, rows.row.ordering_key);
    for (size_t i = 0; i < rows.row.attribute_count; i++) {
      check_inside(block, rows.row.attributes[i].key);
      check_inside(block, rows.row.attributes[i].value);
    }
    status = pubsub_publish_measure(&rows.row, &bytes, &error);
    FUZZ_CHECK((status == PUBSUB_OK) == (error.text[0] == '\0'));
    if (status == PUBSUB_OK) check_encoding(&rows.row, bytes);
  }
}

struct ids {
  struct pubsub_view all;
  size_t count;
  char **expected; /* NULL: only counted */
  size_t expected_count;
};

static void on_id(void *user, struct pubsub_view id) {
  struct ids *ids = user;
  FUZZ_CHECK(id.ptr >= ids->all.ptr && id.ptr + id.len <= ids->all.ptr + ids->all.len);
  if (ids->expected) {
    FUZZ_CHECK(ids->count < ids->expected_count);
    FUZZ_CHECK(pubsub_view_equal(id, pubsub_view_str(ids->expected[ids->count])));
  }
  ids->count++;
}

/* Whatever it is, it is read safely; written anew by the generated code, it has the ids that this
 * knows of. */
static void read_ids(struct pubsub_view response) {
  struct ids ids = {.all = response};
  pubsub_publish_decode_ids(response, on_id, &ids);
  Google__Pubsub__V1__PublishResponse *generated =
      google__pubsub__v1__publish_response__unpack(NULL, response.len, response.ptr);
  if (!generated) return;
  generated_strip(&generated->base);
  size_t len = google__pubsub__v1__publish_response__get_packed_size(generated);
  uint8_t *packed = fuzz_alloc(len + 1);
  google__pubsub__v1__publish_response__pack(generated, packed);
  ids = (struct ids){.all = {packed, len},
                     .expected = generated->message_ids,
                     .expected_count = generated->n_message_ids};
  FUZZ_CHECK(pubsub_publish_decode_ids(ids.all, on_id, &ids) == PUBSUB_OK);
  FUZZ_CHECK(ids.count == generated->n_message_ids);
  google__pubsub__v1__publish_response__free_unpacked(generated, NULL);
  free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  uint8_t mode = fuzz_u8(&input);
  struct pubsub_view rest = fuzz_rest(&input);
  uint8_t *copy = fuzz_copy(rest);
  if (mode & 1) {
    read_ids(pubsub_view_of(copy, rest.len));
  } else {
    read_rows(pubsub_view_of(copy, rest.len));
  }
  free(copy);
  return 0;
}
