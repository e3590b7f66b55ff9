#include "support.h"

#include "base/error.h"
#include <string.h>

static void text_is_one_line_and_cut(void **state) {
  struct pubsub_error error;
  char longer[2 * PUBSUB_ERROR_TEXT_BYTES];
  (void)state;
  memset(longer, 'x', sizeof longer - 1);
  longer[sizeof longer - 1] = 0;
  assert_int_equal(pubsub_error_set(&error, PUBSUB_E_INVALID, "a\nb\t%d", 7), PUBSUB_E_INVALID);
  assert_string_equal(error.text, "a b 7");
  pubsub_error_set(&error, PUBSUB_E_INVALID, "%s", longer);
  assert_int_equal(strlen(error.text), PUBSUB_ERROR_TEXT_BYTES - 1);
}

static void text_may_be_made_of_the_text_before(void **state) {
  struct pubsub_error error;
  (void)state;
  pubsub_error_set(&error, PUBSUB_E_IO, "reset");
  pubsub_error_set(&error, PUBSUB_E_IO, "stream lost: %s", error.text);
  assert_string_equal(error.text, "stream lost: reset");
}

static void nobody_has_to_ask_for_the_text(void **state) {
  (void)state;
  assert_int_equal(pubsub_error_set(NULL, PUBSUB_E_TLS, "x"), PUBSUB_E_TLS);
  assert_int_equal(pubsub_error_set_grpc(NULL, PUBSUB_GRPC_ABORTED, "x"), PUBSUB_E_GRPC);
}

static void what_passes_by_itself(void **state) {
  static const bool of_status[] = {
      [PUBSUB_E_NOMEM] = true, [PUBSUB_E_RESOLVE] = true, [PUBSUB_E_CONNECT] = true,
      [PUBSUB_E_IO] = true,    [PUBSUB_E_TIMEOUT] = true, [PUBSUB_E_GONE] = false};
  static const bool of_code[] = {
      [PUBSUB_GRPC_CANCELLED] = true,         [PUBSUB_GRPC_UNKNOWN] = true,
      [PUBSUB_GRPC_DEADLINE_EXCEEDED] = true, [PUBSUB_GRPC_RESOURCE_EXHAUSTED] = true,
      [PUBSUB_GRPC_ABORTED] = true,           [PUBSUB_GRPC_INTERNAL] = true,
      [PUBSUB_GRPC_UNAVAILABLE] = true,       [PUBSUB_GRPC_UNAUTHENTICATED] = false};
  struct pubsub_error error;
  (void)state;
  for (int status = PUBSUB_E_NOMEM; status <= PUBSUB_E_GONE; status++) {
    if (status == PUBSUB_E_GRPC) continue; /* its code says */
    pubsub_error_set(&error, (enum pubsub_status)status, "x");
    assert_int_equal(error.retryable, of_status[status]);
    assert_int_equal(error.grpc_code, PUBSUB_GRPC_OK);
  }
  for (int code = PUBSUB_GRPC_CANCELLED; code <= PUBSUB_GRPC_UNAUTHENTICATED; code++) {
    pubsub_error_set_grpc(&error, code, "x");
    assert_int_equal(error.status, PUBSUB_E_GRPC);
    assert_int_equal(error.grpc_code, code);
    assert_int_equal(error.retryable, of_code[code]);
  }
}

static void names_are_never_missing(void **state) {
  (void)state;
  assert_string_equal(pubsub_status_name(PUBSUB_OK), "ok");
  assert_string_equal(pubsub_status_name(PUBSUB_E_GONE), "gone");
  assert_string_equal(pubsub_status_name((enum pubsub_status)99), "unknown");
  assert_string_equal(pubsub_grpc_code_name(PUBSUB_GRPC_UNAUTHENTICATED), "UNAUTHENTICATED");
  assert_string_equal(pubsub_grpc_code_name(-1), "UNKNOWN");
  assert_string_equal(pubsub_grpc_code_name(17), "UNKNOWN");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(text_is_one_line_and_cut),
                                     cmocka_unit_test(text_may_be_made_of_the_text_before),
                                     cmocka_unit_test(nobody_has_to_ask_for_the_text),
                                     cmocka_unit_test(what_passes_by_itself),
                                     cmocka_unit_test(names_are_never_missing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
