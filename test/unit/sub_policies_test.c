#include "support.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "sub/ack_request.h"
#include "sub/lease.h"
#include <stdlib.h>

#define SECOND UINT64_C(1000000)

/* On a virtual clock: an extension always comes before the deadline runs out, and stops when it must. */
static void leases_are_extended_in_time(void **state) {
  static const uint64_t deadlines[] = {10, 11, 20, 60, 600};
  (void)state;
  for (size_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++) {
    uint64_t now = 5 * SECOND, granted = now, deadline = deadlines[i] * SECOND;
    const uint64_t most = 3600 * SECOND;
    struct pubsub_lease lease;
    enum pubsub_lease_action action = PUBSUB_LEASE_EXTEND;
    pubsub_lease_start(&lease, now, deadline);
    assert_int_equal(pubsub_lease_check(&lease, most, now), PUBSUB_LEASE_KEEP);
    while (action == PUBSUB_LEASE_EXTEND) {
      now = pubsub_lease_due_us(&lease, most);
      assert_true(now > granted && now + 5 * SECOND <= granted + deadline);
      action = pubsub_lease_check(&lease, most, now);
      assert_int_not_equal(action, PUBSUB_LEASE_KEEP);
      granted = now;
      pubsub_lease_extend(&lease, now, deadline);
    }
    assert_int_equal(action, PUBSUB_LEASE_GIVE_UP);
    assert_int_equal(now, 3605 * SECOND);
  }
}

/* A newer ack id has the stream's deadline, however long the chunk's was extended. */
static void a_newer_id_shortens_a_lease(void **state) {
  struct pubsub_lease lease;
  (void)state;
  pubsub_lease_start(&lease, 0, 60 * SECOND);
  pubsub_lease_extend(&lease, 40 * SECOND, 600 * SECOND);
  pubsub_lease_shorten(&lease, 100 * SECOND, 60 * SECOND);
  assert_int_equal(pubsub_lease_end_us(&lease), 160 * SECOND);
  pubsub_lease_shorten(&lease, 110 * SECOND, 60 * SECOND); /* what ends earlier stays */
  assert_int_equal(pubsub_lease_end_us(&lease), 160 * SECOND);
}

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
      cmocka_unit_test_teardown(leases_are_extended_in_time, no_leaks),
      cmocka_unit_test_teardown(a_newer_id_shortens_a_lease, no_leaks),
      cmocka_unit_test_teardown(requests_stay_within_the_limits, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
