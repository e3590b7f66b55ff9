/* A client's life, without a peer: what is handed over to its loops, and what it refuses. */
#include "support.h"

#include <pubsub/client.h>

/* Nobody listens there, and nobody is asked to: a client dials when it has something to say. */
static const struct pubsub_client_options nowhere = {
    .endpoint = "127.0.0.1:9", .loop_threads = 2, .proxy = ""};

static void a_token_just_before_the_end_harms_nothing(void **state) {
  static const char token[] = "ya29.not-a-token";
  struct pubsub_client *client;
  struct pubsub_error error = {0};
  (void)state;
  for (int i = 0; i < 200; i++) {
    assert_int_equal(pubsub_client_new(&nowhere, &client, &error), PUBSUB_OK);
    assert_int_equal(pubsub_client_set_token(client, token, sizeof token - 1, &error), PUBSUB_OK);
    pubsub_client_destroy(client);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_token_just_before_the_end_harms_nothing, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
