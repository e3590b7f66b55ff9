/* The ring of bytes under way: order, owners released once and in time, and what fails when there
 * is no memory. */
#include "support.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "h2/output.h"

#define PARTS 64

struct owner {
  unsigned released;
};
static void on_release(void *owner) {
  ((struct owner *)owner)->released++;
}
static struct pubsub_segment segment(const char *text, struct owner *owner) {
  return (struct pubsub_segment){(const uint8_t *)text, strlen(text), owner ? on_release : NULL,
                                 owner};
}

/* Everything that is left, as one text. */
static const char *rest(const struct pubsub_h2_output *output) {
  static char text[65536];
  struct iovec parts[PARTS];
  size_t bytes, len = 0;
  int count = pubsub_h2_output_parts(output, parts, PARTS, &bytes);
  for (int i = 0; i < count; i++) {
    memcpy(text + len, parts[i].iov_base, parts[i].iov_len);
    len += parts[i].iov_len;
  }
  assert_int_equal(len, bytes);
  text[len] = '\0';
  return text;
}

static void copy(struct pubsub_h2_output *output, const char *text) {
  assert_int_equal(pubsub_h2_output_copy(output, (const uint8_t *)text, strlen(text)), PUBSUB_OK);
}

static void bytes_come_out_in_order(void **state) {
  struct pubsub_h2_output output = {0};
  struct owner owner = {0};
  struct iovec parts[PARTS];
  size_t bytes;
  (void)state;
  copy(&output, "one ");
  copy(&output, "two ");
  pubsub_h2_output_add(&output, segment("three ", &owner));
  copy(&output, "four");
  assert_int_equal(output.bytes, 18);
  assert_string_equal(rest(&output), "one two three four");
  assert_int_equal(pubsub_h2_output_parts(&output, parts, PARTS, &bytes), 3); /* heads in a row */
  pubsub_h2_output_written(&output, 10);
  assert_string_equal(rest(&output), "ree four");
  assert_int_equal(owner.released, 0);
  pubsub_h2_output_written(&output, 4);
  assert_int_equal(owner.released, 1);
  assert_string_equal(rest(&output), "four");
  pubsub_h2_output_written(&output, 4);
  assert_int_equal(output.bytes, 0);
  assert_int_equal(output.arena_used, 0);
  pubsub_h2_output_clear(&output);
  assert_int_equal(owner.released, 1);
}

static void clearing_releases_each_owner_once(void **state) {
  struct pubsub_h2_output output = {0};
  struct owner owners[100] = {0};
  (void)state;
  for (int i = 0; i < 100; i++)
    pubsub_h2_output_add(&output, segment("x", &owners[i]));
  pubsub_h2_output_written(&output, 40);
  pubsub_h2_output_clear(&output);
  for (int i = 0; i < 100; i++)
    assert_int_equal(owners[i].released, 1);
}

/* A stream ends while a part of its segment is under way: the owner outlives the part, not more. */
static void an_owner_follows_its_parts(void **state) {
  struct pubsub_h2_output output = {0};
  struct owner owner = {0};
  (void)state;
  struct pubsub_segment part = segment("part", NULL), whole = segment("part, rest", &owner);
  pubsub_h2_output_add(&output, part);
  pubsub_h2_output_hold(&output);
  copy(&output, "next");
  pubsub_h2_output_keep(&output, whole);
  assert_int_equal(output.bytes, 8);
  assert_string_equal(rest(&output), "partnext");
  pubsub_h2_output_written(&output, 7);
  assert_int_equal(owner.released, 0);
  pubsub_h2_output_written(&output, 1);
  assert_int_equal(owner.released, 1);
  assert_int_equal(output.held, 0);
  assert_int_equal(output.count, 0);
  pubsub_h2_output_clear(&output);
}

/* However full the ring is: what was held finds its place, also without memory. */
static void a_held_place_is_there(void **state) {
  (void)state;
  for (size_t count = 1; count < 200; count++) {
    struct pubsub_h2_output output = {0};
    struct owner owners[200] = {0};
    for (size_t i = 0; i < count; i++) {
      assert_int_equal(pubsub_h2_output_add(&output, segment("p", NULL)), PUBSUB_OK);
      pubsub_h2_output_hold(&output);
    }
    pubsub_alloc_fail_after(1);
    for (size_t i = 0; i < count; i++)
      pubsub_h2_output_keep(&output, segment("p, rest", &owners[i]));
    pubsub_alloc_fail_after(0);
    assert_in_range(output.count, 2 * count, output.cap);
    pubsub_h2_output_written(&output, count);
    for (size_t i = 0; i < count; i++)
      assert_int_equal(owners[i].released, 1);
    pubsub_h2_output_clear(&output);
  }
}

static void without_memory_nothing_changes(void **state) {
  struct pubsub_h2_output output = {0};
  struct owner owner = {0};
  uint8_t large[20000];
  (void)state;
  memset(large, 'y', sizeof large);
  pubsub_alloc_fail_after(1);
  assert_int_equal(pubsub_h2_output_add(&output, segment("x", &owner)), PUBSUB_E_NOMEM);
  pubsub_alloc_fail_after(1);
  assert_int_equal(pubsub_h2_output_copy(&output, large, 4), PUBSUB_E_NOMEM);
  pubsub_alloc_fail_after(0);
  copy(&output, "small");
  pubsub_alloc_fail_after(1);
  assert_int_equal(pubsub_h2_output_copy(&output, large, sizeof large), PUBSUB_E_NOMEM);
  pubsub_alloc_fail_after(0);
  assert_string_equal(rest(&output), "small");
  assert_int_equal(owner.released, 0);
  pubsub_h2_output_clear(&output);
}

/* Against a plain text: random pieces, copies (small and larger than the arena), and writes of any
 * size. */
static void any_sequence_is_the_text_it_was(void **state) {
  static char expected[1 << 20];
  struct pubsub_h2_output output = {0};
  struct pubsub_rng rng;
  size_t put = 0, taken = 0;
  (void)state;
  pubsub_rng_seed(&rng, 3);
  for (size_t i = 0; i < sizeof expected; i++)
    expected[i] = (char)('a' + pubsub_rng_below(&rng, 26));
  while (taken < sizeof expected) {
    size_t len = 1 + pubsub_rng_below(&rng, pubsub_rng_below(&rng, 50) == 0 ? 20000 : 40);
    if (len > sizeof expected - put) len = sizeof expected - put;
    const uint8_t *ptr = (const uint8_t *)expected + put;
    if (len > 0 && pubsub_rng_below(&rng, 2)) {
      pubsub_h2_output_copy(&output, ptr, len);
    } else if (len > 0) {
      pubsub_h2_output_add(&output, (struct pubsub_segment){ptr, len, NULL, NULL});
    }
    put += len;
    if (len > 0 && pubsub_rng_below(&rng, 3)) continue;
    struct iovec parts[PARTS];
    size_t bytes;
    int count = pubsub_h2_output_parts(&output, parts, PARTS, &bytes);
    for (size_t i = 0, at = taken; i < (size_t)count; at += parts[i++].iov_len)
      assert_memory_equal(parts[i].iov_base, expected + at, parts[i].iov_len);
    size_t done = pubsub_rng_below(&rng, bytes + 1);
    pubsub_h2_output_written(&output, done);
    taken += done;
    assert_int_equal(output.bytes, put - taken);
  }
  pubsub_h2_output_clear(&output);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(bytes_come_out_in_order, no_leaks),
      cmocka_unit_test_teardown(clearing_releases_each_owner_once, no_leaks),
      cmocka_unit_test_teardown(an_owner_follows_its_parts, no_leaks),
      cmocka_unit_test_teardown(a_held_place_is_there, no_leaks),
      cmocka_unit_test_teardown(without_memory_nothing_changes, no_leaks),
      cmocka_unit_test_teardown(any_sequence_is_the_text_it_was, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
