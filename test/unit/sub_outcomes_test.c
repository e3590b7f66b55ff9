/* The histogram of holding times, outcomes of single ids, and the index of held messages. */
#include "support.h"

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "sub/ack_latency.h"
#include "sub/ack_outcome.h"
#include "sub/held_index.h"
#include <stdio.h>

#define SECOND UINT64_C(1000000)

static void the_deadline_follows_the_percentile(void **state) {
  struct pubsub_ack_latency latency = {0};
  (void)state;
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, false), 45);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, true), 60);
  pubsub_ack_latency_add(&latency, 20 * SECOND, 985, SECOND);
  pubsub_ack_latency_add(&latency, 90 * SECOND, 15, SECOND);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, false), 90);
  pubsub_ack_latency_add(&latency, 20 * SECOND, 1000, SECOND);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, false), 20);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 40 * SECOND, 45, false), 40);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, true), 60);
  pubsub_ack_latency_add(&latency, 5000 * SECOND, 100000, SECOND);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, false), 600);
  for (uint64_t turn = 1; turn < 30; turn++) /* a new workload is learnt */
    pubsub_ack_latency_add(&latency, 2 * SECOND, 1000, SECOND + turn * 600 * SECOND);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, false), 10);
}

static void outcomes_are_found_by_id(void **state) {
  Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
  Google__Rpc__ErrorInfo__MetadataEntry entries[3], *pointers[3];
  static char *const keys[] = {"id-b", "id-a", "service"};
  static char *const values[] = {"PERMANENT_FAILURE_INVALID_ACK_ID", "TRANSIENT_FAILURE_OTHER",
                                 "pubsub.googleapis.com"};
  uint8_t packed[512], whole[1024];
  (void)state;
  for (int i = 0; i < 3; i++) {
    google__rpc__error_info__metadata_entry__init(&entries[i]);
    entries[i].key = keys[i];
    entries[i].value = values[i];
    pointers[i] = &entries[i];
  }
  info.n_metadata = 3;
  info.metadata = pointers;
  Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT, *details = &any;
  any.type_url = "type.googleapis.com/google.rpc.ErrorInfo";
  any.value.data = packed;
  any.value.len = google__rpc__error_info__pack(&info, packed);
  Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
  status.n_details = 1;
  status.details = &details;
  size_t len = google__rpc__status__pack(&status, whole);
  struct pubsub_ack_outcomes outcomes;
  assert_int_equal(pubsub_ack_outcomes_read(&outcomes, pubsub_view_of(whole, len)), PUBSUB_OK);
  assert_int_equal(outcomes.count, 2); /* "service" is not an ack id */
  assert_int_equal(pubsub_ack_outcomes_find(&outcomes, pubsub_view_str("id-a")),
                   PUBSUB_ACK_OUTCOME_TRANSIENT);
  assert_int_equal(pubsub_ack_outcomes_find(&outcomes, pubsub_view_str("id-b")),
                   PUBSUB_ACK_OUTCOME_PERMANENT);
  assert_int_equal(pubsub_ack_outcomes_find(&outcomes, pubsub_view_str("id")),
                   PUBSUB_ACK_OUTCOME_GOOD);
  pubsub_ack_outcomes_clear(&outcomes);
  for (size_t cut = 0; cut < len; cut++) { /* garbage is no outcome, and no crash */
    pubsub_ack_outcomes_read(&outcomes, pubsub_view_of(whole, cut));
    pubsub_ack_outcomes_clear(&outcomes);
  }
}

static void held_messages_are_found_until_removed(void **state) {
  struct pubsub_pool *pool;
  int owners[2];
  struct pubsub_held *a = (struct pubsub_held *)(void *)&owners[0];
  struct pubsub_held *b = (struct pubsub_held *)(void *)&owners[1];
  (void)state;
  assert_int_equal(pubsub_message_number(pubsub_view_str("1234567890123456789")),
                   UINT64_C(1234567890123456789));
  assert_int_equal(pubsub_message_number(pubsub_view_str("012")), 0);
  assert_int_equal(pubsub_message_number(pubsub_view_str("12a")), 0);
  assert_int_equal(pubsub_pool_new(1 << 24, &pool), PUBSUB_OK);
  struct pubsub_held_index index = {.pool = pool};
  for (uint32_t i = 1; i <= 20000; i++)
    assert_int_equal(pubsub_held_index_set(&index, i, a, i), PUBSUB_OK);
  for (uint32_t i = 3; i <= 20000; i += 3)
    pubsub_held_index_remove(&index, i, i % 2 ? a : b); /* b has none: stays */
  for (uint32_t i = 1; i <= 20000; i++) {
    const struct pubsub_held_place *place = pubsub_held_index_find(&index, i);
    assert_true((place != NULL) == !(i % 3 == 0 && i % 2));
    assert_true(!place || (place->held == a && place->row == i));
  }
  pubsub_held_index_clear(&index);
  assert_int_equal(pubsub_pool_used_bytes(pool), 0);
  pubsub_pool_unref(pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(the_deadline_follows_the_percentile, no_leaks),
      cmocka_unit_test_teardown(outcomes_are_found_by_id, no_leaks),
      cmocka_unit_test_teardown(held_messages_are_found_until_removed, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
