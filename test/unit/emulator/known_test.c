#include "json_text.h"

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "json/known.h"

static void which_they_are(void **state) {
  (void)state;
  assert_true(known_is(&google__protobuf__duration__descriptor));
  assert_true(known_is(&google__protobuf__timestamp__descriptor));
  assert_true(known_is(&google__protobuf__field_mask__descriptor));
  assert_false(known_is(&google__pubsub__v1__topic__descriptor));
}

static void durations(void **state) {
  const ProtobufCMessageDescriptor *duration = &google__protobuf__duration__descriptor;
  (void)state;
  json_text_turn(duration, "\"0s\"", NULL);
  json_text_turn(duration, "\"-1.500s\"", NULL);
  json_text_turn(duration, "\"1.25s\"", "\"1.250s\"");
  json_text_turn(duration, "\"0.000001s\"", NULL);
  json_text_turn(duration, "\"0.000000001s\"", NULL);
  json_text_turn(duration, "\"1\"", "");
  json_text_turn(duration, "1", "");
}

static void timestamps(void **state) {
  const ProtobufCMessageDescriptor *timestamp = &google__protobuf__timestamp__descriptor;
  static const char *const texts[] = {
      "\"1970-01-01T00:00:00Z\"", "\"2024-02-29T12:34:56.789Z\"",       "\"1969-12-31T23:59:59Z\"",
      "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59.999999999Z\"", "\"2000-03-01T00:00:00Z\"",
      "\"1900-02-28T00:00:00Z\""};
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    json_text_turn(timestamp, texts[i], NULL);
  json_text_turn(timestamp, "\"2024-01-01T01:00:00+01:00\"", "\"2024-01-01T00:00:00Z\"");
  json_text_turn(timestamp, "\"2023-02-29T00:00:00Z\"", "");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(which_they_are), cmocka_unit_test(durations),
                                     cmocka_unit_test(timestamps)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
