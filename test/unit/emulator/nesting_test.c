#include "support.h"

#include "google/protobuf/struct.pb-c.h"
#include "proto/wire.h"
#include "rpc/nesting.h"

/* So many ListValues in each other, each a Value of the one around it. */
static struct pubsub_buf nested(int lists) {
  struct pubsub_buf bytes = {0};
  for (int i = 0; i < lists; i++) {
    struct pubsub_buf outer = {0};
    const uint64_t tags[] = {6 << 3 | 2, 1 << 3 | 2}; /* Value.list_value, ListValue.values */
    assert_int_equal(pubsub_buf_reserve(&outer, bytes.len + 20), PUBSUB_OK);
    const uint8_t *end = pubsub_wire_write_bytes(outer.ptr, tags[i % 2], bytes.ptr, bytes.len);
    outer.len = (size_t)(end - outer.ptr);
    pubsub_buf_clear(&bytes);
    bytes = outer;
  }
  return bytes;
}

static bool is_bounded(int levels) {
  struct pubsub_buf bytes = nested(levels - 1);
  const ProtobufCMessageDescriptor *outermost = levels % 2 == 0
                                                    ? &google__protobuf__value__descriptor
                                                    : &google__protobuf__list_value__descriptor;
  bool bounded = nesting_is_bounded(outermost, pubsub_view_of(bytes.ptr, bytes.len));
  pubsub_buf_clear(&bytes);
  return bounded;
}

static void up_to_the_limit(void **state) {
  (void)state;
  assert_true(is_bounded(2));
  assert_true(is_bounded(NESTING_MOST));
  assert_false(is_bounded(NESTING_MOST + 1));
  assert_false(is_bounded(10001));
}

static void what_is_malformed_is_for_others(void **state) {
  (void)state;
  assert_true(
      nesting_is_bounded(&google__protobuf__value__descriptor, pubsub_view_of("\x32\x7f\x0a", 3)));
  assert_true(nesting_is_bounded(&google__protobuf__value__descriptor, (struct pubsub_view){0}));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(up_to_the_limit),
                                     cmocka_unit_test(what_is_malformed_is_for_others)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
