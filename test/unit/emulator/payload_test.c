#include "world.h"

#include "push/endpoint.h"
#include "push/payload.h"

/* The request for the only message of a world; the caller clears it. */
static void write(struct test_world *world, struct pubsub_buf *out, const char *token) {
  struct test_consumer consumer;
  struct pubsub_url url;
  assert_true(endpoint_parse("http://127.0.0.1:7/push", &url));
  consume(&consumer, world->subscription, 0);
  take_all(&consumer);
  assert_int_equal(payload_write(out, &url, world->subscription, consumer.got[0], token),
                   PUBSUB_OK);
  assert_int_equal(pubsub_buf_append(out, "", 1), PUBSUB_OK);
  backlog_release(&consumer.consumer, consumer.got, 1);
}

static void set_push(struct test_world *world, bool unwrapped, bool metadata) {
  Google__Pubsub__V1__PushConfig *push = calloc(1, sizeof *push);
  google__pubsub__v1__push_config__init(push);
  if (unwrapped) {
    push->wrapper_case = GOOGLE__PUBSUB__V1__PUSH_CONFIG__WRAPPER_NO_WRAPPER;
    push->no_wrapper = calloc(1, sizeof *push->no_wrapper);
    google__pubsub__v1__push_config__no_wrapper__init(push->no_wrapper);
    push->no_wrapper->write_metadata = metadata;
  }
  world->subscription->config->push_config = push;
}

static void wrapped(void **state) {
  struct test_world world;
  struct pubsub_buf out = {0};
  (void)state;
  world_set_up(&world);
  set_push(&world, false, false);
  publish(&world, "hello", "key\"");
  write(&world, &out, "a.b.c");
  const char *text = (const char *)out.ptr;
  assert_non_null(strstr(text, "POST /push HTTP/1.1\r\nHost: 127.0.0.1:7\r\n"));
  assert_non_null(strstr(text, "Authorization: Bearer a.b.c\r\n"));
  assert_non_null(
      strstr(text, "\"data\":\"aGVsbG8=\",\"orderingKey\":\"key\\\"\",\"messageId\":\"1\""));
  assert_non_null(strstr(text, ",\"subscription\":\"projects/p/subscriptions/sub1\"}"));
  const char *body = strstr(text, "\r\n\r\n") + 4, *length = strstr(text, "Content-Length: ");
  assert_int_equal(atoi(length + 16), strlen(body));
  pubsub_buf_clear(&out);
  world_tear_down(&world);
}

static void unwrapped(void **state) {
  struct test_world world;
  struct pubsub_buf out = {0};
  (void)state;
  world_set_up(&world);
  set_push(&world, true, true);
  publish(&world, "hello", "two\r\nlines");
  write(&world, &out, NULL);
  const char *text = (const char *)out.ptr;
  assert_non_null(strstr(text, "x-goog-pubsub-message-id: 1\r\n"));
  assert_null(strstr(text, "ordering-key")); /* it would be two headers */
  assert_null(strstr(text, "Authorization"));
  assert_string_equal(strstr(text, "\r\n\r\n") + 4, "hello");
  pubsub_buf_clear(&out);
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(wrapped, no_leaks),
                                     cmocka_unit_test_teardown(unwrapped, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
