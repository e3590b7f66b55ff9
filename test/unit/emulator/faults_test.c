#include "support.h"

#include "base/error.h"
#include "faults/faults.h"

#define PUBLISH "/google.pubsub.v1.Publisher/Publish"

static void rules_that_are_none(void **state) {
  static const char *const bad[] = {"",
                                    "Publish",
                                    "Publish nonsense",
                                    "Publish status",
                                    "Publish status=NONSENSE",
                                    "Publish status=OK",
                                    "Publish latency",
                                    "Publish latency=fast",
                                    "Publish latency=999999999d",
                                    "Publish stall=1",
                                    "Publish stall probability=2",
                                    "Publish stall probability=-1",
                                    "Publish stall count=x",
                                    "Publish stall more=1"};
  char long_one[700];
  struct faults faults;
  (void)state;
  faults_init(&faults, 1);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct pubsub_error error = {0};
    assert_int_equal(faults_add(&faults, bad[i], &error), PUBSUB_E_INVALID);
    assert_true(error.text[0] != '\0');
  }
  memset(long_one, 'm', sizeof long_one); /* not cut: what stands behind would be lost */
  memcpy(long_one, "Publish status=NOT_FOUND:", 25);
  strcpy(long_one + sizeof long_one - 9, " count=1");
  assert_int_equal(faults_add(&faults, long_one, NULL), PUBSUB_E_INVALID);
  assert_int_equal(faults.count, 0);
}

static void a_rule_strikes_its_method_and_kind(void **state) {
  struct faults faults;
  (void)state;
  faults_init(&faults, 1);
  assert_int_equal(faults_add(&faults, "Publish status=UNAVAILABLE:not_now", NULL), PUBSUB_OK);
  assert_null(faults_draw(&faults, "/google.pubsub.v1.Subscriber/Pull", FAULT_STATUS));
  assert_null(faults_draw(&faults, PUBLISH, FAULT_STALL));
  const struct fault *fault = faults_draw(&faults, PUBLISH, FAULT_STATUS);
  assert_non_null(fault);
  assert_int_equal(fault->code, 14);
  assert_string_equal(fault->message, "not now");
  faults_clear(&faults);
  assert_null(faults_draw(&faults, PUBLISH, FAULT_STATUS));
}

static void after_and_count(void **state) {
  struct faults faults;
  (void)state;
  faults_init(&faults, 1);
  assert_int_equal(faults_add(&faults, "* reset after=2 count=3", NULL), PUBSUB_OK);
  int hits = 0;
  for (int i = 0; i < 10; i++) {
    bool hit = faults_draw(&faults, PUBLISH, FAULT_RESET) != NULL;
    assert_true(!hit || (i >= 2 && i < 5));
    hits += hit;
  }
  assert_int_equal(hits, 3);
  faults_clear(&faults);
}

static void the_same_seed_draws_the_same(void **state) {
  uint64_t drawn[2] = {0};
  (void)state;
  for (int run = 0; run < 2; run++) {
    struct faults faults;
    faults_init(&faults, 7);
    assert_int_equal(faults_add(&faults, "Publish stall probability=0.5", NULL), PUBSUB_OK);
    for (int i = 0; i < 64; i++)
      drawn[run] = drawn[run] << 1 | (faults_draw(&faults, PUBLISH, FAULT_STALL) != NULL);
    faults_clear(&faults);
  }
  assert_true(drawn[0] == drawn[1] && drawn[0] != 0 && ~drawn[0] != 0);
}

static void seeds_are_whole_numbers(void **state) {
  static const char *const bad[] = {"", "x", "-1", "1x", " 1", "18446744073709551616"};
  uint64_t seed = 7;
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(faults_parse_seed(bad[i], &seed));
  assert_true(seed == 7);
  assert_true(faults_parse_seed("18446744073709551615", &seed) && seed == UINT64_MAX);
}

static void they_are_described(void **state) {
  struct faults faults;
  struct pubsub_buf text = {0};
  (void)state;
  faults_init(&faults, 1);
  assert_int_equal(faults_add(&faults, "Pull expire=2s", NULL), PUBSUB_OK);
  assert_int_equal(faults.rules[0].us, 2000000);
  assert_int_equal(faults_describe(&faults, &text), PUBSUB_OK);
  pubsub_buf_append(&text, "", 1);
  assert_string_equal((char *)text.ptr, "Pull expire probability=1 seen=0 hits=0\n");
  pubsub_buf_clear(&text);
  faults_clear(&faults);
}

static void statuses_and_who_is_spared(void **state) {
  (void)state;
  assert_int_equal(faults_status_code("UNAVAILABLE"), 14);
  assert_int_equal(faults_status_code("14"), 14);
  assert_int_equal(faults_status_code("17"), -1);
  assert_int_equal(faults_status_code("14x"), -1);
  assert_int_equal(faults_status_code(""), -1);
  assert_true(faults_spare("/pubsub.emulator.v1.Control/Command"));
  assert_false(faults_spare(PUBLISH));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rules_that_are_none),
      cmocka_unit_test(a_rule_strikes_its_method_and_kind),
      cmocka_unit_test(after_and_count),
      cmocka_unit_test(the_same_seed_draws_the_same),
      cmocka_unit_test(seeds_are_whole_numbers),
      cmocka_unit_test(they_are_described),
      cmocka_unit_test(statuses_and_who_is_spared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
