/* Ack ids of any length packed into requests: the generated code reads the same ids, and no request
 * breaks a limit. */
#include "batch/builder.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "sub/ack_request.h"
#include "support/fuzz.h"
#include <stdio.h>
#include <stdlib.h>

#define MAX_ROWS 600

/* Ids of the lengths that the input says, each told apart by its number. */
static uint32_t make_ids(struct fuzz_input *input, struct pubsub_blocks *blocks,
                         struct pubsub_ack_ids *out) {
  static uint8_t bytes[600000];
  struct pubsub_builder *builder;
  struct pubsub_chunk *chunk;
  FUZZ_CHECK(pubsub_builder_new(blocks, 0, &builder) == PUBSUB_OK);
  memset(bytes, 'i', sizeof bytes);
  uint32_t rows = 0, long_ones = 0;
  while (rows == 0 || (input->left > 0 && rows < MAX_ROWS)) {
    uint8_t kind = fuzz_u8(input);
    if (kind >= 250 && long_ones++ >= 3) kind -= 50; /* they take long */
    size_t len = kind < 250 ? kind : kind == 250 ? 520000 : (size_t)fuzz_u8(input) << (kind - 245);
    char number[16];
    int digits = snprintf(number, sizeof number, "%u.", rows);
    if (len >= (size_t)digits) memcpy(bytes, number, (size_t)digits);
    struct pubsub_received message = {.ack_id = pubsub_view_of(bytes, len)};
    FUZZ_CHECK(pubsub_builder_append(builder, &message) == PUBSUB_OK);
    rows++;
  }
  FUZZ_CHECK(pubsub_builder_seal(builder, &chunk, out) == PUBSUB_OK);
  pubsub_chunk_unref(chunk);
  pubsub_builder_destroy(builder);
  return rows;
}

static void check_ids(const struct pubsub_ack_request *request, char *const *generated,
                      size_t count) {
  size_t cursor = 0, seen = 0;
  struct pubsub_view id;
  while (pubsub_ack_request_next_id(request, &cursor, &id)) {
    FUZZ_CHECK(seen < count && pubsub_view_equal(id, pubsub_view_str(generated[seen])));
    seen++;
  }
  FUZZ_CHECK(seen == count && count == request->ids);
}

static void check_request(const struct pubsub_ack_request *request) {
  const struct pubsub_buf *bytes = &request->bytes;
  FUZZ_CHECK(request->ids <= PUBSUB_ACK_REQUEST_MAX_IDS);
  FUZZ_CHECK(bytes->len <= PUBSUB_ACK_REQUEST_MAX_BYTES || request->ids <= 1);
  if (request->kind == PUBSUB_ACK_KIND_ACK) {
    Google__Pubsub__V1__AcknowledgeRequest *generated =
        google__pubsub__v1__acknowledge_request__unpack(NULL, bytes->len, bytes->ptr);
    FUZZ_CHECK(generated && strcmp(generated->subscription, "projects/p/subscriptions/s") == 0);
    check_ids(request, generated->ack_ids, generated->n_ack_ids);
    google__pubsub__v1__acknowledge_request__free_unpacked(generated, NULL);
  } else {
    Google__Pubsub__V1__ModifyAckDeadlineRequest *generated =
        google__pubsub__v1__modify_ack_deadline_request__unpack(NULL, bytes->len, bytes->ptr);
    FUZZ_CHECK(generated && strcmp(generated->subscription, "projects/p/subscriptions/s") == 0);
    FUZZ_CHECK(generated->ack_deadline_seconds == (request->kind == PUBSUB_ACK_KIND_NACK ? 0 : 60));
    check_ids(request, generated->ack_ids, generated->n_ack_ids);
    google__pubsub__v1__modify_ack_deadline_request__free_unpacked(generated, NULL);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  struct pubsub_blocks *blocks;
  struct pubsub_ack_ids ids;
  uint32_t order[MAX_ROWS], next = 0;
  uint8_t flags = fuzz_u8(&input);
  FUZZ_CHECK(pubsub_blocks_new((uint64_t)1 << 20, &blocks) == PUBSUB_OK);
  uint32_t rows = make_ids(&input, blocks, &ids);
  for (uint32_t i = 0; i < rows; i++)
    order[i] = rows - 1 - i;
  const uint32_t *listed = flags & 8 ? order : NULL;
  while (next < rows) {
    struct pubsub_ack_request request = {0};
    struct pubsub_view subscription = pubsub_view_str("projects/p/subscriptions/s");
    FUZZ_CHECK(pubsub_ack_request_begin(&request, flags % PUBSUB_ACK_KIND_COUNT, subscription, 60,
                                        flags & 4) == PUBSUB_OK);
    FUZZ_CHECK(pubsub_ack_request_add(&request, &ids, listed, rows, &next) > 0);
    check_request(&request);
    pubsub_ack_request_clear(&request);
  }
  pubsub_ack_ids_clear(&ids);
  pubsub_blocks_unref(blocks);
  return 0;
}
