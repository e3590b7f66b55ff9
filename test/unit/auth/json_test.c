#include "support.h"

#include "auth/json.h"
#include "base/alloc.h"
#include "base/rng.h"
#include <stdlib.h>

static const char sample[] =
    " {\"a\" : \"x\\n\\u00e9\\\"\\\\\\/\", \"nested\": {\"a\": [1, {\"b\": \"}\"}, \"]\"], \"z\": "
    "null},"
    "\"n\":3599.5, \"big\": 123456789012, \"neg\": -1, \"last\": \"\\u20ac\"}";

static struct pubsub_view text(void) {
  return pubsub_view_str(sample);
}

static void strings_lose_their_escapes(void **state) {
  struct pubsub_buf out = {0};
  (void)state;
  assert_int_equal(pubsub_json_string(text(), "a", &out), PUBSUB_OK);
  assert_string_equal((char *)out.ptr, "x\n\xc3\xa9\"\\/");
  assert_int_equal(pubsub_json_string(text(), "last", &out), PUBSUB_OK);
  assert_string_equal((char *)out.ptr, "\xe2\x82\xac");
  pubsub_buf_clear(&out);
}

static void members_of_inner_objects_are_not_taken_for_outer_ones(void **state) {
  struct pubsub_buf out = {0};
  struct pubsub_view inner, value;
  (void)state;
  assert_int_equal(pubsub_json_string(text(), "b", &out), PUBSUB_E_GONE);
  assert_int_equal(pubsub_json_string(text(), "z", &out), PUBSUB_E_GONE);
  assert_true(pubsub_json_member(text(), "nested", &inner));
  assert_true(pubsub_json_member(inner, "z", &value));
  assert_true(pubsub_view_equal(value, pubsub_view_str("null")));
  pubsub_buf_clear(&out);
}

static void numbers(void **state) {
  uint64_t out;
  (void)state;
  assert_true(pubsub_json_number(text(), "n", &out));
  assert_int_equal(out, 3599);
  assert_true(pubsub_json_number(text(), "big", &out));
  assert_int_equal(out, 123456789012);
  assert_false(pubsub_json_number(text(), "neg", &out));
  assert_false(pubsub_json_number(text(), "a", &out));
  assert_false(pubsub_json_number(pubsub_view_str("{\"n\": 99999999999999999999}"), "n", &out));
}

static void a_number_is_no_string(void **state) {
  struct pubsub_buf out = {0};
  (void)state;
  assert_int_equal(pubsub_json_string(text(), "n", &out), PUBSUB_E_GONE);
  assert_int_equal(pubsub_json_string(text(), "none", &out), PUBSUB_E_GONE);
  pubsub_buf_clear(&out);
}

/* Cut anywhere, any byte wrong, nested as deep as may be: read or refused, never read beyond. */
static void malformed_texts(void **state) {
  struct pubsub_rng rng;
  struct pubsub_buf out = {0};
  uint64_t number;
  (void)state;
  pubsub_rng_seed(&rng, 3);
  for (int turn = 0; turn < 20000; turn++) {
    size_t len = turn % 2 ? sizeof sample - 1 : pubsub_rng_below(&rng, sizeof sample);
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, sample, len);
    if (len > 0) copy[pubsub_rng_below(&rng, len)] ^= (uint8_t)(1 << pubsub_rng_below(&rng, 8));
    pubsub_json_string(pubsub_view_of(copy, len), "last", &out);
    pubsub_json_number(pubsub_view_of(copy, len), "n", &number);
    free(copy);
  }
  char *deep = malloc(200001);
  memset(deep, '[', 200000);
  memcpy(deep, "{\"a\":", 5);
  deep[200000] = '\0';
  assert_int_equal(pubsub_json_string(pubsub_view_str(deep), "b", &out), PUBSUB_E_GONE);
  free(deep);
  pubsub_buf_clear(&out);
}

static void without_memory(void **state) {
  struct pubsub_buf out = {0};
  (void)state;
  pubsub_alloc_fail_after(1);
  assert_int_equal(pubsub_json_string(text(), "a", &out), PUBSUB_E_NOMEM);
}

#define TEST(name) cmocka_unit_test_teardown(name, no_leaks)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(strings_lose_their_escapes),
                                     TEST(members_of_inner_objects_are_not_taken_for_outer_ones),
                                     TEST(numbers),
                                     TEST(a_number_is_no_string),
                                     TEST(malformed_texts),
                                     TEST(without_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
