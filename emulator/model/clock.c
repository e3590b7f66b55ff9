#include "model/clock.h"

#include "base/map.h"
#include "model/times.h"

void clock_init(struct clock *clock, const struct clock_source *source, void *user) {
  *clock = (struct clock){.source = source, .user = user, .wished_us = UINT64_MAX};
}

void clock_clear(struct clock *clock) {
  pubsub_heap_clear(&clock->alarms);
}

uint64_t clock_now_us(const struct clock *clock) {
  return clock->source->now_us(clock->user) + (uint64_t)clock->ahead_us;
}

int64_t clock_wall_us(const struct clock *clock) {
  return clock->source->wall_us(clock->user) + clock->ahead_us;
}

/* An alarm that was wished for and is gone wakes us in vain: that costs less than moving the
 * wish each time. */
static void wish(struct clock *clock) {
  const struct pubsub_heap_node *first = pubsub_heap_top(&clock->alarms);
  if (!first || first->due >= clock->wished_us) return;
  uint64_t ahead = (uint64_t)clock->ahead_us;
  clock->wished_us = first->due;
  clock->source->wake(clock->user, first->due > ahead ? first->due - ahead : 0);
}

void clock_alarm_set(struct clock *clock, struct alarm *alarm, uint64_t due_us) {
  pubsub_heap_set(&clock->alarms, &alarm->node, due_us);
  wish(clock);
}

void clock_alarm_cancel(struct clock *clock, struct alarm *alarm) {
  pubsub_heap_remove(&clock->alarms, &alarm->node);
}

void clock_run(struct clock *clock) {
  struct pubsub_heap_node *first;
  uint64_t now = clock_now_us(clock);
  clock->wished_us = UINT64_MAX;
  while ((first = pubsub_heap_top(&clock->alarms)) && first->due <= now) {
    struct alarm *alarm = PUBSUB_CONTAINER_OF(first, struct alarm, node);
    pubsub_heap_remove(&clock->alarms, first);
    alarm->run(alarm);
  }
  wish(clock);
}

bool clock_advance(struct clock *clock, uint64_t by_us) {
  if (by_us > (uint64_t)(TIMES_MOST_US - clock->ahead_us)) return false;
  clock->ahead_us += (int64_t)by_us;
  clock_run(clock);
  return true;
}
