#include "support.h"

#include "store/crc.h"
#include <string.h>

static void known_values(void **state) {
  (void)state;
  assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
  assert_int_equal(crc32c_by_table(0, "123456789", 9), 0xe3069283u);
  assert_int_equal(crc32c(0, "", 0), 0);
}

static void processor_and_table_agree(void **state) {
  uint8_t bytes[300];
  (void)state;
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(i * 37 + i / 7);
  for (size_t from = 0; from < 9; from++) {
    for (size_t len = 0; from + len <= sizeof bytes; len += 13) {
      assert_int_equal(crc32c(7, bytes + from, len), crc32c_by_table(7, bytes + from, len));
    }
  }
}

static void it_goes_on(void **state) {
  const char *text = "in two parts";
  (void)state;
  assert_int_equal(crc32c(crc32c(0, text, 5), text + 5, strlen(text) - 5),
                   crc32c(0, text, strlen(text)));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(known_values),
                                     cmocka_unit_test(processor_and_table_agree),
                                     cmocka_unit_test(it_goes_on)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
