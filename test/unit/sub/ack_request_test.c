#include "support.h"

#include "base/rng.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "sub/ack_request.h"
#include <stdlib.h>

static struct pubsub_ack_ids random_ids(struct pubsub_rng *rng, uint32_t count, size_t max) {
  struct pubsub_ack_ids ids = {.count = count};
  ids.offsets = malloc((count + 1) * sizeof *ids.offsets);
  ids.bytes = malloc(count * max + 1);
  ids.offsets[0] = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t len = 1 + (uint32_t)pubsub_rng_below(rng, max);
    memset(ids.bytes + ids.offsets[i], (int)('a' + i % 26), len);
    ids.offsets[i + 1] = ids.offsets[i] + len;
  }
  return ids;
}

static void requests_stay_within_the_limits(void **state) {
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 3);
  for (int turn = 0; turn < 60; turn++) {
    enum pubsub_ack_kind kind = (enum pubsub_ack_kind)(turn % 3);
    struct pubsub_ack_ids ids =
        random_ids(&rng, 1 + (uint32_t)pubsub_rng_below(&rng, 6000), turn % 2 ? 40 : 400);
    uint32_t next = 0, seen = 0;
    bool outcomes = turn % 5 == 0;
    while (next < ids.count) {
      struct pubsub_ack_request request = {0};
      pubsub_ack_request_begin(&request, kind, pubsub_view_str("projects/p/subscriptions/s"), 60,
                               outcomes);
      uint32_t added = pubsub_ack_request_add(&request, &ids, NULL, ids.count, &next);
      assert_true(added > 0 && added <= PUBSUB_ACK_REQUEST_MAX_IDS);
      assert_true(request.bytes.len <= PUBSUB_ACK_REQUEST_MAX_BYTES);
      size_t cursor = 0, details = 0;
      struct pubsub_view sent;
      while (pubsub_ack_request_next_id(&request, &cursor, &sent))
        details += sent.len + PUBSUB_ACK_REQUEST_DETAIL_BYTES;
      assert_int_equal(cursor, request.bytes.len);
      assert_true(!outcomes || details <= PUBSUB_ACK_REQUEST_MAX_DETAILS);
      char **texts;
      ProtobufCMessage *parsed;
      size_t count;
      if (kind == PUBSUB_ACK_KIND_ACK) {
        Google__Pubsub__V1__AcknowledgeRequest *ack =
            google__pubsub__v1__acknowledge_request__unpack(NULL, request.bytes.len,
                                                            request.bytes.ptr);
        assert_string_equal(ack->subscription, "projects/p/subscriptions/s");
        texts = ack->ack_ids;
        count = ack->n_ack_ids;
        parsed = &ack->base;
      } else {
        Google__Pubsub__V1__ModifyAckDeadlineRequest *modify =
            google__pubsub__v1__modify_ack_deadline_request__unpack(NULL, request.bytes.len,
                                                                    request.bytes.ptr);
        assert_int_equal(modify->ack_deadline_seconds, kind == PUBSUB_ACK_KIND_NACK ? 0 : 60);
        texts = modify->ack_ids;
        count = modify->n_ack_ids;
        parsed = &modify->base;
      }
      assert_int_equal(count, added);
      for (size_t i = 0; i < count; i++, seen++) {
        struct pubsub_view id = pubsub_ack_ids_at(&ids, seen);
        assert_int_equal(strlen(texts[i]), id.len);
        assert_memory_equal(texts[i], id.ptr, id.len);
      }
      protobuf_c_message_free_unpacked(parsed, NULL);
      pubsub_ack_request_clear(&request);
    }
    assert_int_equal(seen, ids.count);
    free(ids.bytes);
    free(ids.offsets);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(requests_stay_within_the_limits, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
