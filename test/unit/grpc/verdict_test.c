/* What a call came to, from headers and trailers as services, proxies and load balancers send
 * them. */
#include "support.h"

#include "base/alloc.h"
#include "grpc/verdict.h"
#include <string.h>

static void read_pair(struct pubsub_verdict *verdict, const char *name, const char *value,
                      bool trailers) {
  struct pubsub_h2_header header = {pubsub_view_str(name), pubsub_view_str(value), false};
  pubsub_verdict_read(verdict, &header, trailers);
}

/* A good answer so far. */
static void answer(struct pubsub_verdict *verdict) {
  pubsub_verdict_init(verdict);
  read_pair(verdict, ":status", "200", false);
  read_pair(verdict, "content-type", "application/grpc+proto", false);
}

static void a_clean_end_is_ok(void **state) {
  struct pubsub_verdict verdict;
  struct pubsub_error error;
  (void)state;
  answer(&verdict);
  assert_true(pubsub_verdict_is_answer(&verdict));
  read_pair(&verdict, "grpc-status", "0", true);
  assert_int_equal(pubsub_verdict_result(&verdict, true, &error), PUBSUB_OK);
  assert_int_equal(pubsub_verdict_result(&verdict, false, &error), PUBSUB_E_PROTOCOL);
  assert_true(error.retryable);
}

static void the_services_words_are_read(void **state) {
  struct pubsub_verdict verdict;
  struct pubsub_error error;
  (void)state;
  answer(&verdict);
  read_pair(&verdict, "grpc-status", "5", true);
  read_pair(&verdict, "grpc-message", "no%20topic %27t%27", true);
  read_pair(&verdict, "grpc-status-details-bin", "CAUSAA", true);
  assert_int_equal(pubsub_verdict_result(&verdict, false, &error), PUBSUB_E_GRPC);
  assert_int_equal(error.grpc_code, PUBSUB_GRPC_NOT_FOUND);
  assert_string_equal(error.text, "no topic 't'");
  assert_false(error.retryable);
  assert_int_equal(verdict.details.len, 4);
  assert_memory_equal(verdict.details.ptr, "\x08\x05\x12\x00", 4);
  pubsub_verdict_clear(&verdict);
}

static void a_code_without_words_has_its_name(void **state) {
  struct pubsub_verdict verdict;
  struct pubsub_error error;
  (void)state;
  answer(&verdict);
  read_pair(&verdict, "grpc-status", "14", true);
  pubsub_verdict_result(&verdict, true, &error);
  assert_string_equal(error.text, "UNAVAILABLE");
  assert_true(error.retryable);
}

static void codes_that_are_none_are_unknown(void **state) {
  static const char *const bad[] = {"17", "-1", "", "x", "00000", "99999999999999999999", "1 "};
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct pubsub_verdict verdict;
    answer(&verdict);
    read_pair(&verdict, "grpc-status", bad[i], true);
    assert_int_equal(verdict.grpc_status, PUBSUB_GRPC_UNKNOWN);
  }
}

static void what_is_not_grpc_has_a_code_by_its_http_status(void **state) {
  static const struct {
    const char *http;
    int code;
  } cases[] = {{"400", PUBSUB_GRPC_INTERNAL},          {"401", PUBSUB_GRPC_UNAUTHENTICATED},
               {"403", PUBSUB_GRPC_PERMISSION_DENIED}, {"404", PUBSUB_GRPC_UNIMPLEMENTED},
               {"429", PUBSUB_GRPC_UNAVAILABLE},       {"502", PUBSUB_GRPC_UNAVAILABLE},
               {"503", PUBSUB_GRPC_UNAVAILABLE},       {"504", PUBSUB_GRPC_UNAVAILABLE},
               {"200", PUBSUB_GRPC_UNKNOWN},           {"302", PUBSUB_GRPC_UNKNOWN}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct pubsub_verdict verdict;
    struct pubsub_error error;
    pubsub_verdict_init(&verdict);
    read_pair(&verdict, ":status", cases[i].http, false);
    read_pair(&verdict, "content-type", "text/html", false);
    assert_false(pubsub_verdict_is_answer(&verdict));
    assert_int_equal(pubsub_verdict_result(&verdict, true, &error), PUBSUB_E_GRPC);
    assert_int_equal(error.grpc_code, cases[i].code);
    assert_non_null(strstr(error.text, cases[i].http));
  }
}

static void trailers_cannot_make_an_answer(void **state) {
  struct pubsub_verdict verdict;
  struct pubsub_error error;
  (void)state;
  pubsub_verdict_init(&verdict);
  read_pair(&verdict, ":status", "200", true);
  read_pair(&verdict, "content-type", "application/grpc", true);
  assert_false(pubsub_verdict_is_answer(&verdict));
  answer(&verdict);
  assert_int_equal(pubsub_verdict_result(&verdict, true, &error), PUBSUB_E_PROTOCOL);
  assert_non_null(strstr(error.text, "without a gRPC status"));
}

static void endless_words_are_cut(void **state) {
  struct pubsub_verdict verdict;
  char words[4096];
  (void)state;
  memset(words, 'w', sizeof words - 1);
  words[sizeof words - 1] = '\0';
  answer(&verdict);
  read_pair(&verdict, "grpc-message", words, true);
  assert_int_equal(strlen(verdict.grpc_message), sizeof verdict.grpc_message - 1);
}

static void without_memory_there_are_no_details(void **state) {
  struct pubsub_verdict verdict;
  (void)state;
  answer(&verdict);
  pubsub_alloc_fail_after(1);
  read_pair(&verdict, "grpc-status-details-bin", "CAUSAA==", true);
  pubsub_alloc_fail_after(0);
  assert_int_equal(verdict.details.len, 0);
  pubsub_verdict_clear(&verdict);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_clean_end_is_ok, no_leaks),
      cmocka_unit_test_teardown(the_services_words_are_read, no_leaks),
      cmocka_unit_test_teardown(a_code_without_words_has_its_name, no_leaks),
      cmocka_unit_test_teardown(codes_that_are_none_are_unknown, no_leaks),
      cmocka_unit_test_teardown(what_is_not_grpc_has_a_code_by_its_http_status, no_leaks),
      cmocka_unit_test_teardown(trailers_cannot_make_an_answer, no_leaks),
      cmocka_unit_test_teardown(endless_words_are_cut, no_leaks),
      cmocka_unit_test_teardown(without_memory_there_are_no_details, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
