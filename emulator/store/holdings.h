/*
 * Which messages a subscription, a topic or a snapshot has, while a log is read back: their ids, in
 * order, with what became of each. What is gone stays in its place until the reading ends. Pure.
 */
#ifndef EMULATOR_STORE_HOLDINGS_H
#define EMULATOR_STORE_HOLDINGS_H

#include <pubsub/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum holding_state { HOLDING_GONE, HOLDING_HELD, HOLDING_RETAINED };

struct holding {
  uint64_t id;
  uint16_t attempts;
  uint8_t state; /* enum holding_state */
};

struct holdings {
  struct holding *all; /* in the order of ids, but for what was added since `sorted` */
  size_t count, cap, hint;
  bool unsorted;
};

/* Errors: NOMEM. */
enum pubsub_status holdings_add(struct holdings *holdings, struct holding holding);
/* An id that is not there is passed over. */
void holdings_settle(struct holdings *holdings, uint64_t id, enum holding_state state);
void holdings_lent(struct holdings *holdings, uint64_t id, uint16_t attempts);
/* What has a lower id is gone. */
void holdings_drop_below(struct holdings *holdings, uint64_t id);
/* To be called before `all` is walked. */
void holdings_sort(struct holdings *holdings);
void holdings_clear(struct holdings *holdings);

#endif
