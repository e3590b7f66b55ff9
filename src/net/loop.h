/*
 * The event loop: one epoll set, one heap of timers, one queue of tasks from other threads.
 *
 * Everything here belongs to the loop's thread (the one inside pubsub_loop_run) except where a
 * comment says "any thread"; where no thread runs the loop, whoever holds it takes that thread's
 * place. Builds other than a release check that (PUBSUB_ON_LOOP). Callbacks run one after another,
 * never nested.
 *
 * All objects are intrusive, and their owner's. Before it frees one, it takes it out:
 *
 *   io        pubsub_loop_io_remove        |
 *   timer     pubsub_loop_timer_cancel     |  at once: what is pending in this turn is dropped too
 *   deferred  pubsub_loop_defer_cancel     |
 *   task      cannot be taken back: it owns itself, or its owner waits until it has run
 *             (pubsub_loop_call); pubsub_loop_join runs all that are left
 *
 * So the loop goes last; pubsub_loop_destroy checks that nothing is left in it.
 */
#ifndef PUBSUB_NET_LOOP_H
#define PUBSUB_NET_LOOP_H

#include "base/assert.h"
#include "base/heap.h"
#include "base/list.h"
#include <pubsub/error.h>
#include <stdbool.h>
#include <stdint.h>

struct pubsub_loop;

enum pubsub_status pubsub_loop_new(struct pubsub_loop **out, struct pubsub_error *error);
/* After run has returned (or was never called). Tasks still posted are run first. */
void pubsub_loop_destroy(struct pubsub_loop *loop);

/* Runs on the calling thread until pubsub_loop_stop. */
void pubsub_loop_run(struct pubsub_loop *loop);
void pubsub_loop_stop(struct pubsub_loop *loop); /* any thread */
/* Starts a thread that blocks all signals and runs the loop. */
enum pubsub_status pubsub_loop_start_thread(struct pubsub_loop *loop, const char *name,
                                            struct pubsub_error *error);
/* Stops that thread, waits for it, and runs the tasks that it did not come to: after this no task
 * names anything any more, and the caller may free what lives on the loop. */
void pubsub_loop_join(struct pubsub_loop *loop);
/* Any thread: whether it is the loop's, or the loop has none. */
bool pubsub_loop_is_current(const struct pubsub_loop *loop);
#define PUBSUB_ON_LOOP(loop) PUBSUB_ASSERT(pubsub_loop_is_current(loop))

/* Monotonic µs, cached once per iteration. */
uint64_t pubsub_loop_now_us(const struct pubsub_loop *loop);

/* A receive buffer of PUBSUB_LOOP_SCRATCH_BYTES, shared by everything on this loop: its content is
 * gone when the callback that filled it returns. NULL: no memory. */
#define PUBSUB_LOOP_SCRATCH_BYTES ((size_t)256 * 1024)
uint8_t *pubsub_loop_scratch(struct pubsub_loop *loop);

/* A task is run once per post, on the loop's thread; it must not be posted again before it ran.
 * Zeroed, but for `run`. */
struct pubsub_task {
  struct pubsub_task *next;
  void (*run)(struct pubsub_task *task);
  bool posted; /* and not run yet */
};
/* Any thread; cannot fail. */
void pubsub_loop_post(struct pubsub_loop *loop, struct pubsub_task *task);
/* Runs it on the loop's thread, and returns when it has returned; at once where that is this
 * thread, or where the loop has none. Any thread; cannot fail. The loop must not be joined
 * meanwhile. */
void pubsub_loop_call(struct pubsub_loop *loop, void (*run)(void *user), void *user);
/* Runs at the end of this iteration, before the loop waits: where writes are gathered. Deferring a
 * task that is deferred already is a no-op (keep `queued` false initially). */
struct pubsub_deferred {
  struct pubsub_list link; /* pubsub_list_init before first use */
  bool queued;
  void (*run)(struct pubsub_deferred *deferred);
};
void pubsub_loop_defer(struct pubsub_loop *loop, struct pubsub_deferred *deferred);
void pubsub_loop_defer_cancel(struct pubsub_loop *loop, struct pubsub_deferred *deferred);

struct pubsub_timer {
  struct pubsub_heap_node node; /* due: µs, monotonic */
  void (*run)(struct pubsub_timer *timer);
};
/* Sets or moves; cannot fail. A timer fires once; set from inside a timer's callback, not before
 * the next iteration, so that it starves nothing. */
void pubsub_loop_timer_set(struct pubsub_loop *loop, struct pubsub_timer *timer, uint64_t due_us);
static inline bool pubsub_timer_is_set(const struct pubsub_timer *timer) {
  return pubsub_heap_has(&timer->node);
}
void pubsub_loop_timer_cancel(struct pubsub_loop *loop, struct pubsub_timer *timer);

/* A watched descriptor. Level-triggered; errors and hang-ups are reported as readable +
 * writable. */
enum { PUBSUB_IO_READ = 1, PUBSUB_IO_WRITE = 2 };
struct pubsub_io {
  int fd;
  unsigned interest; /* as last set */
  void (*run)(struct pubsub_io *io, unsigned events);
  bool watched; /* between add and remove */
};
enum pubsub_status pubsub_loop_io_add(struct pubsub_loop *loop, struct pubsub_io *io,
                                      unsigned interest, struct pubsub_error *error);
void pubsub_loop_io_set(struct pubsub_loop *loop, struct pubsub_io *io, unsigned interest);
/* Safe inside any callback, also for another io whose event is pending in this iteration. */
void pubsub_loop_io_remove(struct pubsub_loop *loop, struct pubsub_io *io);

#endif
