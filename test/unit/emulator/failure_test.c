#include "support.h"

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "rest/failure.h"

static void expect(int http_status, int code, const char *message, struct pubsub_view details,
                   const char *expected) {
  struct pubsub_buf out = {0};
  assert_int_equal(failure_print(&out, http_status, code, message, details), PUBSUB_OK);
  assert_int_equal(pubsub_buf_append(&out, "", 1), PUBSUB_OK);
  assert_string_equal((const char *)out.ptr, expected);
  pubsub_buf_clear(&out);
}

static void statuses(void **state) {
  static const int of[17] = {200, 499, 500, 400, 504, 404, 409, 403, 429,
                             400, 409, 400, 501, 500, 503, 500, 401};
  (void)state;
  for (int code = 0; code < 17; code++)
    assert_int_equal(failure_status(code), of[code]);
  assert_int_equal(failure_status(99), 500);
  assert_int_equal(failure_status(-1), 500);
}

static void googles_form(void **state) {
  (void)state;
  expect(404, 5, "no \"topic\"", (struct pubsub_view){0},
         "{\"error\":{\"code\":404,\"message\":\"no \\\"topic\\\"\",\"status\":\"NOT_FOUND\"}}\n");
}

static void details(void **state) {
  Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
  Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT, *list[] = {&any, &any};
  Google__Rpc__Status told = GOOGLE__RPC__STATUS__INIT;
  uint8_t packed[200], bytes[600];
  (void)state;
  info.reason = (char *)(uintptr_t) "WHY";
  any.type_url = (char *)(uintptr_t) "type.googleapis.com/google.rpc.ErrorInfo";
  any.value.data = packed;
  any.value.len = google__rpc__error_info__pack(&info, packed);
  told.n_details = 2;
  told.details = list;
  size_t len = google__rpc__status__pack(&told, bytes);
#define INFO "{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"WHY\"}"
  expect(400, 9, "m", pubsub_view_of(bytes, len),
         "{\"error\":{\"code\":400,\"message\":\"m\",\"status\":\"FAILED_PRECONDITION\","
         "\"details\":[" INFO "," INFO "]}}\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(statuses), cmocka_unit_test(googles_form),
                                     cmocka_unit_test(details)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
