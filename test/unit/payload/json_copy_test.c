/* JSON written anew, as Jackson writes what Spark's STRING takes that is no string. */
#include "support.h"

#include "payload/json_copy.h"
#include <stdlib.h>

static void values_are_written_as_jackson_does(void **state) {
  static const struct {
    const char *in, *out; /* NULL: malformed */
  } cases[] = {
      {"{ \"a\" : [ 1 , -0, 1.50 , 1e400, true , null ] , \"b\":{} }",
       "{\"a\":[1,0,1.5,\"Infinity\",true,null],\"b\":{}}"},
      {"[NaN,-INF,1e-5,123456789012345678901234567890]",
       "[\"NaN\",\"-Infinity\",1.0E-5,123456789012345678901234567890]"},
      {"[\"\\u0001\\u001f\\t\\\"\\\\\\/\xc3\xa9\"]", "[\"\\u0001\\u001F\\t\\\"\\\\/\xc3\xa9\"]"},
      {"[\"\xf0\x9f\x98\x80\", \"\\ud800\"]", "[\"\\uD83D\\uDE00\",\"\\uD800\"]"},
      {"{\"x\\\"y\":'z'}", "{\"x\\\"y\":\"z\"}"},
      {"-12", "-12"},
      {"[1,]", NULL},
      {"{\"a\":\"", NULL},
  };
  struct pubsub_json *json = calloc(1, sizeof *json);
  struct pubsub_buf out = {0};
  locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  (void)state;
  assert_non_null(json);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    pubsub_json_init(json, pubsub_view_str(cases[i].in), PUBSUB_ALLOW_DEFAULT);
    assert_true(pubsub_json_next(json));
    assert_int_equal(pubsub_json_copy(json, c, &out),
                     cases[i].out ? PUBSUB_JSON_COPIED : PUBSUB_JSON_MALFORMED);
    if (!cases[i].out) continue;
    assert_int_equal(out.len, strlen(cases[i].out));
    assert_memory_equal(out.ptr, cases[i].out, out.len);
  }
  pubsub_buf_clear(&out);
  pubsub_json_clear(json);
  free(json);
  freelocale(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(values_are_written_as_jackson_does, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
