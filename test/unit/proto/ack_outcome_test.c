/* The histogram of holding times, outcomes of single ids, and the index of held messages. */
#include "support.h"

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "proto/ack_outcome.h"

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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(outcomes_are_found_by_id, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
