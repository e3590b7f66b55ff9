#include "support.h"

#include "rpc/timeout.h"

static void timeouts_as_grpc_writes_them(void **state) {
  static const struct {
    const char *text;
    uint64_t us;
  } cases[] = {
      {"1H", 3600000000},   {"2M", 120000000}, {"60S", 60000000},
      {"59999m", 59999000}, {"7u", 7},         {"1n", 1},
      {"1500n", 2},         {"0S", 0},         {"99999999H", UINT64_C(359999996400000000)}};
  static const char *const bad[] = {"", "S", "1", "1s", "-1S", "1.5S", "123456789S", " 1S", "1S "};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_true(timeout_parse(pubsub_view_str(cases[i].text)) == cases[i].us);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_true(timeout_parse(pubsub_view_str(bad[i])) == UINT64_MAX);
  assert_true(timeout_parse((struct pubsub_view){0}) == UINT64_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(timeouts_as_grpc_writes_them)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
