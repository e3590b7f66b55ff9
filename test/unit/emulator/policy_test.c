#include "world.h"

#include "model/policy.h"

static void each_setting_has_another_etag(void **state) {
  struct test_world world;
  (void)state;
  world_set_up(&world);
  struct pubsub_map *policies = &world.broker.policies;
  const Google__Iam__V1__Policy *before = policy_of(policies, TOPIC);
  Google__Iam__V1__Policy sent = GOOGLE__IAM__V1__POLICY__INIT;
  assert_int_equal(before->n_bindings, 0);
  assert_false(policy_is_stale(before, &sent)); /* no etag: whatever it is now */
  sent.etag = before->etag;
  assert_false(policy_is_stale(before, &sent));
  for (int i = 0; i < 2; i++) {
    Google__Iam__V1__Policy *policy = calloc(1, sizeof *policy);
    google__iam__v1__policy__init(policy);
    policy->version = i + 1;
    assert_int_equal(policy_set(&world.broker.world, policies, TOPIC, policy), PUBSUB_OK);
    assert_int_equal(policy_of(policies, TOPIC)->version, i + 1);
    assert_true(policy_is_stale(policy_of(policies, TOPIC), &sent));
  }
  assert_int_equal(policy_of(policies, OTHER_TOPIC)->version, 0);
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(each_setting_has_another_etag, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
