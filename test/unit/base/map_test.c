#include "support.h"

#include "base/map.h"
#include <stdio.h>

#define COUNT 1000

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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(map_finds_what_was_put, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
