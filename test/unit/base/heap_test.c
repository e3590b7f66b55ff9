#include "support.h"

#include "base/heap.h"
#include "base/rng.h"

#define COUNT 1000

static void heap_gives_the_smallest_first(void **state) {
  struct pubsub_heap heap = {0};
  struct pubsub_heap_node nodes[COUNT] = {0};
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 1);
  for (int i = 0; i < COUNT; i++) {
    pubsub_heap_set(&heap, &nodes[i], pubsub_rng_below(&rng, 500));
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
    assert_false(pubsub_heap_has(top));
    seen++;
  }
  assert_int_equal(seen, COUNT - (COUNT + 2) / 3);
  pubsub_heap_clear(&heap);
}

static void clearing_takes_every_node_out(void **state) {
  struct pubsub_heap heap = {0};
  struct pubsub_heap_node nodes[COUNT] = {0};
  (void)state;
  for (uint64_t i = 0; i < COUNT; i++)
    pubsub_heap_set(&heap, &nodes[i], i % 7);
  pubsub_heap_remove(&heap, &nodes[3]);
  pubsub_heap_clear(&heap);
  assert_null(pubsub_heap_top(&heap));
  for (int i = 0; i < COUNT; i++)
    assert_false(pubsub_heap_has(&nodes[i]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(heap_gives_the_smallest_first, no_leaks),
      cmocka_unit_test_teardown(clearing_takes_every_node_out, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
