/* The library against the real emulator, as a process of its own. */
#include "support.h"

#include "base/alloc.h"
#include "emulator_process.h"

#include <pubsub/admin.h>
#include <pubsub/publisher.h>
#include <pubsub/subscriber.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TOPIC "projects/p/topics/topic1"
#define SUBSCRIPTION "projects/p/subscriptions/sub1"
#define TIMEOUT_MS 20000

static const char *endpoint;

static int set_up(void **state) {
  (void)state;
  endpoint = emulator_start(PUBSUB_EMULATOR_PATH, "0");
  return 0;
}

static int tear_down(void **state) {
  emulator_stop();
  assert_int_equal(pubsub_live_allocations(), 0);
  return no_leaks(state);
}

static struct pubsub_client *connect_client(void) {
  struct pubsub_client_options options = {.endpoint = endpoint, .plaintext = true};
  struct pubsub_client *client;
  assert_int_equal(pubsub_client_new(&options, &client, NULL), PUBSUB_OK);
  return client;
}

static void create(struct pubsub_client *client) {
  struct pubsub_subscription_info info = {.topic = TOPIC, .ack_deadline_s = 10};
  assert_int_equal(pubsub_client_create_topic(client, TOPIC, TIMEOUT_MS, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_client_create_subscription(client, SUBSCRIPTION, &info, TIMEOUT_MS, NULL),
                   PUBSUB_OK);
}

static struct pubsub_publisher *publisher_for(struct pubsub_client *client,
                                              pubsub_publish_ids_fn *on_ids, void *user) {
  struct pubsub_publisher_options options = {.topic = TOPIC, .on_ids = on_ids, .on_ids_user = user};
  struct pubsub_publisher *publisher;
  assert_int_equal(pubsub_publisher_new(client, &options, &publisher, NULL), PUBSUB_OK);
  return publisher;
}

static void publish(struct pubsub_client *client, size_t count, size_t size) {
  struct pubsub_publisher *publisher = publisher_for(client, NULL, NULL);
  uint8_t *data = calloc(1, size);
  struct pubsub_message message = {.data = {data, size}};
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(pubsub_publisher_publish(publisher, &message, 1, NULL), PUBSUB_OK);
  }
  assert_int_equal(pubsub_publisher_flush(publisher, TIMEOUT_MS, NULL), PUBSUB_OK);
  pubsub_publisher_destroy(publisher);
  free(data);
}

static struct pubsub_subscriber *subscriber_for(struct pubsub_client *client,
                                                struct pubsub_subscriber_options options) {
  struct pubsub_subscriber *subscriber;
  options.subscription = SUBSCRIPTION;
  assert_int_equal(pubsub_subscriber_new(client, &options, &subscriber, NULL), PUBSUB_OK);
  return subscriber;
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Settles all sealed chunks until so many rows are confirmed. */
#define MANY_SLOTS 60

static void settle_until(struct pubsub_subscriber *subscriber, uint64_t rows,
                         enum pubsub_outcome outcome) {
  uint64_t generation = 0, deadline = now_ms() + TIMEOUT_MS;
  struct pubsub_subscriber_metrics metrics;
  do {
    struct pubsub_slot_report reports[MANY_SLOTS];
    size_t count;
    pubsub_subscriber_report(subscriber, reports, MANY_SLOTS, &count);
    for (size_t i = 0; i < count && i < MANY_SLOTS; i++) {
      pubsub_subscriber_settle(subscriber, reports[i].slot, reports[i].epoch, reports[i].sealed,
                               outcome);
    }
    pubsub_subscriber_wait(subscriber, &generation, 100);
    pubsub_subscriber_metrics(subscriber, &metrics);
  } while (metrics.acknowledged_rows + metrics.given_back_rows < rows && now_ms() < deadline);
  assert_true(metrics.acknowledged_rows + metrics.given_back_rows >= rows);
}

static void every_message_is_received_and_acknowledged(void **state) {
  (void)state;
  struct pubsub_client *client = connect_client();
  create(client);
  publish(client, 20000, 200);
  struct pubsub_subscriber *subscriber = subscriber_for(
      client, (struct pubsub_subscriber_options){.columns = PUBSUB_COLUMN_ALL, .chunk_rows = 700});
  for (uint32_t slot = 0; slot < 3; slot++) {
    assert_int_equal(pubsub_subscriber_open_slot(subscriber, slot, 1, 0, NULL), PUBSUB_OK);
    assert_int_equal(pubsub_subscriber_open_slot(subscriber, slot, 1, 0, NULL), PUBSUB_OK);
  }
  settle_until(subscriber, 20000, PUBSUB_ACK);
  struct pubsub_subscriber_metrics metrics;
  pubsub_subscriber_metrics(subscriber, &metrics);
  assert_int_equal(metrics.received_rows, 20000);
  assert_int_equal(metrics.acknowledged_rows, 20000);
  assert_int_equal(metrics.backlog_rows, 0);
  assert_int_equal(pubsub_subscriber_close(subscriber, TIMEOUT_MS, NULL), PUBSUB_OK);
  pubsub_subscriber_destroy(subscriber);
  pubsub_client_destroy(client);
}

static void what_was_not_acknowledged_comes_again_at_once(void **state) {
  (void)state;
  struct pubsub_client *client = connect_client();
  create(client);
  publish(client, 1000, 100);
  for (int turn = 0; turn < 3; turn++) {
    struct pubsub_subscriber *subscriber =
        subscriber_for(client, (struct pubsub_subscriber_options){.chunk_rows = 100});
    pubsub_subscriber_open_slot(subscriber, 0, 1, 0, NULL);
    uint64_t generation = 0, deadline = now_ms() + 5000; /* well below the ack deadline */
    struct pubsub_subscriber_metrics metrics;
    do {
      pubsub_subscriber_wait(subscriber, &generation, 100);
      pubsub_subscriber_metrics(subscriber, &metrics);
    } while (metrics.received_rows < 1000 && now_ms() < deadline);
    assert_int_equal(metrics.received_rows, 1000);
    /* Closing gives everything back. */
    assert_int_equal(pubsub_subscriber_close(subscriber, TIMEOUT_MS, NULL), PUBSUB_OK);
    pubsub_subscriber_metrics(subscriber, &metrics);
    assert_int_equal(metrics.given_back_rows, 1000);
    pubsub_subscriber_destroy(subscriber);
  }
  pubsub_client_destroy(client);
}

static void a_chunk_can_be_read_until_it_is_settled(void **state) {
  (void)state;
  struct pubsub_client *client = connect_client();
  struct pubsub_chunk *first, *again;
  struct pubsub_error error = {0};
  create(client);
  publish(client, 10, 100);
  struct pubsub_subscriber *subscriber = subscriber_for(
      client, (struct pubsub_subscriber_options){.columns = PUBSUB_COLUMN_DATA, .chunk_rows = 10});
  pubsub_subscriber_open_slot(subscriber, 0, 7, 0, NULL);
  uint64_t generation = 0, deadline = now_ms() + TIMEOUT_MS;
  while (pubsub_subscriber_chunk(subscriber, 0, 7, 0, &first, NULL) != PUBSUB_OK &&
         now_ms() < deadline) {
    pubsub_subscriber_wait(subscriber, &generation, 100);
  }
  assert_int_equal(pubsub_subscriber_chunk(subscriber, 0, 7, 0, &again, NULL), PUBSUB_OK);
  assert_ptr_equal(first, again);
  assert_int_equal(pubsub_subscriber_chunk(subscriber, 0, 6, 0, &again, &error), PUBSUB_E_GONE);
  assert_int_equal(pubsub_subscriber_chunk(subscriber, 0, 7, 1, &again, &error), PUBSUB_E_GONE);
  pubsub_chunk_unref(first);
  settle_until(subscriber, 10, PUBSUB_ACK);
  assert_int_equal(pubsub_subscriber_chunk(subscriber, 0, 7, 0, &again, &error), PUBSUB_E_GONE);
  pubsub_subscriber_close_slot(subscriber, 0, 7, PUBSUB_CLOSE_GIVE_BACK);
  assert_int_equal(pubsub_subscriber_open_slot(subscriber, 0, 7, 0, &error), PUBSUB_E_INVALID);
  /* The last reference outlives everything. */
  pubsub_chunk_ref(first);
  struct pubsub_chunk_view view;
  pubsub_chunk_view(first, &view);
  assert_int_equal(view.rows, 10);
  pubsub_chunk_unref(first);
  pubsub_chunk_unref(first);
  pubsub_subscriber_destroy(subscriber);
  pubsub_client_destroy(client);
}

static void a_slow_reader_stays_within_its_budget(void **state) {
  (void)state;
  const uint64_t budget = 8u << 20;
  struct pubsub_client *client = connect_client();
  create(client);
  publish(client, 4000, 10000);
  struct pubsub_subscriber *subscriber =
      subscriber_for(client, (struct pubsub_subscriber_options){.columns = PUBSUB_COLUMN_ALL,
                                                                .chunk_rows = 50,
                                                                .max_reservoir_bytes = budget,
                                                                .max_outstanding_bytes = 1u << 30});
  pubsub_subscriber_open_slot(subscriber, 0, 1, 0, NULL);
  uint64_t generation = 0, until = now_ms() + 700;
  while (now_ms() < until)
    pubsub_subscriber_wait(subscriber, &generation, 50);
  struct pubsub_subscriber_metrics metrics;
  pubsub_subscriber_metrics(subscriber, &metrics);
  assert_true(metrics.received_rows > 0 && metrics.received_rows < 4000);
  assert_true(metrics.reservoir_peak_bytes <= budget + budget / 10);
  settle_until(subscriber, 4000, PUBSUB_ACK);
  pubsub_subscriber_metrics(subscriber, &metrics);
  assert_int_equal(metrics.received_rows, 4000);
  assert_true(metrics.reservoir_peak_bytes <= budget + budget / 10);
  pubsub_subscriber_destroy(subscriber);
  pubsub_client_destroy(client);
}

/* Each message makes a chunk of its own while there is room: what chunks cost beside their rows
 * counts too. */
static void slots_that_get_little_stay_within_the_budget(void **state) {
  (void)state;
  const uint64_t budget = 8u << 20;
  struct pubsub_client *client = connect_client();
  create(client);
  struct pubsub_subscriber *subscriber = subscriber_for(
      client, (struct pubsub_subscriber_options){
                  .columns = PUBSUB_COLUMN_ALL, .linger_ms = 1, .max_reservoir_bytes = budget});
  for (uint32_t slot = 0; slot < MANY_SLOTS; slot++)
    pubsub_subscriber_open_slot(subscriber, slot, 1, 0, NULL);
  struct pubsub_publisher *publisher = publisher_for(client, NULL, NULL);
  struct pubsub_message message = {.data = {(const uint8_t *)"message", 7}};
  for (int i = 0; i < 1500; i++) {
    assert_int_equal(pubsub_publisher_publish(publisher, &message, 1, NULL), PUBSUB_OK);
    assert_int_equal(pubsub_publisher_flush(publisher, TIMEOUT_MS, NULL), PUBSUB_OK);
  }
  pubsub_publisher_destroy(publisher);
  struct pubsub_subscriber_metrics metrics;
  pubsub_subscriber_metrics(subscriber, &metrics);
  assert_true(metrics.reservoir_peak_bytes <= budget + budget / 10);
  settle_until(subscriber, 1500, PUBSUB_ACK);
  pubsub_subscriber_metrics(subscriber, &metrics);
  assert_true(metrics.reservoir_peak_bytes <= budget + budget / 10);
  pubsub_subscriber_destroy(subscriber);
  pubsub_client_destroy(client);
}

static void a_message_larger_than_the_budget_passes(void **state) {
  (void)state;
  struct pubsub_client *client = connect_client();
  create(client);
  publish(client, 3, 9000000);
  struct pubsub_subscriber *subscriber =
      subscriber_for(client, (struct pubsub_subscriber_options){.columns = PUBSUB_COLUMN_ALL,
                                                                .max_reservoir_bytes = 1u << 20});
  pubsub_subscriber_open_slot(subscriber, 0, 1, 0, NULL);
  settle_until(subscriber, 3, PUBSUB_ACK);
  pubsub_subscriber_destroy(subscriber);
  pubsub_client_destroy(client);
}

static void a_missing_subscription_fails_with_its_name(void **state) {
  (void)state;
  struct pubsub_client *client = connect_client();
  struct pubsub_error error = {0};
  struct pubsub_slot_report report = {0};
  size_t count;
  assert_int_equal(pubsub_client_get_subscription(client, SUBSCRIPTION, NULL, TIMEOUT_MS, &error),
                   PUBSUB_E_GRPC);
  assert_int_equal(error.grpc_code, PUBSUB_GRPC_NOT_FOUND);
  assert_non_null(strstr(error.text, SUBSCRIPTION));
  struct pubsub_subscriber *subscriber =
      subscriber_for(client, (struct pubsub_subscriber_options){0});
  pubsub_subscriber_open_slot(subscriber, 0, 1, 0, NULL);
  uint64_t generation = 0, deadline = now_ms() + TIMEOUT_MS;
  while (report.state != PUBSUB_SLOT_FAILED && now_ms() < deadline) {
    pubsub_subscriber_wait(subscriber, &generation, 100);
    pubsub_subscriber_report(subscriber, &report, 1, &count);
  }
  assert_int_equal(report.state, PUBSUB_SLOT_FAILED);
  pubsub_subscriber_slot_error(subscriber, 0, 1, &error);
  assert_non_null(strstr(error.text, SUBSCRIPTION));
  pubsub_subscriber_destroy(subscriber);
  pubsub_client_destroy(client);
}

struct ids {
  atomic_uint_fast64_t count, wrong;
};

static void on_ids(void *user, const uint64_t *numbers, const struct pubsub_view *ids,
                   size_t count) {
  struct ids *seen = user;
  uint64_t first = 0;
  for (size_t i = 0; i < count; i++) {
    char text[32] = {0};
    memcpy(text, ids[i].ptr, ids[i].len < 31 ? ids[i].len : 31);
    uint64_t id = strtoull(text, NULL, 10);
    if (i == 0) first = id;
    /* The emulator numbers the messages of a request in their order. */
    if (id != first + i || numbers[i] != numbers[0] + i) seen->wrong++;
  }
  seen->count += count;
}

static void every_message_gets_an_id(void **state) {
  (void)state;
  struct ids ids = {0};
  struct pubsub_client *client = connect_client();
  create(client);
  struct pubsub_publisher *publisher = publisher_for(client, on_ids, &ids);
  struct pubsub_message message = {.data = {(const uint8_t *)"x", 1}};
  for (int i = 0; i < 100000; i++) {
    assert_int_equal(pubsub_publisher_publish(publisher, &message, 1, NULL), PUBSUB_OK);
  }
  assert_int_equal(pubsub_publisher_flush(publisher, TIMEOUT_MS, NULL), PUBSUB_OK);
  assert_int_equal(ids.count, 100000);
  assert_int_equal(ids.wrong, 0);
  struct pubsub_publisher_metrics metrics;
  pubsub_publisher_metrics(publisher, &metrics);
  assert_int_equal(metrics.published_rows, 100000);
  assert_int_equal(metrics.in_flight_bytes, 0);
  pubsub_publisher_destroy(publisher);
  pubsub_client_destroy(client);
}

/* Compressed and not, with keys and without, while a caller looks up now and then. */
static void a_compressed_publisher_can_be_waited_for(void **state) {
  struct pubsub_client *client = connect_client();
  struct pubsub_publisher_options options = {.topic = TOPIC, .gzip = true};
  struct pubsub_publisher *publisher;
  struct pubsub_publisher_metrics metrics;
  bool reached = false;
  char text[2000];
  (void)state;
  create(client);
  memset(text, 'x', sizeof text);
  assert_int_equal(pubsub_publisher_new(client, &options, &publisher, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_publisher_wait(publisher, PUBSUB_WAIT_IDS, 0, &reached, NULL), PUBSUB_OK);
  assert_true(reached); /* nothing was published */
  for (size_t i = 0; i < 3000; i++) {
    struct pubsub_message message = {.data = {(const uint8_t *)text, 1 + i % sizeof text}};
    if (i % 3 == 0) message.ordering_key = (struct pubsub_view){(const uint8_t *)text, 1 + i % 7};
    assert_int_equal(pubsub_publisher_publish(publisher, &message, 1, NULL), PUBSUB_OK);
  }
  emulator_pause();
  struct pubsub_message last = {.data = {(const uint8_t *)text, 1}};
  assert_int_equal(pubsub_publisher_publish(publisher, &last, 1, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_publisher_wait(publisher, PUBSUB_WAIT_IDS, 50, &reached, NULL),
                   PUBSUB_OK);
  assert_false(reached);
  assert_int_equal(pubsub_publisher_wait(publisher, PUBSUB_WAIT_ROOM, 0, &reached, NULL),
                   PUBSUB_OK);
  assert_true(reached);
  emulator_go_on();
  assert_int_equal(pubsub_publisher_wait(publisher, PUBSUB_WAIT_IDS, TIMEOUT_MS, &reached, NULL),
                   PUBSUB_OK);
  assert_true(reached);
  pubsub_publisher_metrics(publisher, &metrics);
  assert_int_equal(metrics.published_rows, 3001);
  assert_int_equal(metrics.in_flight_bytes, 0);
  pubsub_publisher_destroy(publisher);
  pubsub_client_destroy(client);
}

static void publishing_survives_a_restart(void **state) {
  (void)state;
  struct pubsub_client *client = connect_client();
  char port[16];
  create(client);
  struct pubsub_publisher *publisher = publisher_for(client, NULL, NULL);
  struct pubsub_message message = {.data = {(const uint8_t *)"x", 1}};
  snprintf(port, sizeof port, "%s", strrchr(endpoint, ':') + 1);
  emulator_stop();
  assert_int_equal(pubsub_publisher_publish(publisher, &message, 1, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_publisher_flush(publisher, 300, NULL), PUBSUB_E_TIMEOUT);
  endpoint = emulator_start(PUBSUB_EMULATOR_PATH, port);
  /* The topic is gone with the old process; requests that come before it is made again fail for
   * good. */
  enum pubsub_status status = pubsub_publisher_flush(publisher, TIMEOUT_MS, NULL);
  assert_true(status == PUBSUB_OK || status == PUBSUB_E_GRPC);
  pubsub_publisher_destroy(publisher);
  pubsub_client_destroy(client);
}

static void a_missing_topic_fails_for_good(void **state) {
  (void)state;
  struct pubsub_error error = {0};
  struct pubsub_client *client = connect_client();
  struct pubsub_publisher *publisher = publisher_for(client, NULL, NULL);
  struct pubsub_message message = {.data = {(const uint8_t *)"x", 1}};
  assert_int_equal(pubsub_publisher_publish(publisher, &message, 1, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_publisher_flush(publisher, TIMEOUT_MS, &error), PUBSUB_E_GRPC);
  assert_int_equal(error.grpc_code, PUBSUB_GRPC_NOT_FOUND);
  assert_non_null(strstr(error.text, TOPIC));
  assert_int_equal(pubsub_publisher_publish(publisher, &message, 1, &error), PUBSUB_E_GRPC);
  pubsub_publisher_destroy(publisher);
  pubsub_client_destroy(client);
}

static void destroyed_with_work_under_way(void **state) {
  (void)state;
  for (int turn = 0; turn < 20; turn++) {
    struct pubsub_client *client = connect_client();
    if (turn == 0) create(client);
    struct pubsub_publisher *publisher = publisher_for(client, NULL, NULL);
    struct pubsub_subscriber *subscriber = subscriber_for(
        client, (struct pubsub_subscriber_options){.columns = PUBSUB_COLUMN_ALL, .chunk_rows = 10});
    pubsub_subscriber_open_slot(subscriber, 0, 1, 0, NULL);
    uint8_t data[5000] = {1};
    struct pubsub_message message = {.data = {data, sizeof data}};
    for (int i = 0; i < 50 * turn; i++)
      pubsub_publisher_publish(publisher, &message, 1, NULL);
    struct pubsub_slot_report report;
    size_t count;
    pubsub_subscriber_report(subscriber, &report, 1, &count);
    if (count > 0) pubsub_subscriber_settle(subscriber, 0, 1, report.sealed, PUBSUB_ACK);
    pubsub_publisher_destroy(publisher);
    pubsub_subscriber_destroy(subscriber);
    pubsub_client_destroy(client);
    assert_int_equal(pubsub_live_allocations(), 0);
  }
}

/* Whichever allocation fails, on whatever thread: an error or a retry, never a crash, a hang or a
 * leak. */
static void every_allocation_may_fail(void **state) {
  struct pubsub_client *client = connect_client();
  (void)state;
  create(client);
  pubsub_client_destroy(client);
  for (uint64_t i = 1; i < 400; i += 1 + i / 40) {
    struct pubsub_client_options options = {.endpoint = endpoint, .plaintext = true};
    struct pubsub_publisher_options publisher_options = {.topic = TOPIC, .total_timeout_ms = 2000};
    struct pubsub_subscriber_options subscriber_options = {.subscription = SUBSCRIPTION,
                                                           .columns = PUBSUB_COLUMN_ALL};
    struct pubsub_publisher *publisher = NULL;
    struct pubsub_subscriber *subscriber = NULL;
    struct pubsub_message message = {.data = {(const uint8_t *)"x", 1}};
    client = NULL;
    pubsub_alloc_fail_after(i);
    if (pubsub_client_new(&options, &client, NULL) == PUBSUB_OK &&
        pubsub_publisher_new(client, &publisher_options, &publisher, NULL) == PUBSUB_OK &&
        pubsub_publisher_publish(publisher, &message, 1, NULL) == PUBSUB_OK) {
      pubsub_publisher_flush(publisher, 3000, NULL);
    }
    if (client &&
        pubsub_subscriber_new(client, &subscriber_options, &subscriber, NULL) == PUBSUB_OK &&
        pubsub_subscriber_open_slot(subscriber, 0, 1, 0, NULL) == PUBSUB_OK) {
      uint64_t generation = 0;
      for (int turn = 0; turn < 3; turn++)
        pubsub_subscriber_wait(subscriber, &generation, 20);
      pubsub_subscriber_settle(subscriber, 0, 1, 1, PUBSUB_ACK);
    }
    pubsub_alloc_fail_after(0);
    if (client) pubsub_client_get_topic(client, TOPIC, 3000, NULL);
    pubsub_subscriber_destroy(subscriber);
    pubsub_publisher_destroy(publisher);
    pubsub_client_destroy(client);
    assert_int_equal(pubsub_live_allocations(), 0);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(every_message_is_received_and_acknowledged),
                                     TEST(what_was_not_acknowledged_comes_again_at_once),
                                     TEST(a_chunk_can_be_read_until_it_is_settled),
                                     TEST(a_slow_reader_stays_within_its_budget),
                                     TEST(slots_that_get_little_stay_within_the_budget),
                                     TEST(a_message_larger_than_the_budget_passes),
                                     TEST(a_missing_subscription_fails_with_its_name),
                                     TEST(every_message_gets_an_id),
                                     TEST(a_compressed_publisher_can_be_waited_for),
                                     TEST(publishing_survives_a_restart),
                                     TEST(a_missing_topic_fails_for_good),
                                     TEST(destroyed_with_work_under_way),
                                     TEST(every_allocation_may_fail)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
