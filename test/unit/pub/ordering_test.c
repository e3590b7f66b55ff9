#include "support.h"

#include "pub/ordering.h"
#include "pub/retry.h"
#include <stdio.h>

struct item {
  struct pubsub_ordering_item order;
  char key[8];
  int number;
  bool under_way;
};

static void a_key_has_one_request_under_way(void **state) {
  enum { ITEMS = 500 };
  static struct item items[ITEMS];
  struct pubsub_ordering ordering;
  struct pubsub_rng rng;
  int last[4] = {-1, -1, -1, -1};
  size_t done = 0, added = 0;
  (void)state;
  pubsub_rng_seed(&rng, 6);
  pubsub_ordering_init(&ordering, 3, 3);
  while (done < ITEMS) {
    if (added < ITEMS && pubsub_rng_below(&rng, 2)) {
      struct item *item = &items[added];
      *item = (struct item){.number = (int)added++};
      unsigned key = (unsigned)pubsub_rng_below(&rng, 5);
      snprintf(item->key, sizeof item->key, "%u", key);
      item->order.key = pubsub_view_of(item->key, key == 4 ? 0 : 1);
      assert_int_equal(pubsub_ordering_add(&ordering, &item->order), PUBSUB_OK);
    }
    struct pubsub_ordering_item *next = pubsub_ordering_next(&ordering);
    if (next) {
      struct item *item = PUBSUB_CONTAINER_OF(next, struct item, order);
      item->under_way = true;
      if (next->key.len > 0) {
        int key = item->key[0] - '0';
        assert_true(last[key] < item->number); /* in the order of adding */
        last[key] = item->number;
        for (size_t i = 0; i < added; i++) {
          if (&items[i] == item || !items[i].under_way || items[i].order.key.len == 0) continue;
          assert_true(items[i].key[0] != item->key[0]);
        }
      }
    }
    size_t pick = added ? pubsub_rng_below(&rng, added) : 0;
    for (size_t i = 0; i < added; i++) {
      struct item *item = &items[(pick + i) % added];
      if (!item->under_way) continue;
      item->under_way = false;
      pubsub_ordering_done(&ordering, &item->order);
      done++;
      break;
    }
  }
  assert_null(pubsub_ordering_next(&ordering));
  pubsub_ordering_clear(&ordering);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_key_has_one_request_under_way, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
