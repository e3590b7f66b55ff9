#include "support.h"

#include "api/update.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include <stdbool.h>

static const char *const fixed[] = {"name", NULL};

static bool apply(Google__Pubsub__V1__Subscription *config,
                  Google__Pubsub__V1__Subscription *update, const char *first, const char *second,
                  const char **problem) {
  Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
  char *paths[] = {(char *)(uintptr_t)first, (char *)(uintptr_t)second};
  mask.paths = paths;
  mask.n_paths = second ? 2 : 1;
  return update_apply(&config->base, &update->base, &mask, fixed, problem);
}

static void only_what_is_named_changes_and_again_undoes_it(void **state) {
  Google__Pubsub__V1__Subscription config = GOOGLE__PUBSUB__V1__SUBSCRIPTION__INIT, update = config;
  Google__Protobuf__Duration day = GOOGLE__PROTOBUF__DURATION__INIT;
  const char *problem;
  (void)state;
  config.ack_deadline_seconds = 10;
  config.filter = (char *)(uintptr_t) "old";
  update.ack_deadline_seconds = 20;
  update.filter = (char *)(uintptr_t) "new";
  update.message_retention_duration = &day;
  for (int i = 0; i < 2; i++) {
    assert_true(apply(&config, &update, "ack_deadline_seconds",
                      "message_retention_duration.seconds", &problem));
    assert_int_equal(config.ack_deadline_seconds, i == 0 ? 20 : 10);
    assert_ptr_equal(config.message_retention_duration, i == 0 ? &day : NULL);
    assert_string_equal(config.filter, "old");
  }
}

static void repeated_fields_move_whole(void **state) {
  Google__Pubsub__V1__Topic config = GOOGLE__PUBSUB__V1__TOPIC__INIT, update = config;
  Google__Pubsub__V1__Topic__LabelsEntry entry = GOOGLE__PUBSUB__V1__TOPIC__LABELS_ENTRY__INIT,
                                         *entries[] = {&entry};
  Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
  char *paths[] = {(char *)(uintptr_t) "labels"};
  const char *problem;
  (void)state;
  mask.paths = paths;
  mask.n_paths = 1;
  update.labels = entries;
  update.n_labels = 1;
  assert_true(update_apply(&config.base, &update.base, &mask, fixed, &problem));
  assert_int_equal(config.n_labels, 1);
  assert_ptr_equal(config.labels, entries);
  assert_int_equal(update.n_labels, 0);
}

static void a_bad_path_changes_nothing(void **state) {
  static const char *const bad[] = {"name", "nonsense", "", "name.x", ".", "labels_"};
  Google__Pubsub__V1__Subscription config = GOOGLE__PUBSUB__V1__SUBSCRIPTION__INIT, update = config;
  const char *problem;
  (void)state;
  update.ack_deadline_seconds = 20;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_false(apply(&config, &update, "ack_deadline_seconds", bad[i], &problem));
    assert_string_equal(problem, bad[i]);
    assert_int_equal(config.ack_deadline_seconds, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_what_is_named_changes_and_again_undoes_it),
      cmocka_unit_test(repeated_fields_move_whole),
      cmocka_unit_test(a_bad_path_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
