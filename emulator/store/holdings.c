#include "store/holdings.h"

#include "base/alloc.h"
#include <stdlib.h>

enum pubsub_status holdings_add(struct holdings *holdings, struct holding holding) {
  if (holdings->count == holdings->cap) {
    size_t cap = holdings->cap ? holdings->cap * 2 : 256;
    struct holding *all = pubsub_realloc(holdings->all, cap * sizeof *all);
    if (!all) return PUBSUB_E_NOMEM;
    holdings->all = all;
    holdings->cap = cap;
  }
  if (holdings->count > 0 && holdings->all[holdings->count - 1].id >= holding.id) {
    holdings->unsorted = true;
  }
  holdings->all[holdings->count++] = holding;
  return PUBSUB_OK;
}

static int by_id(const void *a, const void *b) {
  const struct holding *x = a, *y = b;
  return x->id < y->id ? -1 : x->id > y->id;
}

void holdings_sort(struct holdings *holdings) {
  if (holdings->unsorted) qsort(holdings->all, holdings->count, sizeof *holdings->all, by_id);
  holdings->unsorted = false;
}

/* Most are settled in their order: looks behind the last one first. */
static struct holding *find(struct holdings *holdings, uint64_t id) {
  holdings_sort(holdings);
  size_t low = 0, high = holdings->count, next = holdings->hint + 1;
  if (next < holdings->count && holdings->all[next].id == id) low = next;
  while (low < high && holdings->all[low].id != id) {
    size_t middle = low + (high - low) / 2;
    if (holdings->all[middle].id <= id) {
      if (low == middle) break;
      low = middle;
    } else {
      high = middle;
    }
  }
  if (low >= high || holdings->all[low].id != id) return NULL;
  holdings->hint = low;
  return &holdings->all[low];
}

void holdings_settle(struct holdings *holdings, uint64_t id, enum holding_state state) {
  struct holding *holding = find(holdings, id);
  if (holding && holding->state != HOLDING_GONE) holding->state = (uint8_t)state;
}

void holdings_lent(struct holdings *holdings, uint64_t id, uint16_t attempts) {
  struct holding *holding = find(holdings, id);
  if (holding) holding->attempts = attempts;
}

void holdings_drop_below(struct holdings *holdings, uint64_t id) {
  holdings_sort(holdings);
  for (size_t i = 0; i < holdings->count && holdings->all[i].id < id; i++)
    holdings->all[i].state = HOLDING_GONE;
}

void holdings_clear(struct holdings *holdings) {
  pubsub_free(holdings->all);
  *holdings = (struct holdings){0};
}
