/* When a slot counts as open, against the real emulator as a process of its own, with its
 * faults. */
#include "support.h"

#include "base/alloc.h"

#include <pubsub/admin.h>
#include <pubsub/subscriber.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TOPIC "projects/p/topics/topic1"
#define SUBSCRIPTION "projects/p/subscriptions/sub1"
#define TIMEOUT_MS 20000

static pid_t emulator;
static char endpoint[64];
static struct pubsub_client *client;

/* An emulator with a fault (NULL: none), and a topic with a subscription. */
static void start(const char *fault) {
  int out[2];
  char line[128] = {0};
  assert_int_equal(pipe(out), 0);
  emulator = fork();
  if (emulator == 0) {
    const char *arguments[] = {"pubsub-emulator",        "--port", "0",
                               fault ? "--fault" : NULL, fault,    NULL};
    dup2(out[1], 1);
    close(out[0]);
    close(out[1]);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a test that fails */
    execv(PUBSUB_EMULATOR_PATH, (char *const *)(uintptr_t)arguments);
    _exit(127);
  }
  close(out[1]);
  FILE *in = fdopen(out[0], "r");
  assert_non_null(fgets(line, sizeof line, in));
  fclose(in);
  assert_int_equal(sscanf(line, "pubsub-emulator listening on %63s", endpoint), 1);
  struct pubsub_client_options options = {.endpoint = endpoint, .plaintext = true};
  struct pubsub_subscription_info info = {.topic = TOPIC, .ack_deadline_s = 10};
  assert_int_equal(pubsub_client_new(&options, &client, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_client_create_topic(client, TOPIC, TIMEOUT_MS, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_client_create_subscription(client, SUBSCRIPTION, &info, TIMEOUT_MS, NULL),
                   PUBSUB_OK);
}

static void stop(void) {
  int status;
  pubsub_client_destroy(client);
  kill(emulator, SIGTERM);
  waitpid(emulator, &status, 0);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert_int_equal(pubsub_live_allocations(), 0);
}

static struct pubsub_subscriber *subscribe(void) {
  struct pubsub_subscriber *subscriber;
  struct pubsub_subscriber_options options = {.subscription = SUBSCRIPTION,
                                              .columns = PUBSUB_COLUMN_ALL};
  assert_int_equal(pubsub_subscriber_new(client, &options, &subscriber, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_subscriber_open_slot(subscriber, 0, 1, 0, NULL), PUBSUB_OK);
  return subscriber;
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ms until the slot is open; TIMEOUT_MS: never. */
static uint64_t ms_until_open(struct pubsub_subscriber *subscriber) {
  uint64_t generation = 0, begin = now_ms();
  struct pubsub_slot_report report = {0};
  size_t count;
  while (now_ms() - begin < TIMEOUT_MS) {
    pubsub_subscriber_report(subscriber, &report, 1, &count);
    if (report.state == PUBSUB_SLOT_OPEN) return now_ms() - begin;
    pubsub_subscriber_wait(subscriber, &generation, 20);
  }
  return TIMEOUT_MS;
}

static uint64_t ms_until_open_with(const char *fault) {
  start(fault);
  struct pubsub_subscriber *subscriber = subscribe();
  uint64_t took = ms_until_open(subscriber);
  pubsub_subscriber_destroy(subscriber);
  stop();
  return took;
}

/* Nothing is waiting to be delivered: the answer to an empty request says it. */
static void a_slot_is_open_when_the_service_has_answered(void **state) {
  (void)state;
  assert_true(ms_until_open_with(NULL) < 5000);
}

static void a_server_that_answers_nothing_counts_as_open_after_a_while(void **state) {
  (void)state;
  uint64_t took = ms_until_open_with("StreamingPull silent");
  assert_true(took >= 5000 && took < TIMEOUT_MS);
}

static void a_slot_that_does_not_open_says_why(void **state) {
  struct pubsub_error error = {0};
  uint64_t generation = 0, deadline = now_ms() + TIMEOUT_MS;
  (void)state;
  start("StreamingPull status=UNAVAILABLE:not_today");
  struct pubsub_subscriber *subscriber = subscribe();
  while (error.status == PUBSUB_OK && now_ms() < deadline) {
    struct pubsub_slot_report report = {0};
    size_t count;
    pubsub_subscriber_report(subscriber, &report, 1, &count);
    assert_int_not_equal(report.state, PUBSUB_SLOT_OPEN);
    pubsub_subscriber_slot_error(subscriber, 0, 1, &error);
    pubsub_subscriber_wait(subscriber, &generation, 1);
  }
  assert_non_null(strstr(error.text, "UNAVAILABLE: not today"));
  assert_true(error.retryable);
  pubsub_subscriber_destroy(subscriber);
  stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_slot_is_open_when_the_service_has_answered, no_leaks),
      cmocka_unit_test_teardown(a_server_that_answers_nothing_counts_as_open_after_a_while,
                                no_leaks),
      cmocka_unit_test_teardown(a_slot_that_does_not_open_says_why, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
