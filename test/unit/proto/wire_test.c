/* The wire format, written and read back; what is cut or malformed is refused. */
#include "support.h"

#include "proto/wire.h"

static const uint64_t numbers[] = {0,     1,          127,        128,        16383,
                                   16384, 0xffffffff, 1ull << 35, 1ull << 63, UINT64_MAX};
#define NUMBERS (sizeof numbers / sizeof *numbers)

static void numbers_come_back_and_have_the_size_that_was_said(void **state) {
  uint8_t bytes[16];
  struct pubsub_wire_field field;
  (void)state;
  for (size_t i = 0; i < NUMBERS; i++) {
    const uint8_t *end = pubsub_wire_write_number(bytes, 5 << 3, numbers[i]);
    assert_int_equal(end - bytes, pubsub_wire_number_bytes(numbers[i]));
    assert_ptr_equal(pubsub_wire_field_read(bytes, end, &field), end);
    assert_int_equal(field.tag, 5 << 3);
    assert_true(field.number == numbers[i]);
    for (const uint8_t *cut = bytes; cut < end; cut++)
      assert_null(pubsub_wire_field_read(bytes, cut, &field));
  }
}

static void bytes_come_back(void **state) {
  static uint8_t body[20000], out[20010];
  struct pubsub_wire_field field;
  (void)state;
  for (size_t i = 0; i < sizeof body; i++)
    body[i] = (uint8_t)i;
  for (size_t len = 0; len <= sizeof body; len = len * 2 + 1) {
    const uint8_t *end = pubsub_wire_write_bytes(out, 15 << 3 | 2, len ? body : NULL, len);
    assert_int_equal(end - out, pubsub_wire_len_bytes(len));
    assert_ptr_equal(pubsub_wire_field_read(out, end, &field), end);
    assert_int_equal(field.tag, 15 << 3 | 2);
    assert_int_equal(field.value.len, len);
    if (len > 0) assert_memory_equal(field.value.ptr, body, len);
    assert_null(pubsub_wire_field_read(out, end - 1, &field));
  }
}

static void a_head_is_that_of_the_body_that_follows(void **state) {
  uint8_t with[16], without[16];
  (void)state;
  const uint8_t *end = pubsub_wire_write_bytes(with, 1 << 3 | 2, "abc", 3);
  const uint8_t *head = pubsub_wire_write_head(without, 1 << 3 | 2, 3);
  assert_int_equal(end - with, head - without + 3);
  assert_memory_equal(with, without, (size_t)(head - without));
}

static void what_is_malformed_is_refused(void **state) {
  static const struct {
    const char *bytes;
    size_t len;
  } bad[] = {{"\x0b", 1},                                           /* a group begins */
             {"\x0c", 1},                                           /* a group ends */
             {"\x0f", 1},                                           /* no type */
             {"\x0d\x00\x00\x00", 4},                               /* half a fixed32 */
             {"\x09\x00\x00\x00\x00\x00\x00\x00", 8},               /* most of a fixed64 */
             {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11},  /* beyond 64 bits */
             {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}}; /* longer than all there is */
  struct pubsub_wire_field field;
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const uint8_t *ptr = (const uint8_t *)bad[i].bytes;
    assert_null(pubsub_wire_field_read(ptr, ptr + bad[i].len, &field));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_come_back_and_have_the_size_that_was_said),
      cmocka_unit_test(bytes_come_back), cmocka_unit_test(a_head_is_that_of_the_body_that_follows),
      cmocka_unit_test(what_is_malformed_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
