/* Leases and the outcomes of acknowledgements, against the real emulator as a process of its own,
 * with its faults. */
#include "support.h"

#include "base/alloc.h"

#include <pubsub/admin.h>
#include <pubsub/publisher.h>
#include <pubsub/subscriber.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

/* An emulator with faults (NULL: none), and a topic with a subscription. */
static void start(bool exactly_once, const char *first, const char *second) {
  int out[2];
  char line[128] = {0};
  assert_int_equal(pipe(out), 0);
  emulator = fork();
  if (emulator == 0) {
    const char *arguments[8] = {"pubsub-emulator", "--port", "0"};
    size_t count = 3;
    const char *faults[] = {first, second};
    for (size_t i = 0; i < 2; i++) {
      if (!faults[i]) continue;
      arguments[count++] = "--fault";
      arguments[count++] = faults[i];
    }
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
  struct pubsub_subscription_info info = {
      .topic = TOPIC, .ack_deadline_s = 10, .exactly_once = exactly_once};
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

static void publish(size_t count) {
  struct pubsub_publisher_options options = {.topic = TOPIC};
  struct pubsub_publisher *publisher;
  struct pubsub_message message = {.data = {(const uint8_t *)"x", 1}};
  assert_int_equal(pubsub_publisher_new(client, &options, &publisher, NULL), PUBSUB_OK);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(pubsub_publisher_publish(publisher, &message, 1, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_publisher_flush(publisher, TIMEOUT_MS, NULL), PUBSUB_OK);
  pubsub_publisher_destroy(publisher);
}

static struct pubsub_subscriber *subscribe(struct pubsub_subscriber_options options) {
  struct pubsub_subscriber *subscriber;
  options.subscription = SUBSCRIPTION;
  options.columns = PUBSUB_COLUMN_ALL;
  assert_int_equal(pubsub_subscriber_new(client, &options, &subscriber, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_subscriber_open_slot(subscriber, 0, 1, 0, NULL), PUBSUB_OK);
  return subscriber;
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct seen {
  struct pubsub_subscriber_metrics metrics;
  struct pubsub_slot_report report;
  size_t epochs;
};

/* Looks, and acknowledges what there is where `settle`, until `done` or the time is up. */
static struct seen watch(struct pubsub_subscriber *subscriber, bool settle,
                         bool (*done)(const struct seen *seen)) {
  uint64_t generation = 0, deadline = now_ms() + TIMEOUT_MS;
  struct seen seen;
  do {
    seen = (struct seen){0};
    pubsub_subscriber_wait(subscriber, &generation, 50);
    pubsub_subscriber_report(subscriber, &seen.report, 1, &seen.epochs);
    if (settle) pubsub_subscriber_settle(subscriber, 0, 1, seen.report.sealed, PUBSUB_ACK);
    pubsub_subscriber_metrics(subscriber, &seen.metrics);
  } while (!done(&seen) && now_ms() < deadline);
  assert_true(done(&seen));
  return seen;
}

#define COUNT 5000

static bool all_have_an_outcome(const struct seen *seen) {
  const struct pubsub_subscriber_metrics *metrics = &seen->metrics;
  return metrics->acknowledged_rows + metrics->failed_rows + metrics->expired_rows >= COUNT &&
         metrics->backlog_rows == 0;
}

static void transient_outcomes_are_repeated_id_by_id(void **state) {
  (void)state;
  start(true, "Acknowledge transient-acks count=3000",
        "ModifyAckDeadline transient-acks count=2000");
  publish(COUNT);
  struct pubsub_subscriber *subscriber =
      subscribe((struct pubsub_subscriber_options){.chunk_rows = 700});
  struct seen seen = watch(subscriber, true, all_have_an_outcome);
  assert_int_equal(seen.metrics.received_rows, COUNT);
  assert_int_equal(seen.metrics.acknowledged_rows, COUNT);
  assert_int_equal(seen.metrics.failed_rows + seen.metrics.failed_receipt_rows, 0);
  assert_int_equal(seen.metrics.retried_rows, 5000);
  assert_int_equal(seen.report.sealed_rows, COUNT);
  pubsub_subscriber_destroy(subscriber);
  stop();
}

static bool all_received(const struct seen *seen) {
  return seen->metrics.received_rows >= COUNT;
}

static bool all_visible(const struct seen *seen) {
  return seen->report.sealed_rows >= COUNT;
}

static void nobody_sees_a_chunk_before_its_receipt(void **state) {
  (void)state;
  start(true, "ModifyAckDeadline stall count=100", NULL);
  publish(COUNT);
  struct pubsub_subscriber *subscriber = subscribe((struct pubsub_subscriber_options){0});
  struct seen seen = watch(subscriber, true, all_received);
  usleep(300000);
  seen = watch(subscriber, true, all_received);
  assert_int_equal(seen.report.sealed, 0);
  assert_int_equal(seen.report.backlog_rows, COUNT);
  /* Closing gives back what never had its receipt. */
  pubsub_subscriber_close_slot(subscriber, 0, 1, PUBSUB_CLOSE_DRAIN);
  pubsub_subscriber_destroy(subscriber);
  stop();
  start(false, "ModifyAckDeadline stall count=100",
        NULL); /* without exactly-once: none is needed */
  publish(COUNT);
  subscriber = subscribe((struct pubsub_subscriber_options){0});
  seen = watch(subscriber, false, all_visible);
  assert_int_equal(seen.metrics.extend_requests, 0);
  pubsub_subscriber_destroy(subscriber);
  stop();
}

/* Leases end while the rows wait in the builder: the messages come again, with new ack ids, for
 * rows that are there. */
static void the_newest_ack_id_of_a_message_wins(void **state) {
  (void)state;
  start(true, "StreamingPull expire=60ms count=4000", NULL);
  publish(COUNT);
  struct pubsub_subscriber *subscriber =
      subscribe((struct pubsub_subscriber_options){.linger_ms = 500});
  struct seen seen = watch(subscriber, true, all_have_an_outcome);
  assert_true(seen.metrics.redelivered_rows + seen.metrics.failed_receipt_rows >= 1000);
  assert_int_equal(seen.metrics.failed_rows, 0);
  assert_int_equal(seen.metrics.acknowledged_rows, COUNT);
  assert_int_equal(seen.report.sealed_rows, COUNT);
  assert_int_equal(seen.metrics.received_rows, COUNT + seen.metrics.failed_receipt_rows);
  pubsub_subscriber_destroy(subscriber);
  stop();
}

static void refused_for_good_is_never_acknowledged(void **state) {
  (void)state;
  for (int exactly_once = 0; exactly_once < 2; exactly_once++) {
    start(exactly_once, "Acknowledge status=FAILED_PRECONDITION", NULL);
    publish(COUNT);
    struct pubsub_subscriber *subscriber = subscribe((struct pubsub_subscriber_options){0});
    struct seen seen = watch(subscriber, true, all_have_an_outcome);
    assert_int_equal(seen.metrics.acknowledged_rows, 0);
    assert_int_equal(seen.metrics.failed_rows, COUNT);
    assert_int_equal(seen.report.settled, seen.report.sealed);
    pubsub_subscriber_destroy(subscriber);
    stop();
  }
}

static bool all_expired(const struct seen *seen) {
  return seen->metrics.expired_rows >= COUNT;
}

static void what_is_held_too_long_is_freed_but_not_acknowledged(void **state) {
  (void)state;
  start(false, NULL, NULL);
  publish(COUNT);
  struct pubsub_subscriber *subscriber =
      subscribe((struct pubsub_subscriber_options){.max_ack_extension_s = 1});
  struct seen seen = watch(subscriber, false, all_expired);
  assert_int_equal(seen.metrics.backlog_rows, COUNT);
  seen = watch(subscriber, true, all_have_an_outcome);
  assert_int_equal(seen.metrics.acknowledged_rows, 0);
  assert_int_equal(seen.metrics.ack_requests, 0);
  assert_int_equal(seen.report.settled, seen.report.sealed);
  assert_true(seen.metrics.ack_latency_us_sum < UINT64_C(60000000) * COUNT);
  pubsub_subscriber_destroy(subscriber);
  stop();
}

static bool none_left(const struct seen *seen) {
  return seen->epochs == 0;
}

static bool has_failed(const struct seen *seen) {
  return seen->report.state == PUBSUB_SLOT_FAILED;
}

static void a_failed_slot_that_is_closed_is_forgotten(void **state) {
  (void)state;
  start(false, "StreamingPull status=PERMISSION_DENIED", NULL);
  struct pubsub_subscriber *subscriber = subscribe((struct pubsub_subscriber_options){0});
  watch(subscriber, false, has_failed);
  pubsub_subscriber_close_slot(subscriber, 0, 1, PUBSUB_CLOSE_DRAIN);
  watch(subscriber, false, none_left);
  pubsub_subscriber_destroy(subscriber);
  stop();
}

/* Whichever allocation fails: an error, a retry or a redelivery, never a crash, a hang or a
 * leak. */
static void every_allocation_may_fail(void **state) {
  (void)state;
  start(true, "Acknowledge transient-acks probability=0.3",
        "StreamingPull expire=30ms probability=0.2");
  publish(300);
  for (uint64_t i = 1; i < 300; i += 1 + i / 30) {
    uint64_t generation = 0;
    struct pubsub_subscriber *subscriber =
        subscribe((struct pubsub_subscriber_options){.chunk_rows = 40, .linger_ms = 5});
    pubsub_alloc_fail_after(i);
    for (int turn = 0; turn < 6; turn++) {
      struct seen seen = {0};
      pubsub_subscriber_wait(subscriber, &generation, 10);
      pubsub_subscriber_report(subscriber, &seen.report, 1, &seen.epochs);
      pubsub_subscriber_settle(subscriber, 0, 1, seen.report.sealed, PUBSUB_ACK);
    }
    pubsub_alloc_fail_after(0);
    pubsub_subscriber_destroy(subscriber);
    publish(20);
  }
  stop();
}

/* The last rows of a slot are indexed and cannot be sealed: they are forgotten with it, and come
 * again as new rows. */
static void a_slot_ends_without_memory_for_its_last_chunk(void **state) {
  (void)state;
  for (uint64_t i = 1; i < 7; i++) {
    start(true, "StreamingPull expire=1s", NULL);
    struct pubsub_subscriber *subscriber =
        subscribe((struct pubsub_subscriber_options){.linger_ms = 600000});
    usleep(200000);
    publish(5);
    usleep(200000);
    pubsub_alloc_fail_after(i);
    pubsub_subscriber_close_slot(subscriber, 0, 1, PUBSUB_CLOSE_DRAIN);
    usleep(100000);
    pubsub_alloc_fail_after(0);
    struct seen seen = {0};
    pubsub_subscriber_report(subscriber, &seen.report, 1, &seen.epochs);
    usleep(50000); /* where it is closed it is freed now */
    pubsub_subscriber_open_slot(subscriber, 1, 1, 0, NULL);
    usleep(1500000);
    pubsub_subscriber_destroy(subscriber);
    stop();
  }
}

#define TEST(name) cmocka_unit_test_teardown(name, no_leaks)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(transient_outcomes_are_repeated_id_by_id),
                                     TEST(nobody_sees_a_chunk_before_its_receipt),
                                     TEST(the_newest_ack_id_of_a_message_wins),
                                     TEST(refused_for_good_is_never_acknowledged),
                                     TEST(what_is_held_too_long_is_freed_but_not_acknowledged),
                                     TEST(a_failed_slot_that_is_closed_is_forgotten),
                                     TEST(a_slot_ends_without_memory_for_its_last_chunk),
                                     TEST(every_allocation_may_fail)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
