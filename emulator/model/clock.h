/*
 * The virtual clock: what time it is for the whole model, how far that is ahead, and the alarms set
 * on it. Where time comes from, and who calls clock_run, is the source's affair: the server's is
 * its loop, a test's is a variable.
 *
 *   clock_alarm_set ─▶ source.wake(when) … clock_run ─▶ alarm.run
 *   clock_advance: moves the time, and runs what is due
 */
#ifndef EMULATOR_MODEL_CLOCK_H
#define EMULATOR_MODEL_CLOCK_H

#include "base/heap.h"

/* Embedded; fires once. Cancel it before freeing it. */
struct alarm {
  struct pubsub_heap_node node; /* due: virtual µs */
  void (*run)(struct alarm *alarm);
};

struct clock_source {
  uint64_t (*now_us)(void *user); /* monotonic */
  int64_t (*wall_us)(void *user); /* since 1970 */
  /* clock_run is to be called at due_us of now_us. Takes the place of the wish before. */
  void (*wake)(void *user, uint64_t due_us);
};

struct clock {
  const struct clock_source *source;
  void *user;
  struct pubsub_heap alarms;
  uint64_t wished_us; /* virtual: when the source was last asked to wake us; UINT64_MAX: never */
  int64_t ahead_us;   /* 0..TIMES_MOST_US */
};

void clock_init(struct clock *clock, const struct clock_source *source, void *user);
void clock_clear(struct clock *clock);            /* alarms are forgotten */
uint64_t clock_now_us(const struct clock *clock); /* monotonic, virtual */
int64_t clock_wall_us(const struct clock *clock); /* since 1970, virtual */
/* Sets or moves. */
void clock_alarm_set(struct clock *clock, struct alarm *alarm, uint64_t due_us);
void clock_alarm_cancel(struct clock *clock, struct alarm *alarm);
void clock_run(struct clock *clock);
/* False: it would be more than TIMES_MOST_US ahead; nothing moved. */
bool clock_advance(struct clock *clock, uint64_t by_us);

#endif
