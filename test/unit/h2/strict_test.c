/* The watch over a client's frames: what is allowed, what is not, in any pieces. */
#include "support.h"

#include "h2/strict.h"
#include <string.h>

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, PING = 6 };

struct input {
  uint8_t bytes[4096];
  size_t len;
};

static void add_preface(struct input *input) {
  memcpy(input->bytes + input->len, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
  input->len += 24;
}

static void add(struct input *input, int type, uint32_t id, size_t payload) {
  const uint8_t head[9] = {
      0,          (uint8_t)(payload >> 8), (uint8_t)payload,    (uint8_t)type,
      0,          (uint8_t)(id >> 24),     (uint8_t)(id >> 16), (uint8_t)(id >> 8),
      (uint8_t)id};
  memcpy(input->bytes + input->len, head, sizeof head);
  input->len += sizeof head;
  memset(input->bytes + input->len, 0x01, payload); /* must not be taken for heads */
  input->len += payload;
}

/* The verdict is the same whole, a byte at a time, and in pieces of seven. */
static enum pubsub_h2_strict_verdict verdict(const struct input *input, int32_t ended) {
  enum pubsub_h2_strict_verdict found[3];
  const size_t steps[3] = {sizeof input->bytes, 1, 7};
  for (int way = 0; way < 3; way++) {
    struct pubsub_h2_strict strict;
    pubsub_h2_strict_init(&strict);
    if (ended) pubsub_h2_strict_closed(&strict, ended);
    for (size_t at = 0; at < input->len; at += steps[way]) {
      size_t len = input->len - at < steps[way] ? input->len - at : steps[way];
      found[way] = pubsub_h2_strict_feed(&strict, input->bytes + at, len);
    }
  }
  assert_int_equal(found[0], found[1]);
  assert_int_equal(found[0], found[2]);
  return found[0];
}

static void requests_in_order_are_fine(void **state) {
  struct input input = {0};
  (void)state;
  add_preface(&input);
  add(&input, HEADERS, 1, 20);
  add(&input, DATA, 1, 300);
  add(&input, PING, 0, 8);
  add(&input, HEADERS, 3, 20);
  add(&input, DATA, 1, 5);
  add(&input, HEADERS, 1, 4); /* trailers */
  assert_int_equal(verdict(&input, 0), PUBSUB_H2_STRICT_FINE);
}

static void ids_that_were_skipped_stay_closed(void **state) {
  struct input input = {0};
  (void)state;
  add_preface(&input);
  add(&input, HEADERS, 1, 1);
  add(&input, HEADERS, 9, 1);
  assert_int_equal(verdict(&input, 0), PUBSUB_H2_STRICT_FINE);
  add(&input, HEADERS, 7, 1);
  assert_int_equal(verdict(&input, 0), PUBSUB_H2_STRICT_SKIPPED);
}

static void frames_after_a_reset_are_refused(void **state) {
  static const int types[] = {DATA, HEADERS};
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct input input = {0};
    add_preface(&input);
    add(&input, HEADERS, 1, 1);
    add(&input, RST_STREAM, 1, 4);
    add(&input, PING, 0, 8);
    add(&input, types[i], 1, 1);
    assert_int_equal(verdict(&input, 0), PUBSUB_H2_STRICT_CLOSED);
  }
}

static void frames_after_the_end_are_refused(void **state) {
  struct input input = {0};
  (void)state;
  add_preface(&input);
  add(&input, HEADERS, 1, 1);
  add(&input, HEADERS, 3, 1);
  add(&input, DATA, 3, 1);
  assert_int_equal(verdict(&input, 3), PUBSUB_H2_STRICT_CLOSED);
}

static void a_verdict_stays(void **state) {
  struct input input = {0};
  (void)state;
  add_preface(&input);
  add(&input, HEADERS, 5, 1);
  add(&input, HEADERS, 3, 1);
  add(&input, HEADERS, 7, 1);
  assert_int_equal(verdict(&input, 0), PUBSUB_H2_STRICT_SKIPPED);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(requests_in_order_are_fine),
                                     cmocka_unit_test(ids_that_were_skipped_stay_closed),
                                     cmocka_unit_test(frames_after_a_reset_are_refused),
                                     cmocka_unit_test(frames_after_the_end_are_refused),
                                     cmocka_unit_test(a_verdict_stays)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
