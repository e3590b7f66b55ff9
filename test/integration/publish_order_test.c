/* Messages of one ordering key are published in their order or not at all, whatever runs out of
 * memory. */
#include "support.h"

#include "base/alloc.h"
#include "emulator_process.h"

#include <pubsub/pubsub.h>
#include <unistd.h>

#define TOPIC "projects/p/topics/topic1"
#define MESSAGES 12
#define KEYS 3
#define ROW_BYTES 18

static const char *endpoint;

static int set_up(void **state) {
  (void)state;
  endpoint = emulator_start(PUBSUB_EMULATOR_PATH, "0");
  return 0;
}

static int tear_down(void **state) {
  emulator_stop();
  return no_leaks(state);
}

struct confirmed {
  bool message[MESSAGES];
};

static void on_ids(void *user, const uint64_t *numbers, const struct pubsub_view *ids,
                   size_t count) {
  struct confirmed *confirmed = user;
  (void)ids;
  for (size_t i = 0; i < count; i++)
    confirmed->message[numbers[i]] = true;
}

static void put_u32(uint8_t **at, uint32_t value) {
  for (int i = 0; i < 4; i++)
    *(*at)++ = (uint8_t)(value >> 8 * i);
}

/* MESSAGES rows of one byte, with the keys "a", "b", "c" in turns. */
static void make_block(uint8_t *at) {
  for (int i = 0; i < MESSAGES; i++) {
    put_u32(&at, ROW_BYTES - 4);
    put_u32(&at, 1);
    *at++ = 'x';
    put_u32(&at, 1);
    *at++ = (uint8_t)('a' + i % KEYS);
    put_u32(&at, 0);
  }
}

/* Once one of a key is missing, none of that key that comes after it may be there. */
static void check_order(const struct confirmed *confirmed) {
  for (int i = 0; i < MESSAGES; i++) {
    for (int later = i + KEYS; later < MESSAGES; later += KEYS)
      assert_true(confirmed->message[i] || !confirmed->message[later]);
  }
}

/* A publisher that has failed still has requests under way, whose ids come. */
static void wait_for_answers(struct pubsub_publisher *publisher) {
  struct pubsub_publisher_metrics metrics = {.in_flight_bytes = 1};
  for (int turn = 0; turn < 2000 && metrics.in_flight_bytes > 0; turn++) {
    usleep(1000);
    pubsub_publisher_metrics(publisher, &metrics);
  }
}

static void publish_without_memory(uint64_t nth, bool *out_failed) {
  struct pubsub_client_options options = {.endpoint = endpoint, .plaintext = true};
  struct pubsub_publisher_options publisher_options = {.topic = TOPIC, .on_ids = on_ids};
  struct pubsub_client *client;
  struct pubsub_publisher *publisher;
  struct confirmed confirmed = {{false}};
  uint8_t block[MESSAGES * ROW_BYTES];
  make_block(block);
  publisher_options.max_batch_messages = 1;
  publisher_options.on_ids_user = &confirmed;
  assert_int_equal(pubsub_client_new(&options, &client, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_publisher_new(client, &publisher_options, &publisher, NULL), PUBSUB_OK);
  pubsub_alloc_fail_after(nth);
  enum pubsub_status status =
      pubsub_publisher_publish_block(publisher, block, sizeof block, MESSAGES, 0, NULL);
  enum pubsub_status flushed = pubsub_publisher_flush(publisher, 5000, NULL);
  pubsub_alloc_fail_after(0);
  wait_for_answers(publisher);
  *out_failed = status != PUBSUB_OK || flushed != PUBSUB_OK;
  pubsub_publisher_destroy(publisher);
  check_order(&confirmed);
  pubsub_client_destroy(client);
  assert_int_equal(pubsub_live_allocations(), 0);
}

static void a_key_keeps_its_order_without_memory(void **state) {
  struct pubsub_client_options options = {.endpoint = endpoint, .plaintext = true};
  struct pubsub_client *client;
  bool failed, ever_failed = false;
  (void)state;
  assert_int_equal(pubsub_client_new(&options, &client, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_client_create_topic(client, TOPIC, 5000, NULL), PUBSUB_OK);
  pubsub_client_destroy(client);
  for (uint64_t nth = 1; nth < 200; nth += 1 + nth / 60) {
    publish_without_memory(nth, &failed);
    ever_failed |= failed;
  }
  assert_true(ever_failed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_key_keeps_its_order_without_memory, set_up, tear_down)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
