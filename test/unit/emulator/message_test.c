#include "world.h"

static struct message *new_message(struct block *block, int64_t time_us) {
  struct message message = {
      .block = block, .offset = 2, .len = 3, .id = 7, .publish_time_us = time_us};
  struct message *copy = message_copy(&message);
  assert_non_null(copy);
  return copy;
}

static void copies_share_their_bytes(void **state) {
  struct pubsub_buf bytes = {0};
  (void)state;
  pubsub_buf_append(&bytes, "xxabc", 5);
  struct block *block = block_new(&bytes);
  assert_null(bytes.ptr);
  struct message *one = new_message(block, 1), *two = message_copy(one);
  block_unref(block);
  assert_int_equal(two->id, 7);
  message_free(one);
  assert_true(pubsub_view_equal(message_view(two), pubsub_view_str("abc")));
  message_free(two);
}

static void the_old_are_swept_from_the_head(void **state) {
  struct pubsub_buf bytes = {0};
  struct pubsub_list list;
  (void)state;
  pubsub_buf_append(&bytes, "xxabc", 5);
  struct block *block = block_new(&bytes);
  pubsub_list_init(&list);
  for (int64_t time = 1; time <= 5; time++) {
    struct message *message = new_message(block, time);
    assert_int_equal(message_keep(&list, message), PUBSUB_OK);
    message_free(message);
  }
  messages_sweep(&list, 3);
  assert_int_equal(PUBSUB_CONTAINER_OF(list.next, struct message, link)->publish_time_us, 3);
  messages_free(&list);
  assert_int_equal(block->refs, 1);
  block_unref(block);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(copies_share_their_bytes, no_leaks),
      cmocka_unit_test_teardown(the_old_are_swept_from_the_head, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
