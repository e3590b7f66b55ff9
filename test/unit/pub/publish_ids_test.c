#include "support.h"

#include "base/alloc.h"
#include "pub/publish_ids.h"

/* PublishResponse {message_ids: "7", "8", "9"} */
static const uint8_t three[] = {0x0a, 1, '7', 0x0a, 1, '8', 0x0a, 1, '9'};

static struct pubsub_publish_request request;
static size_t told;

static void on_ids(void *user, const uint64_t *numbers, const struct pubsub_view *ids,
                   size_t count) {
  (void)user;
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(numbers[i], 40 + i);
    assert_int_equal(ids[i].len, 1);
    assert_int_equal(ids[i].ptr[0], '7' + i);
  }
  told += count;
}

static enum pubsub_status tell(size_t messages, size_t bytes, bool keep,
                               struct pubsub_error *error) {
  request = (struct pubsub_publish_request){.first_number = 40};
  request.batch.messages = (uint32_t)messages;
  told = 0;
  return pubsub_publish_ids_tell(&request, pubsub_view_of(three, bytes), keep ? on_ids : NULL, NULL,
                                 error);
}

static void each_message_has_its_id(void **state) {
  (void)state;
  assert_int_equal(tell(3, sizeof three, true, NULL), PUBSUB_OK);
  assert_int_equal(told, 3);
  assert_int_equal(tell(3, sizeof three, false, NULL), PUBSUB_OK);
  assert_int_equal(told, 0);
}

static void too_few_too_many_and_none(void **state) {
  struct pubsub_error error = {0};
  (void)state;
  for (size_t messages = 0; messages < 6; messages++) {
    if (messages == 3) continue;
    for (int keep = 0; keep < 2; keep++) {
      assert_int_equal(tell(messages, sizeof three, keep, &error), PUBSUB_E_PROTOCOL);
      assert_int_equal(told, 0);
    }
  }
  assert_string_equal(error.text, "the service gave 3 ids for 5 published messages");
}

static void a_cut_answer(void **state) {
  (void)state;
  for (size_t bytes = 0; bytes < sizeof three; bytes++)
    assert_int_equal(tell(3, bytes, true, NULL), PUBSUB_E_PROTOCOL);
}

/* Nobody is told, and it may be sent again. */
static void without_memory(void **state) {
  (void)state;
  for (uint64_t nth = 1; nth <= 2; nth++) {
    struct pubsub_error error = {0};
    pubsub_alloc_fail_after(nth);
    assert_int_equal(tell(3, sizeof three, true, &error), PUBSUB_E_NOMEM);
    assert_true(error.retryable);
    assert_int_equal(told, 0);
  }
}

#define TEST(name) cmocka_unit_test_teardown(name, no_leaks)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(each_message_has_its_id), TEST(too_few_too_many_and_none),
                                     TEST(a_cut_answer), TEST(without_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
