/*
 * What the service is asked for, against the real emulator as a process of its own: no more than
 * memory holds, than is leased, and than is settled in time. Readers are slow here, so that these
 * tests take longer than an ack deadline.
 */
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
#define TIMEOUT_MS 90000
#define MAX_SLOTS 64

static pid_t emulator;
static char endpoint[64];
static struct pubsub_client *client;

static int set_up(void **state) {
  int out[2];
  char line[128] = {0};
  (void)state;
  assert_int_equal(pipe(out), 0);
  emulator = fork();
  if (emulator == 0) {
    dup2(out[1], 1);
    close(out[0]);
    close(out[1]);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a test that fails */
    execl(PUBSUB_EMULATOR_PATH, "pubsub-emulator", "--port", "0", (char *)NULL);
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
  return 0;
}

static int tear_down(void **state) {
  int status;
  pubsub_client_destroy(client);
  kill(emulator, SIGTERM);
  waitpid(emulator, &status, 0);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert_int_equal(pubsub_live_allocations(), 0);
  return no_leaks(state);
}

static void publish(size_t count, size_t size) {
  struct pubsub_publisher_options options = {.topic = TOPIC};
  struct pubsub_publisher *publisher;
  uint8_t *data = calloc(1, size);
  struct pubsub_message message = {.data = {data, size}};
  assert_int_equal(pubsub_publisher_new(client, &options, &publisher, NULL), PUBSUB_OK);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(pubsub_publisher_publish(publisher, &message, 1, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_publisher_flush(publisher, TIMEOUT_MS, NULL), PUBSUB_OK);
  pubsub_publisher_destroy(publisher);
  free(data);
}

static struct pubsub_subscriber *subscribe(struct pubsub_subscriber_options options,
                                           uint32_t slots) {
  struct pubsub_subscriber *subscriber;
  options.subscription = SUBSCRIPTION;
  options.columns = PUBSUB_COLUMN_ALL;
  if (!options.ack_deadline_s) options.ack_deadline_s = 10;
  assert_int_equal(pubsub_subscriber_new(client, &options, &subscriber, NULL), PUBSUB_OK);
  for (uint32_t slot = 0; slot < slots; slot++)
    assert_int_equal(pubsub_subscriber_open_slot(subscriber, slot, 1, 0, NULL), PUBSUB_OK);
  return subscriber;
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct pubsub_subscriber_metrics metrics_of(struct pubsub_subscriber *subscriber) {
  struct pubsub_subscriber_metrics metrics;
  pubsub_subscriber_metrics(subscriber, &metrics);
  return metrics;
}

/* Settles what there is, or of each slot in turn a chunk until `rows` are reached: what a batch
 * that has committed does. */
struct reader {
  struct pubsub_subscriber *subscriber;
  uint64_t settled[MAX_SLOTS]; /* per slot: chunks below are asked settled */
};

static uint64_t settle_batch(struct reader *reader, uint64_t rows) {
  struct pubsub_slot_report reports[MAX_SLOTS];
  size_t count;
  uint64_t taken = 0;
  bool more = true;
  pubsub_subscriber_report(reader->subscriber, reports, MAX_SLOTS, &count);
  while (more && taken < rows) {
    more = false;
    for (size_t i = 0; i < count && taken < rows; i++) {
      struct pubsub_chunk_size size;
      uint32_t slot = reports[i].slot;
      if (pubsub_subscriber_chunk_sizes(reader->subscriber, slot, 1, reader->settled[slot], &size,
                                        1) == 0) {
        continue;
      }
      taken += size.rows;
      more = true;
      pubsub_subscriber_settle(reader->subscriber, slot, 1, ++reader->settled[slot], PUBSUB_ACK);
    }
  }
  return taken;
}

/* Batches of `rows` every `every_ms` until so many rows are acknowledged and all is quiet for a
 * while. */
static void read_until(struct reader *reader, uint64_t rows, uint32_t every_ms, uint64_t total,
                       uint64_t limit_ms) {
  uint64_t end = now_ms() + limit_ms;
  while (metrics_of(reader->subscriber).acknowledged_rows < total && now_ms() < end) {
    settle_batch(reader, rows);
    usleep(every_ms * 1000);
  }
  for (int turn = 0; turn < 10; turn++) { /* what would come twice comes now */
    usleep(100000);
    settle_batch(reader, rows);
  }
}

static void assert_each_once(struct pubsub_subscriber *subscriber, uint64_t total) {
  struct pubsub_subscriber_metrics metrics = metrics_of(subscriber);
  assert_int_equal(metrics.acknowledged_rows, total);
  assert_int_equal(metrics.received_rows, total);
  assert_int_equal(metrics.expired_rows, 0);
}

static void a_long_batch_makes_no_duplicates(void **state) {
  const uint64_t budget = 16u << 20;
  (void)state;
  publish(60000, 1000);
  struct reader reader = {
      .subscriber =
          subscribe((struct pubsub_subscriber_options){.max_reservoir_bytes = budget}, 4)};
  sleep(12);
  assert_true(metrics_of(reader.subscriber).received_rows > 4000);
  read_until(&reader, UINT64_MAX, 20, 60000, TIMEOUT_MS);
  assert_each_once(reader.subscriber, 60000);
  assert_true(metrics_of(reader.subscriber).reservoir_peak_bytes <= budget + budget / 10);
  pubsub_subscriber_destroy(reader.subscriber);
}

static void slow_batches_make_no_duplicates(void **state) {
  static const uint64_t budgets[] = {16u << 20, 1u << 20};
  static const size_t counts[] = {25000, 900};
  (void)state;
  for (int i = 0; i < 2; i++) {
    publish(counts[i], 1000);
    struct reader reader = {
        .subscriber =
            subscribe((struct pubsub_subscriber_options){.max_reservoir_bytes = budgets[i]}, 4)};
    read_until(&reader, UINT64_MAX, 4000, counts[i], 60000);
    assert_each_once(reader.subscriber, counts[i]);
    assert_true(metrics_of(reader.subscriber).reservoir_peak_bytes <= budgets[i] + budgets[i] / 10);
    pubsub_subscriber_destroy(reader.subscriber);
  }
}

static void large_messages_on_many_slots_stay_within_the_budget(void **state) {
  (void)state;
  publish(40, 9900000);
  struct reader reader = {
      .subscriber =
          subscribe((struct pubsub_subscriber_options){.max_reservoir_bytes = 64u << 20}, 50)};
  sleep(3);
  read_until(&reader, UINT64_MAX, 50, 40, TIMEOUT_MS);
  assert_each_once(reader.subscriber, 40);
  assert_true(metrics_of(reader.subscriber).reservoir_peak_bytes <= 71000000);
  pubsub_subscriber_destroy(reader.subscriber);
}

/* Small ones first, so that all slots are open when the large ones come. */
static void messages_that_grow_stay_within_the_budget(void **state) {
  (void)state;
  struct reader reader = {
      .subscriber =
          subscribe((struct pubsub_subscriber_options){.max_reservoir_bytes = 64u << 20}, 50)};
  publish(2000, 100);
  read_until(&reader, UINT64_MAX, 20, 2000, TIMEOUT_MS);
  sleep(3);
  publish(30, 9900000);
  sleep(1);
  read_until(&reader, UINT64_MAX, 50, 2030, TIMEOUT_MS);
  assert_int_equal(metrics_of(reader.subscriber).acknowledged_rows, 2030);
  assert_true(metrics_of(reader.subscriber).reservoir_peak_bytes <= 71000000);
  pubsub_subscriber_destroy(reader.subscriber);
}

#define LIMITED                                                                                    \
  (struct pubsub_subscriber_options) {                                                             \
    .max_ack_extension_s = 10, .trigger_rows = 100, .chunk_rows = 50                               \
  }

static void a_limited_reader_acknowledges_each_message_once(void **state) {
  (void)state;
  publish(1300, 200);
  struct reader reader = {.subscriber = subscribe(LIMITED, 4)};
  read_until(&reader, 100, 1000, 1300, 40000);
  assert_each_once(reader.subscriber, 1300);
  pubsub_subscriber_destroy(reader.subscriber);
}

static void a_limited_reader_leaves_the_rest_to_others(void **state) {
  (void)state;
  publish(20000, 200);
  struct reader limited = {.subscriber = subscribe(LIMITED, 4)}, other;
  settle_batch(&limited, 100);
  sleep(2);
  other = (struct reader){.subscriber = subscribe((struct pubsub_subscriber_options){0}, 4)};
  read_until(&other, UINT64_MAX, 50, 19000, 5000);
  assert_true(metrics_of(other.subscriber).acknowledged_rows >= 19000);
  pubsub_subscriber_destroy(other.subscriber);
  pubsub_subscriber_destroy(limited.subscriber);
}

/* Also where messages flow at that moment: the next reader has all of them at once. */
static void an_end_gives_back_what_is_on_the_wire(void **state) {
  (void)state;
  publish(5000, 10000);
  for (int turn = 0; turn < 3; turn++) {
    struct pubsub_subscriber *subscriber = subscribe(
        (struct pubsub_subscriber_options){.max_reservoir_bytes = 8u << 20, .ack_deadline_s = 60},
        4);
    usleep(turn * 20000 + 5000); /* while messages flow */
    uint64_t began = now_ms();
    assert_int_equal(pubsub_subscriber_close(subscriber, TIMEOUT_MS, NULL), PUBSUB_OK);
    assert_true(now_ms() - began < 2000);
    pubsub_subscriber_destroy(subscriber);
  }
  struct reader reader = {
      .subscriber = subscribe((struct pubsub_subscriber_options){.ack_deadline_s = 60}, 4)};
  uint64_t end = now_ms() + 5000; /* far less than the leases of the others */
  while (metrics_of(reader.subscriber).acknowledged_rows < 5000 && now_ms() < end) {
    settle_batch(&reader, UINT64_MAX);
    usleep(20000);
  }
  assert_int_equal(metrics_of(reader.subscriber).acknowledged_rows, 5000);
  pubsub_subscriber_destroy(reader.subscriber);
}

/* The service does not answer for longer than a deadline: its acknowledgements come too late then,
 * and are not counted beside those of the messages that come again. */
static void what_comes_again_is_told(void **state) {
  (void)state;
  publish(100, 200);
  struct reader reader = {.subscriber = subscribe((struct pubsub_subscriber_options){0}, 2)};
  uint64_t end = now_ms() + TIMEOUT_MS;
  while (metrics_of(reader.subscriber).received_rows < 100 && now_ms() < end)
    usleep(10000);
  kill(emulator, SIGSTOP);
  sleep(13);
  assert_int_equal(metrics_of(reader.subscriber).expired_rows, 100);
  kill(emulator, SIGCONT);
  while (metrics_of(reader.subscriber).received_rows < 200 && now_ms() < end)
    usleep(10000);
  read_until(&reader, UINT64_MAX, 50, 100, TIMEOUT_MS);
  assert_int_equal(metrics_of(reader.subscriber).acknowledged_rows, 100);
  assert_int_equal(metrics_of(reader.subscriber).received_rows, 200);
  assert_int_equal(metrics_of(reader.subscriber).expired_rows, 100);
  assert_int_equal(metrics_of(reader.subscriber).redelivered_rows, 100);
  pubsub_subscriber_destroy(reader.subscriber);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv) {
  if (argc > 1) cmocka_set_test_filter(argv[1]); /* one by its name */
  const struct CMUnitTest tests[] = {TEST(a_long_batch_makes_no_duplicates),
                                     TEST(slow_batches_make_no_duplicates),
                                     TEST(large_messages_on_many_slots_stay_within_the_budget),
                                     TEST(messages_that_grow_stay_within_the_budget),
                                     TEST(a_limited_reader_acknowledges_each_message_once),
                                     TEST(a_limited_reader_leaves_the_rest_to_others),
                                     TEST(an_end_gives_back_what_is_on_the_wire),
                                     TEST(what_comes_again_is_told)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
