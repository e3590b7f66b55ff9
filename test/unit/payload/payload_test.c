/* Batches: modes, fields decoded in several calls, memory that is used again. */
#include "payload_text.h"
#include "support.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include <string.h>

static const char schema[] = "a INT, b STRING, _c STRING";

/* Four payloads, the second of which does not fit. */
static const char bytes[] = "{\"a\":1,\"b\":\"x\"}{\"a\":\"y\",\"b\":\"z\"}{\"b\":2}";
static const int32_t offsets[] = {0, 15, 32, 39, 39};
static const struct pubsub_payload_rows rows = {
    .offsets = offsets, .bytes = (const uint8_t *)bytes, .count = 4};

static struct pubsub_payload *open(enum pubsub_payload_mode mode) {
  const struct pubsub_payload_options options = {
      .schema = schema, .mode = mode, .allow = PUBSUB_ALLOW_DEFAULT, .corrupt_record = "_c"};
  struct pubsub_payload *out;
  assert_int_equal(pubsub_payload_new(&options, &out, NULL), PUBSUB_OK);
  pubsub_payload_begin(out, &rows);
  return out;
}

static void assert_row(const struct pubsub_payload *payload, int32_t row, const char *expected) {
  char text[256];
  payload_row_text(schema, payload, row, text, sizeof text);
  assert_string_equal(text, expected);
}

static void fields_can_come_one_after_the_other(void **state) {
  struct pubsub_payload *payload = open(PUBSUB_PAYLOAD_PERMISSIVE);
  struct pubsub_payload_column columns[4];
  (void)state;
  for (int batch = 0; batch < 3; batch++) {
    for (uint64_t field = 0; field < 3; field++) {
      const uint64_t set = (uint64_t)1 << (field + (uint64_t)batch) % 3;
      assert_int_equal(pubsub_payload_decode(payload, &set, NULL), PUBSUB_OK);
      assert_int_equal(pubsub_payload_decode(payload, &set, NULL), PUBSUB_OK); /* again: nothing */
    }
    pubsub_payload_columns(payload, columns);
    assert_int_equal(columns[0].rows, 4);
    assert_int_equal(columns[0].nulls, 1);
    assert_row(payload, 0, "{a=1 b=\"x\" _c=null}");
    assert_row(payload, 1, "{a=null b=\"z\" _c=\"{\"a\":\"y\",\"b\":\"z\"}\"}");
    assert_row(payload, 2, "{a=null b=\"2\" _c=null}");
    assert_row(payload, 3, "null");
    assert_null(pubsub_payload_kept(payload));
    pubsub_payload_begin(payload, &rows);
  }
  pubsub_payload_destroy(payload);
}

static void rows_that_do_not_fit_are_left_out(void **state) {
  struct pubsub_payload *payload = open(PUBSUB_PAYLOAD_DROPMALFORMED);
  const uint64_t one = 1;
  static const int32_t kept[] = {0, 2, 3};
  (void)state;
  assert_int_equal(pubsub_payload_decode(payload, &one, NULL), PUBSUB_OK);
  assert_memory_equal(pubsub_payload_kept(payload), kept, sizeof kept);
  assert_row(payload, 1, "{a=null b=\"2\" _c=null}");
  assert_row(payload, 2, "null");
  pubsub_payload_destroy(payload);
}

static void the_first_one_fails_the_batch(void **state) {
  struct pubsub_payload *payload = open(PUBSUB_PAYLOAD_FAILFAST);
  struct pubsub_payload_column columns[4];
  struct pubsub_error error = {0};
  (void)state;
  assert_int_equal(pubsub_payload_decode(payload, NULL, &error), PUBSUB_E_INVALID);
  assert_int_equal(pubsub_payload_failed_row(payload), 1);
  assert_string_equal(error.text,
                      "at its field 'a': a value of another kind, where the schema has a INT");
  pubsub_payload_columns(payload, columns);
  assert_int_equal(columns[0].rows, 0);
  assert_int_equal(columns[2].rows, 0);
  pubsub_payload_destroy(payload);
}

static void what_cannot_be_is_said(void **state) {
  struct pubsub_payload *payload;
  struct pubsub_error error = {0};
  struct pubsub_payload_options options = {.schema = "a INT", .corrupt_record = "a"};
  (void)state;
  assert_int_equal(pubsub_payload_new(&options, &payload, &error), PUBSUB_E_INVALID);
  assert_non_null(strstr(error.text, "must be a STRING"));
  options.schema = "a VARIANT";
  assert_int_equal(pubsub_payload_new(&options, &payload, &error), PUBSUB_E_INVALID);
}

static void no_memory_is_a_status(void **state) {
  (void)state;
  for (uint64_t i = 1, done = 0; !done; i++) {
    struct pubsub_payload *payload = NULL;
    const struct pubsub_payload_options options = {.schema = schema, .corrupt_record = "_c"};
    pubsub_alloc_fail_after(i);
    enum pubsub_status status = pubsub_payload_new(&options, &payload, NULL);
    if (status == PUBSUB_OK) {
      pubsub_payload_begin(payload, &rows);
      status = pubsub_payload_decode(payload, NULL, NULL);
    }
    pubsub_alloc_fail_after(0);
    assert_true(status == PUBSUB_OK || status == PUBSUB_E_NOMEM);
    done = status == PUBSUB_OK;
    pubsub_payload_destroy(payload);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(fields_can_come_one_after_the_other, no_leaks),
      cmocka_unit_test_teardown(rows_that_do_not_fit_are_left_out, no_leaks),
      cmocka_unit_test_teardown(the_first_one_fails_the_batch, no_leaks),
      cmocka_unit_test_teardown(what_cannot_be_is_said, no_leaks),
      cmocka_unit_test_teardown(no_memory_is_a_status, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
