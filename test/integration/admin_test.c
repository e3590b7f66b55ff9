/* Administration through the public header, against the real emulator. */
#include "support.h"

#include "base/alloc.h"
#include "emulator_process.h"

#include <pubsub/pubsub.h>
#include <stdio.h>
#include <string.h>

#define PROJECT "projects/p"
#define TOPIC PROJECT "/topics/topic1"
#define SUBSCRIPTION PROJECT "/subscriptions/sub1"
#define SNAPSHOT PROJECT "/snapshots/snap1"
#define TIMEOUT_MS 20000

static struct pubsub_client *client;

#define GOOD(call) assert_int_equal((call), PUBSUB_OK)

static int set_up(void **state) {
  struct pubsub_client_options options = {.plaintext = true};
  struct pubsub_subscription_info info = {.topic = TOPIC};
  (void)state;
  options.endpoint = emulator_start(PUBSUB_EMULATOR_PATH, "0");
  GOOD(pubsub_client_new(&options, &client, NULL));
  GOOD(pubsub_client_create_topic(client, TOPIC, TIMEOUT_MS, NULL));
  GOOD(pubsub_client_create_subscription(client, SUBSCRIPTION, &info, TIMEOUT_MS, NULL));
  return 0;
}

static int tear_down(void **state) {
  pubsub_client_destroy(client);
  emulator_stop();
  return no_leaks(state);
}

struct names {
  size_t count, limit; /* limit: wants no more then; 0: all */
  char last[200];
};

static bool on_name(void *user, const char *name) {
  struct names *names = user;
  assert_true(strcmp(name, names->last) > 0); /* each once, sorted */
  snprintf(names->last, sizeof names->last, "%s", name);
  return ++names->count != names->limit;
}

static void lists_have_every_page(void **state) {
  enum { MORE = 1100 };
  struct names all = {0}, some = {.limit = 3};
  (void)state;
  for (int i = 0; i < MORE; i++) {
    char name[100];
    snprintf(name, sizeof name, PROJECT "/topics/more-%04d", i);
    GOOD(pubsub_client_create_topic(client, name, TIMEOUT_MS, NULL));
  }
  GOOD(pubsub_client_list_topics(client, PROJECT, on_name, &all, TIMEOUT_MS, NULL));
  assert_int_equal(all.count, MORE + 1);
  GOOD(pubsub_client_list_topics(client, PROJECT, on_name, &some, TIMEOUT_MS, NULL));
  assert_int_equal(some.count, 3);
}

static void subscriptions_of_a_project_and_of_a_topic(void **state) {
  struct names project = {0}, topic = {0}, none = {0};
  struct pubsub_subscription_info info = {.topic = PROJECT "/topics/other"};
  struct pubsub_error error = {0};
  (void)state;
  GOOD(pubsub_client_create_topic(client, info.topic, TIMEOUT_MS, NULL));
  GOOD(pubsub_client_create_subscription(client, PROJECT "/subscriptions/sub2", &info, TIMEOUT_MS,
                                         NULL));
  GOOD(pubsub_client_list_subscriptions(client, PROJECT, on_name, &project, TIMEOUT_MS, NULL));
  assert_int_equal(project.count, 2);
  GOOD(pubsub_client_list_subscriptions(client, TOPIC, on_name, &topic, TIMEOUT_MS, NULL));
  assert_int_equal(topic.count, 1);
  assert_string_equal(topic.last, SUBSCRIPTION);
  assert_int_equal(pubsub_client_list_subscriptions(client, PROJECT "/topics/none", on_name, &none,
                                                    TIMEOUT_MS, &error),
                   PUBSUB_E_GRPC);
  assert_non_null(strstr(error.text, "topic 'projects/p/topics/none' does not exist"));
}

static void only_the_named_fields_change(void **state) {
  struct pubsub_subscription_info info = {
      .ack_deadline_s = 77, .retention_s = 1200, .exactly_once = true, .retain_acked = true};
  (void)state;
  GOOD(pubsub_client_update_subscription(
      client, SUBSCRIPTION, &info,
      PUBSUB_SUBSCRIPTION_ACK_DEADLINE | PUBSUB_SUBSCRIPTION_RETAIN_ACKED, TIMEOUT_MS, NULL));
  GOOD(pubsub_client_get_subscription(client, SUBSCRIPTION, &info, TIMEOUT_MS, NULL));
  assert_int_equal(info.ack_deadline_s, 77);
  assert_true(info.retain_acked);
  assert_false(info.exactly_once);
  assert_int_equal(info.retention_s, 7 * 86400);
  info.retention_s = 1200;
  info.retain_acked = false;
  info.exactly_once = true;
  GOOD(pubsub_client_update_subscription(
      client, SUBSCRIPTION, &info, PUBSUB_SUBSCRIPTION_RETENTION | PUBSUB_SUBSCRIPTION_EXACTLY_ONCE,
      TIMEOUT_MS, NULL));
  GOOD(pubsub_client_get_subscription(client, SUBSCRIPTION, &info, TIMEOUT_MS, NULL));
  assert_int_equal(info.retention_s, 1200);
  assert_true(info.exactly_once && info.retain_acked);
}

static void a_detached_subscription_says_so(void **state) {
  struct pubsub_subscription_info info;
  (void)state;
  GOOD(pubsub_client_detach_subscription(client, SUBSCRIPTION, TIMEOUT_MS, NULL));
  GOOD(pubsub_client_get_subscription(client, SUBSCRIPTION, &info, TIMEOUT_MS, NULL));
  assert_true(info.detached);
}

static void snapshots_come_and_go(void **state) {
  struct names names = {0};
  struct pubsub_error error = {0};
  (void)state;
  GOOD(pubsub_client_create_snapshot(client, SNAPSHOT, SUBSCRIPTION, TIMEOUT_MS, NULL));
  GOOD(pubsub_client_list_snapshots(client, PROJECT, on_name, &names, TIMEOUT_MS, NULL));
  assert_int_equal(names.count, 1);
  assert_string_equal(names.last, SNAPSHOT);
  GOOD(pubsub_client_seek_to_snapshot(client, SUBSCRIPTION, SNAPSHOT, TIMEOUT_MS, NULL));
  GOOD(pubsub_client_seek(client, SUBSCRIPTION, 1700000000000001, TIMEOUT_MS, NULL));
  GOOD(pubsub_client_delete_snapshot(client, SNAPSHOT, TIMEOUT_MS, NULL));
  assert_int_equal(pubsub_client_delete_snapshot(client, SNAPSHOT, TIMEOUT_MS, &error),
                   PUBSUB_E_GRPC);
  assert_string_equal(error.text, "snapshot 'projects/p/snapshots/snap1' does not exist");
  assert_int_equal(pubsub_client_create_snapshot(client, SNAPSHOT, PROJECT "/subscriptions/none",
                                                 TIMEOUT_MS, &error),
                   PUBSUB_E_GRPC);
  assert_non_null(strstr(error.text, "subscription 'projects/p/subscriptions/none' does not"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(lists_have_every_page), TEST(subscriptions_of_a_project_and_of_a_topic),
      TEST(only_the_named_fields_change), TEST(a_detached_subscription_says_so),
      TEST(snapshots_come_and_go)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
