#include "virtual.h"

#include "base/clock.h"
#include "base/map.h"
#include <stdlib.h>

struct pubsub_loop {
  uint64_t now_us;
  struct pubsub_heap timers;
  struct pubsub_list deferred;
  struct pubsub_task *first, **last; /* posted */
  struct pubsub_rng rng;
};

static struct pubsub_loop loop;

void virtual_start(uint64_t seed) {
  loop = (struct pubsub_loop){.now_us = 1000000};
  loop.last = &loop.first;
  pubsub_list_init(&loop.deferred);
  pubsub_rng_seed(&loop.rng, seed);
}

void virtual_end(void) {
  if (pubsub_heap_top(&loop.timers) || !pubsub_list_empty(&loop.deferred) || loop.first) abort();
}

uint64_t virtual_now_us(void) {
  return loop.now_us;
}

struct pubsub_loop *virtual_loop(void) {
  return &loop;
}

struct pubsub_rng *virtual_rng(void) {
  return &loop.rng;
}

uint64_t virtual_draw(uint64_t low, uint64_t high) {
  return low + pubsub_rng_below(&loop.rng, high - low + 1);
}

bool virtual_happens(double likelihood) {
  return pubsub_rng_unit(&loop.rng) < likelihood;
}

static bool run_task(void) {
  struct pubsub_task *task = loop.first;
  if (!task) return false;
  loop.first = task->next;
  if (!loop.first) loop.last = &loop.first;
  task->run(task);
  return true;
}

static bool run_deferred(void) {
  if (pubsub_list_empty(&loop.deferred)) return false;
  struct pubsub_deferred *deferred =
      PUBSUB_CONTAINER_OF(loop.deferred.next, struct pubsub_deferred, link);
  pubsub_loop_defer_cancel(&loop, deferred);
  deferred->run(deferred);
  return true;
}

bool virtual_step(uint64_t until_us) {
  if (run_task() || run_deferred()) return true;
  struct pubsub_heap_node *first = pubsub_heap_top(&loop.timers);
  if (!first || first->due > until_us) {
    loop.now_us = until_us;
    return false;
  }
  if (first->due > loop.now_us) loop.now_us = first->due;
  struct pubsub_timer *timer = PUBSUB_CONTAINER_OF(first, struct pubsub_timer, node);
  pubsub_heap_remove(&loop.timers, first);
  timer->run(timer);
  return true;
}

/* ---- net/loop.h, as far as src/sub uses it ---- */

uint64_t pubsub_loop_now_us(const struct pubsub_loop *this) {
  return this->now_us;
}

bool pubsub_loop_is_current(const struct pubsub_loop *this) {
  return this == &loop;
}

void pubsub_loop_timer_set(struct pubsub_loop *this, struct pubsub_timer *timer, uint64_t due_us) {
  pubsub_heap_set(&this->timers, &timer->node, due_us);
}

void pubsub_loop_timer_cancel(struct pubsub_loop *this, struct pubsub_timer *timer) {
  pubsub_heap_remove(&this->timers, &timer->node);
}

void pubsub_loop_defer(struct pubsub_loop *this, struct pubsub_deferred *deferred) {
  if (deferred->queued) return;
  deferred->queued = true;
  pubsub_list_push_back(&this->deferred, &deferred->link);
}

void pubsub_loop_defer_cancel(struct pubsub_loop *this, struct pubsub_deferred *deferred) {
  (void)this;
  deferred->queued = false;
  pubsub_list_remove(&deferred->link);
}

void pubsub_loop_post(struct pubsub_loop *this, struct pubsub_task *task) {
  task->next = NULL;
  *this->last = task;
  this->last = &task->next;
}

void pubsub_loop_call(struct pubsub_loop *this, void (*run)(void *user), void *user) {
  (void)this;
  run(user);
}

/* ---- base/clock.h ---- */

uint64_t pubsub_clock_now_us(void) {
  return loop.now_us;
}

int64_t pubsub_clock_wall_us(void) {
  return (int64_t)loop.now_us;
}
