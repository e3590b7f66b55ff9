#include "support.h"

#include "api/settings.h"
#include <stdlib.h>
#include <string.h>

typedef Google__Pubsub__V1__Subscription Subscription;

static Subscription *new_config(void) {
  Subscription *config = calloc(1, sizeof *config);
  google__pubsub__v1__subscription__init(config);
  return config;
}

static Google__Protobuf__Duration *seconds(int64_t count) {
  Google__Protobuf__Duration *duration = calloc(1, sizeof *duration);
  google__protobuf__duration__init(duration);
  duration->seconds = count;
  return duration;
}

static void defaults(void **state) {
  Subscription *config = new_config();
  (void)state;
  assert_int_equal(settings_check_subscription(config, NULL), PUBSUB_OK);
  assert_int_equal(config->ack_deadline_seconds, 10);
  assert_int_equal(config->message_retention_duration->seconds, 7 * 86400);
  assert_int_equal(config->expiration_policy->ttl->seconds, 31 * 86400);
  assert_string_equal(config->push_config->push_endpoint, "");
  google__pubsub__v1__subscription__free_unpacked(config, NULL);
}

/* Sets one thing to a value, and says what becomes of it. */
static enum pubsub_status with(void (*set)(Subscription *config, int64_t value), int64_t value) {
  Subscription *config = new_config();
  struct pubsub_error error = {0};
  set(config, value);
  enum pubsub_status status = settings_check_subscription(config, &error);
  assert_true((status == PUBSUB_OK) == (error.text[0] == '\0'));
  google__pubsub__v1__subscription__free_unpacked(config, NULL);
  return status;
}

static void set_deadline(Subscription *config, int64_t value) {
  config->ack_deadline_seconds = (int32_t)value;
}

static void set_retention(Subscription *config, int64_t value) {
  config->message_retention_duration = seconds(value);
}

static void set_ttl(Subscription *config, int64_t value) {
  config->expiration_policy = calloc(1, sizeof *config->expiration_policy);
  google__pubsub__v1__expiration_policy__init(config->expiration_policy);
  if (value >= 0) config->expiration_policy->ttl = seconds(value);
}

static void set_attempts(Subscription *config, int64_t value) {
  config->dead_letter_policy = calloc(1, sizeof *config->dead_letter_policy);
  google__pubsub__v1__dead_letter_policy__init(config->dead_letter_policy);
  config->dead_letter_policy->dead_letter_topic = strdup("projects/p/topics/dead");
  config->dead_letter_policy->max_delivery_attempts = (int32_t)value;
}

static void set_backoff(Subscription *config, int64_t value) {
  config->retry_policy = calloc(1, sizeof *config->retry_policy);
  google__pubsub__v1__retry_policy__init(config->retry_policy);
  config->retry_policy->minimum_backoff = seconds(value);
}

static void limits(void **state) {
  static const struct {
    void (*set)(Subscription *config, int64_t value);
    int64_t least, most;
  } cases[] = {{set_deadline, 10, 600},
               {set_retention, 600, 31 * 86400},
               {set_ttl, 86400, INT64_C(36600) * 86400},
               {set_attempts, 5, 100},
               {set_backoff, 0, 600}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(with(cases[i].set, cases[i].least), PUBSUB_OK);
    assert_int_equal(with(cases[i].set, cases[i].most), PUBSUB_OK);
    assert_int_equal(with(cases[i].set, cases[i].most + 1), PUBSUB_E_INVALID);
    if (cases[i].least > 0)
      assert_int_equal(with(cases[i].set, cases[i].least - 1), PUBSUB_E_INVALID);
  }
  assert_int_equal(with(set_ttl, -1), PUBSUB_OK); /* a policy without a ttl: never */
  assert_int_equal(with(set_attempts, 0), PUBSUB_OK);
}

static enum pubsub_status check_endpoint(const char *endpoint) {
  Google__Pubsub__V1__PushConfig config = GOOGLE__PUBSUB__V1__PUSH_CONFIG__INIT;
  config.push_endpoint = (char *)(uintptr_t)endpoint;
  return settings_check_push(&config, NULL);
}

static void push_endpoints(void **state) {
  static const char *const good[] = {"", "http://a", "https://a/b?c=d", "HTTPS://A:80",
                                     "http://[::1]:8080/"};
  static const char *const bad[] = {"a",       "http:/a",   "http://",     "https:///a",
                                    "ftp://a", "https://?", "https://a b", "https://ä"};
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_int_equal(check_endpoint(good[i]), PUBSUB_OK);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(check_endpoint(bad[i]), PUBSUB_E_INVALID);
}

static void topics(void **state) {
  Google__Pubsub__V1__Topic config = GOOGLE__PUBSUB__V1__TOPIC__INIT;
  Google__Protobuf__Duration kept = GOOGLE__PROTOBUF__DURATION__INIT;
  (void)state;
  assert_int_equal(settings_check_topic(&config, NULL), PUBSUB_OK);
  config.message_retention_duration = &kept;
  assert_int_equal(settings_check_topic(&config, NULL), PUBSUB_E_INVALID);
  kept.seconds = 600;
  assert_int_equal(settings_check_topic(&config, NULL), PUBSUB_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults),
      cmocka_unit_test(limits),
      cmocka_unit_test(push_endpoints),
      cmocka_unit_test(topics),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
