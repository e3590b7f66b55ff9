#include "support.h"

#include "proto/publish_encoder.h"
#include "pub/batcher.h"

static const struct pubsub_batcher_limits limits = {
    .max_messages = 3, .max_bytes = 100, .head_bytes = 10, .linger_us = 5000};

static void an_empty_request_takes_any_message_and_is_never_due(void **state) {
  struct pubsub_batcher batcher = {0};
  (void)state;
  assert_true(pubsub_batcher_fits(&limits, &batcher, 1000000));
  assert_false(pubsub_batcher_full(&limits, &batcher));
  assert_true(pubsub_batcher_due_us(&limits, &batcher) == UINT64_MAX);
}

static void it_is_full_by_messages(void **state) {
  struct pubsub_batcher batcher = {0};
  (void)state;
  for (int i = 0; i < 3; i++) {
    assert_true(pubsub_batcher_fits(&limits, &batcher, 4));
    assert_false(pubsub_batcher_full(&limits, &batcher));
    pubsub_batcher_add(&batcher, 4, 1);
  }
  assert_false(pubsub_batcher_fits(&limits, &batcher, 4));
  assert_true(pubsub_batcher_full(&limits, &batcher));
}

static void it_is_full_by_bytes_with_its_head(void **state) {
  struct pubsub_batcher batcher = {0};
  (void)state;
  pubsub_batcher_add(&batcher, 50, 1);
  assert_true(pubsub_batcher_fits(&limits, &batcher, 40)); /* 10 + 50 + 40 = 100 */
  assert_false(pubsub_batcher_fits(&limits, &batcher, 41));
  pubsub_batcher_add(&batcher, 37, 1);
  assert_true(pubsub_batcher_full(&limits, &batcher)); /* 3 bytes are left, less than any message */
}

static void a_larger_message_goes_alone(void **state) {
  struct pubsub_batcher batcher = {0};
  (void)state;
  pubsub_batcher_add(&batcher, 5000, 1);
  assert_false(pubsub_batcher_fits(&limits, &batcher, 1));
  assert_true(pubsub_batcher_full(&limits, &batcher));
}

static void it_is_due_by_its_first_message(void **state) {
  struct pubsub_batcher batcher = {0};
  (void)state;
  pubsub_batcher_add(&batcher, 4, 1000);
  pubsub_batcher_add(&batcher, 4, 3000);
  assert_int_equal(pubsub_batcher_due_us(&limits, &batcher), 6000);
}

static void what_the_service_would_refuse_is_not_sendable(void **state) {
  (void)state;
  assert_true(pubsub_batcher_sendable(&limits, PUBSUB_PUBLISH_MAX_BYTES - 10));
  assert_false(pubsub_batcher_sendable(&limits, PUBSUB_PUBLISH_MAX_BYTES - 9));
  struct pubsub_batcher_limits long_topic = {.head_bytes = PUBSUB_PUBLISH_MAX_BYTES + 1u};
  assert_false(pubsub_batcher_sendable(&long_topic, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_request_takes_any_message_and_is_never_due),
      cmocka_unit_test(it_is_full_by_messages),
      cmocka_unit_test(it_is_full_by_bytes_with_its_head),
      cmocka_unit_test(a_larger_message_goes_alone),
      cmocka_unit_test(it_is_due_by_its_first_message),
      cmocka_unit_test(what_the_service_would_refuse_is_not_sendable)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
