/* A client's life, without a peer: what is handed over to its loops, and what it refuses. */
#include "support.h"

#include <pubsub/client.h>
#include <stdlib.h>
#include <string.h>

/* Nobody listens there, and nobody is asked to: a client dials when it has something to say. */
static const struct pubsub_client_options nowhere = {
    .endpoint = "127.0.0.1:9", .loop_threads = 2, .proxy = ""};

static void a_token_just_before_the_end_harms_nothing(void **state) {
  static const char token[] = "ya29.not-a-token";
  struct pubsub_client *client;
  struct pubsub_error error = {0};
  (void)state;
  for (int i = 0; i < 20; i++) {
    assert_int_equal(pubsub_client_new(&nowhere, &client, &error), PUBSUB_OK);
    assert_int_equal(pubsub_client_set_token(client, token, sizeof token - 1, &error), PUBSUB_OK);
    pubsub_client_destroy(client);
  }
}

/* Refused where it would break a header: the calls would fail one by one otherwise, or carry a
 * header of the caller's. */
static void texts_that_no_header_may_have_are_refused(void **state) {
  static const char *const bad[] = {"a\r\nx-goog-user-project: other", "a\nb", "caf\xc3\xa9", " a",
                                    "a "};
  char endless[4096];
  (void)state;
  memset(endless, 'a', sizeof endless - 1);
  endless[sizeof endless - 1] = '\0';
  for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
    const char *text = i < sizeof bad / sizeof *bad ? bad[i] : endless;
    for (int field = 0; field < 2; field++) {
      struct pubsub_client_options options = nowhere;
      struct pubsub_client *client = NULL;
      struct pubsub_error error = {0};
      *(field ? &options.quota_project : &options.user_agent) = text;
      assert_int_equal(pubsub_client_new(&options, &client, &error), PUBSUB_E_INVALID);
      assert_null(client);
      assert_non_null(strstr(error.text, field ? "quota project" : "user agent"));
    }
  }
}

static void texts_of_headers_are_taken(void **state) {
  struct pubsub_client_options options = nowhere;
  struct pubsub_client *client;
  (void)state;
  options.user_agent = "spark-pubsub/0.1 (Spark 4.0)";
  options.quota_project = "example.com:my-project";
  assert_int_equal(pubsub_client_new(&options, &client, NULL), PUBSUB_OK);
  pubsub_client_destroy(client);
  options.user_agent = options.quota_project = "";
  assert_int_equal(pubsub_client_new(&options, &client, NULL), PUBSUB_OK);
  pubsub_client_destroy(client);
}

static void the_environment_names_the_emulator(void **state) {
  struct pubsub_client *client = NULL;
  struct pubsub_error error = {0};
  (void)state;
  setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:9", 1);
  assert_int_equal(pubsub_client_from_environment(&client, &error), PUBSUB_OK);
  pubsub_client_destroy(client);
  setenv("PUBSUB_EMULATOR_HOST", "", 1); /* as if it were not there: the service, with a token */
  setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json", 1);
  client = NULL;
  assert_int_equal(pubsub_client_from_environment(&client, &error), PUBSUB_E_INVALID);
  assert_null(client);
  assert_non_null(strstr(error.text, "/nowhere/key.json"));
  unsetenv("PUBSUB_EMULATOR_HOST");
  unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
}

/* A number of the package, with the distribution's patches, says more than upstream's. */
static void what_is_linked_in_is_told(void **state) {
  char text[160], little[8];
  (void)state;
  pubsub_libraries(text, sizeof text);
  assert_memory_equal(text, "OpenSSL ", 8);
  assert_non_null(strstr(text, ", nghttp2 1."));
  assert_non_null(strchr(strstr(text, "nghttp2"), '-'));
  assert_non_null(strstr(text, ", zlib 1."));
  pubsub_libraries(little, sizeof little);
  assert_string_equal(little, "OpenSSL");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_token_just_before_the_end_harms_nothing, no_leaks),
      cmocka_unit_test_teardown(texts_that_no_header_may_have_are_refused, no_leaks),
      cmocka_unit_test_teardown(texts_of_headers_are_taken, no_leaks),
      cmocka_unit_test_teardown(the_environment_names_the_emulator, no_leaks),
      cmocka_unit_test_teardown(what_is_linked_in_is_told, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
