#include "support.h"

#include "base/alloc.h"
#include "base/heap.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/utf8.h"
#include <stdio.h>

#define COUNT 1000

static void heap_gives_the_smallest_first(void **state) {
  struct pubsub_heap heap = {0};
  struct pubsub_heap_node nodes[COUNT] = {0};
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 1);
  for (int i = 0; i < COUNT; i++) {
    assert_int_equal(pubsub_heap_set(&heap, &nodes[i], pubsub_rng_below(&rng, 500)), PUBSUB_OK);
  }
  for (int i = 0; i < COUNT; i += 3)
    pubsub_heap_remove(&heap, &nodes[i]);
  for (int i = 1; i < COUNT; i += 3) {
    pubsub_heap_set(&heap, &nodes[i], pubsub_rng_below(&rng, 500));
  }
  uint64_t last = 0;
  size_t seen = 0;
  struct pubsub_heap_node *top;
  while ((top = pubsub_heap_top(&heap))) {
    assert_true(top->due >= last);
    last = top->due;
    pubsub_heap_remove(&heap, top);
    assert_int_equal(top->index, 0);
    seen++;
  }
  assert_int_equal(seen, COUNT - (COUNT + 2) / 3);
  pubsub_heap_clear(&heap);
}

static void map_finds_what_was_put(void **state) {
  struct pubsub_map map;
  struct pubsub_map_entry entries[COUNT];
  char keys[COUNT][16];
  (void)state;
  pubsub_map_init(&map);
  for (int i = 0; i < COUNT; i++) {
    snprintf(keys[i], sizeof keys[i], "key %d", i);
    assert_int_equal(pubsub_map_insert(&map, &entries[i], pubsub_view_str(keys[i])), PUBSUB_OK);
  }
  for (int i = 0; i < COUNT; i += 2)
    pubsub_map_remove(&map, &entries[i]);
  for (int i = 0; i < COUNT; i++) {
    struct pubsub_map_entry *found = pubsub_map_find(&map, pubsub_view_str(keys[i]));
    assert_ptr_equal(found, i % 2 ? &entries[i] : NULL);
  }
  struct pubsub_map_iter it = {0};
  struct pubsub_map_entry *entry;
  size_t seen = 0;
  while ((entry = pubsub_map_next(&map, &it))) {
    pubsub_map_remove(&map, entry);
    seen++;
  }
  assert_int_equal(seen, COUNT / 2);
  assert_int_equal(map.count, 0);
  pubsub_map_clear(&map);
}

static void utf8_is_checked_and_repaired(void **state) {
  static const struct {
    const char *text, *repaired;
  } cases[] = {{"plain", "plain"},
               {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
               {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
               {"a\xff"
                "b",
                "a\xef\xbf\xbd"
                "b"},
               {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
               {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* surrogate */
               {"x\xe2\x82", "x\xef\xbf\xbd\xef\xbf\xbd"}};              /* cut */
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const uint8_t *text = (const uint8_t *)cases[i].text;
    size_t len = strlen(cases[i].text);
    uint8_t out[64];
    size_t repaired = pubsub_utf8_repair(text, len, out);
    assert_int_equal(repaired, strlen(cases[i].repaired));
    assert_memory_equal(out, cases[i].repaired, repaired);
    assert_int_equal(pubsub_utf8_repair(text, len, NULL), repaired);
    assert_int_equal(pubsub_utf8_valid(text, len), strcmp(cases[i].text, cases[i].repaired) == 0);
    assert_true(pubsub_utf8_valid(out, repaired));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(heap_gives_the_smallest_first, no_leaks),
      cmocka_unit_test_teardown(map_finds_what_was_put, no_leaks),
      cmocka_unit_test_teardown(utf8_is_checked_and_repaired, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
