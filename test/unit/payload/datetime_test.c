/* Dates and timestamps: what Spark reads where no format is given. */
#include "support.h"

#include "payload/datetime.h"

#define NONE INT64_MIN
#define HOUR_US 3600000000

/* Berlin in 2026: summer from 03-29 02:00 to 10-25 03:00, local. */
static const int64_t berlin[] = {1774746000 + 7200, 3600, 1792890000 + 7200, 7200};
static const struct pubsub_datetime with = {.zone = {berlin, 2, 3600}, .now_us = 1769860800000000};

static int64_t stamp(const char *text) {
  int64_t us;
  return pubsub_datetime_timestamp(pubsub_view_str(text), &with, &us) ? us : NONE;
}

static void dates(void **state) {
  static const struct {
    const char *text;
    int64_t days;
  } cases[] = {{"1970-01-01", 0},
               {"2026-1-3", 20456},
               {" 2026-01-31 ", 20484},
               {"2026-01-31Tx", 20484},
               {"2026-01-31 x", 20484},
               {"2026", 20454},
               {"2026-02", 20485},
               {"-0001-01-01", -719893},
               {"+12026-01-01", 3672879},
               {"2026-02-30", NONE},
               {"2026-13-01", NONE},
               {"2024-02-29", 19782},
               {"2026-01T", NONE},
               {"20260131", NONE},
               {"", NONE},
               {" ", NONE},
               {"-", NONE},
               {"2026-01-311", NONE},
               {"999-01-01", NONE},
               {"2026-01-31x", NONE}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int32_t days;
    bool done = pubsub_datetime_date(pubsub_view_str(cases[i].text), &days);
    assert_int_equal(done, cases[i].days != NONE);
    if (done) assert_int_equal(days, cases[i].days);
  }
}

static void timestamps(void **state) {
  const int64_t noon = 1769860800000000; /* 2026-01-31T12:00:00Z */
  (void)state;
  assert_int_equal(stamp("2026-01-31T12:00:00Z"), noon);
  assert_int_equal(stamp("2026-1-31 13:0:0"), noon);
  assert_int_equal(stamp("2026-01-31T12:00:00.5UTC"), noon + 500000);
  assert_int_equal(stamp("2026-01-31T12:00:00.123456789 +01:00"), noon - HOUR_US + 123456);
  assert_int_equal(stamp("2026-01-31T12:00:00-0730"), noon + 7 * HOUR_US + HOUR_US / 2);
  assert_int_equal(stamp("2026-01-31T12:00:00+1:00"), noon - HOUR_US);
  assert_int_equal(stamp("2026-01-31T12:00:00GMT-1"), noon + HOUR_US);
  assert_int_equal(stamp("2026-01-31"), noon - 13 * HOUR_US);
  assert_int_equal(stamp("12:00:00Z"), noon);
  assert_int_equal(stamp("T12:00Z"), NONE); /* a zone stands behind seconds alone */
  assert_int_equal(stamp("2026-01-31T24:00:00"), NONE);
  assert_int_equal(stamp("2026-01-31T12:00:00+19:00"), NONE);
  assert_int_equal(stamp("2026-01-31T12:00:00 Mars"), NONE);
  assert_int_equal(stamp(""), NONE);
  assert_int_equal(stamp("2026-01-31T12:00:00."), noon - HOUR_US);
  assert_int_equal(stamp("-290309-01-01T00:00:00Z"), NONE); /* beyond 64 bits */
}

static void a_zone_has_its_gaps_and_overlaps(void **state) {
  (void)state;
  assert_int_equal(pubsub_datetime_offset(&with.zone, 0), 3600);
  assert_int_equal(pubsub_datetime_offset(&with.zone, 1782864000), 7200);
  assert_int_equal(pubsub_datetime_offset(&with.zone, 1893456000), 3600);
  assert_int_equal(stamp("2026-03-29T02:30:00"), stamp("2026-03-29T03:30:00"));
  assert_int_equal(stamp("2026-10-25T02:30:00"), stamp("2026-10-25T00:30:00Z"));
}

static void local_timestamps_have_no_zone(void **state) {
  int64_t us;
  (void)state;
  assert_true(pubsub_datetime_local(pubsub_view_str("1970-01-01T00:00:01.5"), &us));
  assert_int_equal(us, 1500000);
  assert_false(pubsub_datetime_local(pubsub_view_str("1970-01-01T00:00:01Z"), &us));
  assert_false(pubsub_datetime_local(pubsub_view_str("12:00:00"), &us));
}

static void julian_days_are_rebased(void **state) {
  (void)state;
  assert_int_equal(pubsub_datetime_rebase(0), 0);
  assert_int_equal(pubsub_datetime_rebase(-141427), -141427);
  assert_int_equal(pubsub_datetime_rebase(-141428), -141438);
  assert_int_equal(pubsub_datetime_rebase(-719164), -719162);
  assert_int_equal(pubsub_datetime_rebase(-719165), -719163);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dates),
      cmocka_unit_test(timestamps),
      cmocka_unit_test(a_zone_has_its_gaps_and_overlaps),
      cmocka_unit_test(local_timestamps_have_no_zone),
      cmocka_unit_test(julian_days_are_rebased),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
