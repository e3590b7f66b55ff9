/* Work that a peer can ask for with a small message stays in proportion to its size. */
#include "support.h"

#include "base/bytes.h"
#include "proto/received_parser.h"
#include <stdio.h>
#include <stdlib.h>

#define KEYS 1024

static uint64_t fnv(const char *key, size_t len) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < len; i++)
    hash = (hash ^ (uint8_t)key[i]) * 0x100000001b3u;
  return hash ^ hash >> 32;
}

/* Keys that fall into one place of a table of 2 * KEYS where the hash is a well-known one without a
 * seed. */
static size_t colliding_message(uint8_t *out) {
  uint8_t *end = out;
  uint64_t number = 0;
  for (int made = 0; made < KEYS; number++) {
    char key[12];
    snprintf(key, sizeof key, "%011llx", (unsigned long long)number);
    if ((fnv(key, 11) & (2 * KEYS - 1)) != 5) continue;
    memcpy(end, "\x12\x0d\x0a\x0b", 4);
    memcpy(end + 4, key, 11);
    end += 15;
    made++;
  }
  return (size_t)(end - out);
}

static void keys_chosen_to_collide_cost_no_more(void **state) {
  uint8_t *message = malloc(KEYS * 15 + 8), *body = message + 4;
  struct pubsub_received_parser parser = {0};
  (void)state;
  size_t len = colliding_message(body);
  assert_int_equal(len, KEYS * 15);
  memcpy(message, "\x12\x80\xf8",
         3); /* ReceivedMessage.message of 15,360 bytes, the length in two … */
  message[2] = (uint8_t)(len >> 7);
  memmove(message + 3, body, len);
  pubsub_received_parser_reset(&parser);
  assert_int_equal(pubsub_received_parse(&parser, pubsub_view_of(message, 3 + len)), PUBSUB_OK);
  assert_int_equal(pubsub_received_finish(&parser), PUBSUB_OK);
  assert_int_equal(parser.message.attribute_count, KEYS);
  assert_true(parser.probes < 8 * KEYS);
  pubsub_received_parser_clear(&parser);
  free(message);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(keys_chosen_to_collide_cost_no_more, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
