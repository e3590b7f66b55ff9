/* Taking chunks from all slots, and settling each by its own place. */
#include "support.h"

#include "base/alloc.h"
#include "emulator_process.h"

#include <pthread.h>
#include <pubsub/pubsub.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TOPIC "projects/p/topics/topic1"
#define SUBSCRIPTION "projects/p/subscriptions/sub1"
#define TIMEOUT_MS 20000

static struct pubsub_client *client;
static struct pubsub_subscriber *subscriber;

#define GOOD(call) assert_int_equal((call), PUBSUB_OK)

static void subscribe(const char *subscription, uint32_t slots) {
  struct pubsub_subscriber_options options = {
      .subscription = subscription, .columns = PUBSUB_COLUMN_ALL, .chunk_rows = 10};
  GOOD(pubsub_subscriber_new(client, &options, &subscriber, NULL));
  for (uint32_t slot = 0; slot < slots; slot++)
    GOOD(pubsub_subscriber_open_slot(subscriber, slot, 7, 0, NULL));
}

static void publish(int count) {
  struct pubsub_publisher_options options = {.topic = TOPIC};
  struct pubsub_publisher *publisher;
  GOOD(pubsub_publisher_new(client, &options, &publisher, NULL));
  for (int i = 0; i < count; i++) {
    char text[16];
    struct pubsub_message message = {.data = {(uint8_t *)text, 0}};
    message.data.len = (size_t)snprintf(text, sizeof text, "%d", i);
    GOOD(pubsub_publisher_publish(publisher, &message, 1, NULL));
  }
  GOOD(pubsub_publisher_flush(publisher, TIMEOUT_MS, NULL));
  pubsub_publisher_destroy(publisher);
}

static int set_up(void **state) {
  struct pubsub_client_options options = {.plaintext = true};
  struct pubsub_subscription_info info = {.topic = TOPIC, .ack_deadline_s = 60};
  (void)state;
  options.endpoint = emulator_start(PUBSUB_EMULATOR_PATH, "0");
  GOOD(pubsub_client_new(&options, &client, NULL));
  GOOD(pubsub_client_create_topic(client, TOPIC, TIMEOUT_MS, NULL));
  GOOD(pubsub_client_create_subscription(client, SUBSCRIPTION, &info, TIMEOUT_MS, NULL));
  return 0;
}

static int tear_down(void **state) {
  pubsub_subscriber_destroy(subscriber);
  subscriber = NULL;
  pubsub_client_destroy(client);
  emulator_stop();
  return no_leaks(state);
}

static uint32_t rows_of(struct pubsub_chunk *chunk) {
  struct pubsub_chunk_view view;
  pubsub_chunk_view(chunk, &view);
  return (uint32_t)view.rows;
}

static struct pubsub_subscriber_metrics metrics(void) {
  struct pubsub_subscriber_metrics out;
  pubsub_subscriber_metrics(subscriber, &out);
  return out;
}

static void until_settled(uint64_t rows) {
  struct pubsub_subscriber_metrics now;
  for (int turn = 0; turn < TIMEOUT_MS; turn++) {
    now = metrics();
    if (now.acknowledged_rows + now.given_back_rows >= rows) return;
    usleep(1000);
  }
  fail_msg("%u rows settled", (unsigned)(now.acknowledged_rows + now.given_back_rows));
}

static void every_chunk_comes_once(void **state) {
  struct pubsub_chunk *chunk;
  struct pubsub_chunk_place place;
  uint64_t rows = 0;
  bool slots[3] = {false};
  (void)state;
  subscribe(SUBSCRIPTION, 3);
  for (int i = 0; i < 30; i++)
    publish(30);
  while (rows < 900) {
    GOOD(pubsub_subscriber_next(subscriber, TIMEOUT_MS, &chunk, &place, NULL));
    rows += rows_of(chunk);
    assert_int_equal(place.rows, rows_of(chunk));
    assert_int_equal(place.epoch, 7);
    slots[place.slot] = true;
    pubsub_chunk_unref(chunk);
    pubsub_subscriber_settle_chunk(subscriber, &place, PUBSUB_ACK);
  }
  assert_int_equal(rows, 900);
  assert_true(slots[0] && slots[1] && slots[2]);
  until_settled(900);
  assert_int_equal(metrics().acknowledged_rows, 900);
  struct pubsub_error error = {0};
  assert_int_equal(pubsub_subscriber_next(subscriber, 100, &chunk, &place, &error),
                   PUBSUB_E_TIMEOUT);
  assert_non_null(strstr(error.text, SUBSCRIPTION));
  GOOD(pubsub_subscriber_close(subscriber, TIMEOUT_MS, NULL));
}

/* Every third chunk is acknowledged, newest first; the others are given back and come again. */
static void each_has_its_own_outcome(void **state) {
  enum { CHUNKS = 300 };
  static struct pubsub_chunk_place places[CHUNKS];
  struct pubsub_chunk *chunk;
  uint64_t rows = 0, kept = 0;
  size_t count = 0;
  (void)state;
  subscribe(SUBSCRIPTION, 2);
  publish(300);
  while (rows < 300) {
    GOOD(pubsub_subscriber_next(subscriber, TIMEOUT_MS, &chunk, &places[count], NULL));
    rows += rows_of(chunk);
    if (count % 3 == 0) kept += rows_of(chunk);
    count++;
    pubsub_chunk_unref(chunk);
  }
  for (size_t i = count; i-- > 0;)
    pubsub_subscriber_settle_chunk(subscriber, &places[i], i % 3 == 0 ? PUBSUB_ACK : PUBSUB_NACK);
  until_settled(300);
  for (uint64_t again = 0; again < 300 - kept;) {
    struct pubsub_chunk_place place;
    GOOD(pubsub_subscriber_next(subscriber, TIMEOUT_MS, &chunk, &place, NULL));
    again += rows_of(chunk);
    pubsub_chunk_unref(chunk);
    pubsub_subscriber_settle_chunk(subscriber, &place, PUBSUB_ACK);
    pubsub_subscriber_settle_chunk(subscriber, &place, PUBSUB_NACK); /* the first one counts */
  }
  until_settled(600 - kept);
  assert_int_equal(metrics().acknowledged_rows, 300);
  assert_int_equal(metrics().given_back_rows, 300 - kept);
}

/* By place and by count in one epoch, as it comes. */
static void alone_and_in_turn_go_together(void **state) {
  struct pubsub_chunk *chunk;
  struct pubsub_chunk_place place;
  uint64_t rows = 0, turn = 0;
  (void)state;
  subscribe(SUBSCRIPTION, 1);
  publish(2000);
  for (; rows < 2000; turn++) {
    GOOD(pubsub_subscriber_next(subscriber, TIMEOUT_MS, &chunk, &place, NULL));
    rows += rows_of(chunk);
    pubsub_chunk_unref(chunk);
    if (turn % 2 == 0) pubsub_subscriber_settle_chunk(subscriber, &place, PUBSUB_ACK);
    if (turn % 5 == 4) pubsub_subscriber_settle(subscriber, 0, 7, place.seq + 1, PUBSUB_ACK);
  }
  pubsub_subscriber_settle(subscriber, 0, 7, place.seq + 1, PUBSUB_ACK);
  until_settled(2000);
  assert_int_equal(metrics().acknowledged_rows, 2000);
  struct pubsub_slot_report report;
  size_t count;
  pubsub_subscriber_report(subscriber, &report, 1, &count);
  assert_int_equal(report.settled, report.sealed);
  assert_int_equal(report.backlog_rows, 0);
}

static atomic_uint_fast64_t taken;

static void *worker(void *unused) {
  struct pubsub_chunk *chunk;
  struct pubsub_chunk_place place;
  (void)unused;
  while (pubsub_subscriber_next(subscriber, 2000, &chunk, &place, NULL) == PUBSUB_OK) {
    atomic_fetch_add(&taken, rows_of(chunk));
    pubsub_chunk_unref(chunk);
    pubsub_subscriber_settle_chunk(subscriber, &place, PUBSUB_ACK);
  }
  return NULL;
}

static void threads_share_the_work(void **state) {
  pthread_t threads[4];
  (void)state;
  subscribe(SUBSCRIPTION, 2);
  atomic_store(&taken, 0);
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, worker, NULL), 0);
  publish(5000);
  for (int i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(atomic_load(&taken), 5000);
  until_settled(5000);
  assert_int_equal(metrics().acknowledged_rows, 5000);
}

static void what_cannot_be_read_says_why(void **state) {
  struct pubsub_chunk *chunk;
  struct pubsub_chunk_place place;
  struct pubsub_error error = {0};
  (void)state;
  subscribe("projects/p/subscriptions/none", 1);
  assert_int_equal(pubsub_subscriber_next(subscriber, TIMEOUT_MS, &chunk, &place, &error),
                   PUBSUB_E_GRPC);
  assert_int_equal(error.grpc_code, PUBSUB_GRPC_NOT_FOUND);
  assert_null(chunk);
  pubsub_subscriber_close(subscriber, 1000, NULL);
  assert_int_equal(pubsub_subscriber_next(subscriber, TIMEOUT_MS, &chunk, &place, &error),
                   PUBSUB_E_CLOSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(every_chunk_comes_once), TEST(each_has_its_own_outcome),
                                     TEST(alone_and_in_turn_go_together),
                                     TEST(threads_share_the_work),
                                     TEST(what_cannot_be_read_says_why)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
