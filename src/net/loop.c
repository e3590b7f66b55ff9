#include "net/loop.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/container.h"
#include "base/error.h"
#include "base/monitor.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MAX_EVENTS 128

struct pubsub_loop {
  /* loop thread only */
  int epoll_fd, wake_fd;
  uint64_t now_us;
  struct pubsub_heap timers;
  struct pubsub_list deferred;
  uint8_t *scratch;                      /* or NULL: not asked for yet */
  struct epoll_event events[MAX_EVENTS]; /* of this iteration; removed ones are set to NULL */
  int event_count, event_next;           /* those from event_next on are still to run */
  bool in_timers;
  size_t io_count; /* watched */

  pthread_t thread; /* valid while `joinable` */
  bool joinable;

  /* any thread */
  atomic_bool stopping;
  _Atomic(pthread_t) runner; /* the loop's thread; 0: none */
  struct {
    pthread_mutex_t mutex;
    struct pubsub_task *first, **last;
    bool woken;
  } shared;
};

enum pubsub_status pubsub_loop_new(struct pubsub_loop **out, struct pubsub_error *error) {
  struct pubsub_loop *loop = pubsub_alloc_zero(1, sizeof *loop);
  if (!loop) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
      epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0) {
    pubsub_error_set(error, PUBSUB_E_IO, "cannot make an event loop: %s", strerror(errno));
    if (loop->epoll_fd >= 0) close(loop->epoll_fd);
    if (loop->wake_fd >= 0) close(loop->wake_fd);
    pubsub_free(loop);
    return PUBSUB_E_IO;
  }
  pubsub_list_init(&loop->deferred);
  pthread_mutex_init(&loop->shared.mutex, NULL);
  loop->shared.last = &loop->shared.first;
  loop->now_us = pubsub_clock_now_us();
  *out = loop;
  return PUBSUB_OK;
}

static void run_tasks(struct pubsub_loop *loop) {
  pthread_mutex_lock(&loop->shared.mutex);
  struct pubsub_task *task = loop->shared.first, *next;
  loop->shared.first = NULL;
  loop->shared.last = &loop->shared.first;
  loop->shared.woken = false;
  pthread_mutex_unlock(&loop->shared.mutex);
  for (; task; task = next) {
    next = task->next;
    task->posted = false;
    task->run(task); /* which may free it */
  }
}

static void run_timers(struct pubsub_loop *loop) {
  struct pubsub_heap_node *node;
  loop->in_timers = true;
  while ((node = pubsub_heap_top(&loop->timers)) && node->due <= loop->now_us) {
    pubsub_heap_remove(&loop->timers, node);
    struct pubsub_timer *timer = PUBSUB_CONTAINER_OF(node, struct pubsub_timer, node);
    timer->run(timer);
  }
  loop->in_timers = false;
}

static void run_deferred(struct pubsub_loop *loop) {
  while (!pubsub_list_empty(&loop->deferred)) {
    struct pubsub_deferred *deferred =
        PUBSUB_CONTAINER_OF(loop->deferred.next, struct pubsub_deferred, link);
    pubsub_list_remove(&deferred->link);
    deferred->queued = false;
    deferred->run(deferred);
  }
}

static int wait_ms(const struct pubsub_loop *loop) {
  const struct pubsub_heap_node *node = pubsub_heap_top(&loop->timers);
  if (!node) return -1;
  uint64_t now = pubsub_clock_now_us();
  if (node->due <= now || node->due <= loop->now_us + 1) return 0;
  uint64_t ms = (node->due - now + 999) / 1000;
  return ms > 3600000 ? 3600000 : (int)ms;
}

static void run_events(struct pubsub_loop *loop) {
  while (loop->event_next < loop->event_count) {
    struct epoll_event *event = &loop->events[loop->event_next++];
    struct pubsub_io *io = event->data.ptr;
    if (!io) continue; /* the eventfd, or removed meanwhile */
    unsigned events = 0;
    if (event->events & (EPOLLIN | EPOLLERR | EPOLLHUP)) events |= PUBSUB_IO_READ;
    if (event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) events |= PUBSUB_IO_WRITE;
    io->run(io, events);
  }
}

static void wait(struct pubsub_loop *loop) {
  uint64_t wakeups;
  int count = epoll_wait(loop->epoll_fd, loop->events, MAX_EVENTS, wait_ms(loop));
  /* From here on all of them are pending: what is removed before its turn is not called. */
  loop->event_count = count > 0 ? count : 0;
  loop->event_next = 0;
  for (int i = 0; i < loop->event_count; i++) {
    if (loop->events[i].data.ptr) continue;
    if (read(loop->wake_fd, &wakeups, sizeof wakeups) < 0) continue;
  }
}

static void run_until_stopped(struct pubsub_loop *loop) {
  while (!atomic_load(&loop->stopping)) {
    loop->now_us = pubsub_clock_now_us();
    run_tasks(loop);
    run_timers(loop);
    run_events(loop);
    run_deferred(loop);
    if (atomic_load(&loop->stopping)) break;
    wait(loop);
  }
  atomic_store(&loop->stopping, false);
}

void pubsub_loop_run(struct pubsub_loop *loop) {
  atomic_store(&loop->runner, pthread_self());
  run_until_stopped(loop);
  atomic_store(&loop->runner, (pthread_t)0);
}

static void wake(struct pubsub_loop *loop) {
  uint64_t one = 1;
  if (write(loop->wake_fd, &one, sizeof one) < 0) return; /* full counter: it is awake anyway */
}

void pubsub_loop_stop(struct pubsub_loop *loop) {
  atomic_store(&loop->stopping, true);
  wake(loop);
}

static bool has_tasks(struct pubsub_loop *loop) {
  pthread_mutex_lock(&loop->shared.mutex);
  bool any = loop->shared.first != NULL;
  pthread_mutex_unlock(&loop->shared.mutex);
  return any;
}

static void run_all_tasks(struct pubsub_loop *loop) {
  while (has_tasks(loop))
    run_tasks(loop);
}

void pubsub_loop_destroy(struct pubsub_loop *loop) {
  if (!loop) return;
  pubsub_loop_join(loop);
  run_all_tasks(loop);
  PUBSUB_ASSERT(loop->io_count == 0);
  PUBSUB_ASSERT(!pubsub_heap_top(&loop->timers));
  PUBSUB_ASSERT(pubsub_list_empty(&loop->deferred));
  pubsub_heap_clear(&loop->timers);
  pubsub_free_bulk(loop->scratch, PUBSUB_LOOP_SCRATCH_BYTES);
  close(loop->epoll_fd);
  close(loop->wake_fd);
  pthread_mutex_destroy(&loop->shared.mutex);
  pubsub_free(loop);
}

static void *thread_main(void *arg) {
  run_until_stopped(arg);
  return NULL;
}

enum pubsub_status pubsub_loop_start_thread(struct pubsub_loop *loop, const char *name,
                                            struct pubsub_error *error) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&loop->thread, NULL, thread_main, loop);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) {
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "cannot start a thread: %s", strerror(failed));
  }
  atomic_store(&loop->runner, loop->thread); /* before anybody may ask whether it is theirs */
  loop->joinable = true;
  pthread_setname_np(loop->thread, name);
  return PUBSUB_OK;
}

void pubsub_loop_join(struct pubsub_loop *loop) {
  if (!loop->joinable) return;
  pubsub_loop_stop(loop);
  pthread_join(loop->thread, NULL);
  loop->joinable = false;
  atomic_store(&loop->runner, (pthread_t)0);
  atomic_store(&loop->stopping, false);
  run_all_tasks(loop); /* in the thread's place */
}

bool pubsub_loop_is_current(const struct pubsub_loop *loop) {
  pthread_t runner = atomic_load(&((struct pubsub_loop *)loop)->runner);
  return runner == (pthread_t)0 || pthread_equal(runner, pthread_self());
}

uint64_t pubsub_loop_now_us(const struct pubsub_loop *loop) {
  return loop->now_us;
}

uint8_t *pubsub_loop_scratch(struct pubsub_loop *loop) {
  if (!loop->scratch) loop->scratch = pubsub_alloc_bulk(PUBSUB_LOOP_SCRATCH_BYTES);
  return loop->scratch;
}

void pubsub_loop_post(struct pubsub_loop *loop, struct pubsub_task *task) {
  pthread_mutex_lock(&loop->shared.mutex);
  PUBSUB_ASSERT(!task->posted);
  task->posted = true;
  task->next = NULL;
  *loop->shared.last = task;
  loop->shared.last = &task->next;
  bool sleeping = !loop->shared.woken;
  loop->shared.woken = true;
  /* Inside the lock: once the task ran, its owner may destroy the loop. */
  if (sleeping) wake(loop);
  pthread_mutex_unlock(&loop->shared.mutex);
}

struct awaited {
  struct pubsub_task task;
  void (*run)(void *user);
  void *user;
  struct pubsub_monitor monitor;
  bool done;
};

static void on_awaited(struct pubsub_task *task) {
  struct awaited *awaited = PUBSUB_CONTAINER_OF(task, struct awaited, task);
  awaited->run(awaited->user);
  pubsub_monitor_lock(&awaited->monitor);
  awaited->done = true;
  pubsub_monitor_wake(&awaited->monitor);
  pubsub_monitor_unlock(&awaited->monitor);
}

void pubsub_loop_call(struct pubsub_loop *loop, void (*run)(void *user), void *user) {
  if (pubsub_loop_is_current(loop)) {
    run(user);
    return;
  }
  struct awaited awaited = {.task.run = on_awaited, .run = run, .user = user};
  pubsub_monitor_init(&awaited.monitor);
  pubsub_loop_post(loop, &awaited.task);
  pubsub_monitor_lock(&awaited.monitor);
  while (!awaited.done)
    pubsub_monitor_wait(&awaited.monitor);
  pubsub_monitor_unlock(&awaited.monitor);
  pubsub_monitor_clear(&awaited.monitor);
}

void pubsub_loop_defer(struct pubsub_loop *loop, struct pubsub_deferred *deferred) {
  PUBSUB_ON_LOOP(loop);
  if (deferred->queued) return;
  deferred->queued = true;
  pubsub_list_push_back(&loop->deferred, &deferred->link);
}

void pubsub_loop_defer_cancel(struct pubsub_loop *loop, struct pubsub_deferred *deferred) {
  PUBSUB_ON_LOOP(loop);
  if (!deferred->queued) return;
  deferred->queued = false;
  pubsub_list_remove(&deferred->link);
}

void pubsub_loop_timer_set(struct pubsub_loop *loop, struct pubsub_timer *timer, uint64_t due_us) {
  PUBSUB_ON_LOOP(loop);
  if (loop->in_timers && due_us <= loop->now_us) due_us = loop->now_us + 1;
  pubsub_heap_set(&loop->timers, &timer->node, due_us);
}

void pubsub_loop_timer_cancel(struct pubsub_loop *loop, struct pubsub_timer *timer) {
  PUBSUB_ON_LOOP(loop);
  pubsub_heap_remove(&loop->timers, &timer->node);
}

static uint32_t epoll_bits(unsigned interest) {
  return (interest & PUBSUB_IO_READ ? EPOLLIN : 0u) | (interest & PUBSUB_IO_WRITE ? EPOLLOUT : 0u);
}

enum pubsub_status pubsub_loop_io_add(struct pubsub_loop *loop, struct pubsub_io *io,
                                      unsigned interest, struct pubsub_error *error) {
  struct epoll_event event = {.events = epoll_bits(interest), .data.ptr = io};
  PUBSUB_ON_LOOP(loop);
  PUBSUB_ASSERT(!io->watched);
  if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, io->fd, &event) != 0) {
    return pubsub_error_set(error, PUBSUB_E_IO, "epoll: %s", strerror(errno));
  }
  io->interest = interest;
  io->watched = true;
  loop->io_count++;
  return PUBSUB_OK;
}

void pubsub_loop_io_set(struct pubsub_loop *loop, struct pubsub_io *io, unsigned interest) {
  PUBSUB_ON_LOOP(loop);
  PUBSUB_ASSERT(io->watched);
  if (io->interest == interest) return;
  struct epoll_event event = {.events = epoll_bits(interest), .data.ptr = io};
  if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &event) == 0) io->interest = interest;
}

void pubsub_loop_io_remove(struct pubsub_loop *loop, struct pubsub_io *io) {
  PUBSUB_ON_LOOP(loop);
  PUBSUB_ASSERT(io->watched);
  io->watched = false;
  loop->io_count--;
  epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
  for (int i = loop->event_next; i < loop->event_count; i++) {
    if (loop->events[i].data.ptr == io) loop->events[i].data.ptr = NULL;
  }
}
