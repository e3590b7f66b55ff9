#include "support.h"

#include "base/alloc.h"
#include "proto/publish_encoder.h"
#include "pub/desk.h"

static struct pubsub_desk desk;

static int set_up(void **state) {
  struct pubsub_publisher_options options = {.max_batch_messages = 3,
                                             .max_batch_bytes = 1000,
                                             .linger_ms = 10,
                                             .max_in_flight_bytes = 8000};
  (void)state;
  return pubsub_desk_init(&desk, pubsub_view_str("t"), &options) == PUBSUB_OK ? 0 : -1;
}

static int tear_down(void **state) {
  pubsub_desk_clear(&desk);
  return no_leaks(state);
}

static enum pubsub_status add(const char *key, size_t data_bytes, uint64_t now_us) {
  static const uint8_t data[2000];
  struct pubsub_message message = {.data = {data, data_bytes},
                                   .ordering_key = pubsub_view_str(key)};
  return pubsub_desk_add(&desk, &message, pubsub_publish_field_bytes(&message), now_us);
}

/* The messages of each sealed request, as digits, oldest request first; frees them. */
static const char *taken(void) {
  static char digits[64];
  struct pubsub_list list;
  size_t count = 0;
  pubsub_list_init(&list);
  pubsub_desk_take_sealed(&desk, &list);
  while (!pubsub_list_empty(&list)) {
    struct pubsub_publish_request *request =
        PUBSUB_CONTAINER_OF(list.next, struct pubsub_publish_request, link);
    pubsub_list_remove(&request->link);
    digits[count++] = (char)('0' + request->batch.messages);
    pubsub_desk_finish(&desk, request);
    pubsub_publish_request_unref(request);
  }
  digits[count] = '\0';
  return digits;
}

static void a_full_request_is_sealed(void **state) {
  (void)state;
  for (int i = 0; i < 7; i++)
    assert_int_equal(add("", 10, 0), PUBSUB_OK);
  assert_string_equal(taken(), "33");
  assert_int_equal(desk.unfinished_requests, 1);
  pubsub_desk_seal_all(&desk);
  assert_string_equal(taken(), "1");
  assert_int_equal(desk.unfinished_requests, 0);
  assert_int_equal(desk.in_flight_bytes, 0);
}

static void what_does_not_fit_seals_the_open_one(void **state) {
  (void)state;
  add("", 600, 0);
  assert_string_equal(taken(), "");
  add("", 600, 0);
  assert_string_equal(taken(), "1");
  pubsub_desk_seal_all(&desk);
  assert_string_equal(taken(), "1");
}

static void each_key_has_its_request(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    add("a", 10, 0);
    add("b", 10, 0);
    add("", 10, 0);
  }
  add("a", 10, 0);
  assert_string_equal(taken(), "3");
  pubsub_desk_seal_all(&desk);
  assert_string_equal(taken(), "22");
}

static void the_oldest_is_due_first(void **state) {
  (void)state;
  assert_true(pubsub_desk_seal_due(&desk, 1) == UINT64_MAX);
  add("a", 10, 1000);
  add("b", 10, 4000);
  assert_int_equal(pubsub_desk_seal_due(&desk, 10999), 11000);
  assert_int_equal(pubsub_desk_seal_due(&desk, 11000), 14000);
  assert_string_equal(taken(), "1");
  assert_true(pubsub_desk_seal_due(&desk, 14000) == UINT64_MAX);
}

static void news_is_what_the_sender_has_not_seen(void **state) {
  (void)state;
  assert_false(desk.news);
  add("", 10, 0);
  assert_true(desk.news); /* its linger is to be watched */
  taken();
  assert_false(desk.news);
  add("", 10, 0);
  assert_false(desk.news);
  pubsub_desk_seal_all(&desk);
  assert_true(desk.news);
}

static void room_counts_messages_and_requests(void **state) {
  int requests = 0;
  (void)state;
  for (char key[2] = "a"; pubsub_desk_has_room(&desk); key[0]++, requests++)
    add(key, 10, 0);
  assert_int_equal(requests, 8); /* 8 x 1024 and a little are over 8000 */
  pubsub_desk_seal_all(&desk);
  taken();
  assert_true(pubsub_desk_has_room(&desk));
}

static void without_memory_a_message_is_not_added(void **state) {
  int refused = 0;
  (void)state;
  for (uint64_t nth = 1; nth < 12; nth++) {
    uint64_t bytes = desk.in_flight_bytes, number = desk.next_number;
    char key[2] = {(char)('a' + nth), '\0'};
    pubsub_alloc_fail_after(nth % 4 + 1);
    if (add(key, 10, 0) == PUBSUB_OK) continue;
    pubsub_alloc_fail_after(0);
    refused++;
    assert_int_equal(desk.in_flight_bytes, bytes);
    assert_int_equal(desk.next_number, number);
  }
  assert_true(refused > 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(a_full_request_is_sealed),
                                     TEST(what_does_not_fit_seals_the_open_one),
                                     TEST(each_key_has_its_request),
                                     TEST(the_oldest_is_due_first),
                                     TEST(news_is_what_the_sender_has_not_seen),
                                     TEST(room_counts_messages_and_requests),
                                     TEST(without_memory_a_message_is_not_added)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
