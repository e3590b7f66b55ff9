#include "support/world.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/rng.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define KEPT_BYTES 65536 /* of what was written */
#define FIRST_US ((uint64_t)1000000000)
#define WALL_AHEAD_US ((int64_t)1700000000 * 1000000)

/* ---- clock and chance ---- */

uint64_t world_now_us = FIRST_US;
static uint64_t seeds;

uint64_t __wrap_pubsub_clock_now_us(void);
int64_t __wrap_pubsub_clock_wall_us(void);
void __wrap_pubsub_rng_seed_random(struct pubsub_rng *rng);

uint64_t __wrap_pubsub_clock_now_us(void) {
  return world_now_us;
}

int64_t __wrap_pubsub_clock_wall_us(void) {
  return (int64_t)world_now_us + WALL_AHEAD_US;
}

void __wrap_pubsub_rng_seed_random(struct pubsub_rng *rng) {
  pubsub_rng_seed(rng, ++seeds);
}

/* ---- streams ---- */

static ssize_t stream_read(struct pubsub_bytestream *base, uint8_t *out, size_t capacity,
                           struct pubsub_error *error) {
  struct world_stream *stream = (struct world_stream *)base;
  size_t len = stream->incoming.len - stream->at;
  (void)error;
  FUZZ_CHECK(!stream->destroyed && capacity > 0);
  if (len == 0) return stream->ended ? PUBSUB_BYTESTREAM_EOF : PUBSUB_BYTESTREAM_AGAIN;
  if (len > capacity) len = capacity;
  if (stream->piece > 0 && len > stream->piece) len = stream->piece;
  memcpy(out, stream->incoming.ptr + stream->at, len);
  stream->at += len;
  return (ssize_t)len;
}

static void keep_written(struct world_stream *stream, const void *ptr, size_t len) {
  if (stream->written.len > KEPT_BYTES) stream->written.len = 0;
  if (len > 0) FUZZ_CHECK(pubsub_buf_append(&stream->written, ptr, len) == PUBSUB_OK);
}

static ssize_t stream_writev(struct pubsub_bytestream *base, const struct iovec *parts, int count,
                             struct pubsub_error *error) {
  struct world_stream *stream = (struct world_stream *)base;
  ssize_t total = 0;
  (void)error;
  FUZZ_CHECK(!stream->destroyed && count > 0);
  if (stream->blocked) return PUBSUB_BYTESTREAM_AGAIN;
  for (int i = 0; i < count; i++) {
    keep_written(stream, parts[i].iov_base, parts[i].iov_len);
    total += (ssize_t)parts[i].iov_len;
  }
  stream->outgoing += (size_t)total;
  return total > 0 ? total : PUBSUB_BYTESTREAM_AGAIN;
}

static void stream_set_interest(struct pubsub_bytestream *base, unsigned interest) {
  ((struct world_stream *)base)->interest = interest;
}

static void stream_shutdown(struct pubsub_bytestream *base) {
  FUZZ_CHECK(!((struct world_stream *)base)->destroyed);
}

static void stream_destroy(struct pubsub_bytestream *base) {
  struct world_stream *stream = (struct world_stream *)base;
  FUZZ_CHECK(!stream->destroyed);
  stream->destroyed = true;
}

struct world_stream *world_stream_new(void) {
  static const struct pubsub_bytestream_ops ops = {stream_read, stream_writev, stream_set_interest,
                                                   stream_shutdown, stream_destroy};
  struct world_stream *stream = calloc(1, sizeof *stream);
  FUZZ_CHECK(stream != NULL);
  stream->stream.ops = &ops;
  return stream;
}

void world_stream_free(struct world_stream *stream) {
  if (!stream) return;
  pubsub_buf_clear(&stream->incoming);
  pubsub_buf_clear(&stream->written);
  free(stream);
}

void world_stream_feed(struct world_stream *stream, struct pubsub_view bytes) {
  if (bytes.len == 0 || stream->destroyed) return;
  FUZZ_CHECK(pubsub_buf_append(&stream->incoming, bytes.ptr, bytes.len) == PUBSUB_OK);
}

/* ---- the loop ---- */

static bool running;

struct turns {
  struct pubsub_timer timer;
  struct pubsub_loop *loop;
  struct world_stream *const *streams;
  size_t count;
  int left;
};

static void wake_stream(struct world_stream *stream) {
  unsigned events = stream->interest & PUBSUB_IO_WRITE && !stream->blocked ? PUBSUB_IO_WRITE : 0u;
  if (stream->destroyed || !stream->stream.on_event) return;
  if (stream->at < stream->incoming.len && stream->interest & PUBSUB_IO_READ) {
    events |= PUBSUB_IO_READ;
  }
  if (stream->ended && stream->at == stream->incoming.len) events |= PUBSUB_IO_READ;
  if (events) stream->stream.on_event(stream->stream.user, events);
}

static void on_turn(struct pubsub_timer *timer) {
  struct turns *turns = (struct turns *)timer;
  if (turns->left-- <= 0) {
    pubsub_loop_stop(turns->loop);
    return;
  }
  for (size_t i = 0; i < turns->count; i++) {
    if (turns->streams[i]) wake_stream(turns->streams[i]);
  }
  /* The timers that are due now run before it does again. */
  pubsub_loop_timer_set(turns->loop, timer, ++world_now_us);
}

void world_run(struct pubsub_loop *loop, struct world_stream *const *streams, size_t count,
               int turns) {
  struct turns state = {.loop = loop, .streams = streams, .count = count, .left = turns};
  state.timer.run = on_turn;
  pubsub_loop_timer_set(loop, &state.timer, world_now_us);
  running = true;
  pubsub_loop_run(loop);
  running = false;
  pubsub_loop_timer_cancel(loop, &state.timer);
}

/* ---- threads ---- */

#define LOOK_EVERY_US 50000
#define MAX_LOOKS 100000 /* nothing waits for longer than an hour */

static struct {
  struct pubsub_loop *loop;
  void (*turn)(void *user);
  void *user;
  unsigned looks;
} threads;

enum pubsub_status __wrap_pubsub_loop_start_thread(struct pubsub_loop *loop, const char *name,
                                                   struct pubsub_error *error);
void __wrap_pubsub_loop_call(struct pubsub_loop *loop, void (*run)(void *user), void *user);
int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until);

static void look(void) {
  FUZZ_CHECK(threads.turn && threads.looks++ < MAX_LOOKS);
  world_now_us += LOOK_EVERY_US;
  threads.turn(threads.user);
}

enum pubsub_status __wrap_pubsub_loop_start_thread(struct pubsub_loop *loop, const char *name,
                                                   struct pubsub_error *error) {
  (void)name, (void)error;
  threads.loop = loop;
  return PUBSUB_OK;
}

struct pubsub_loop *world_loop(void) {
  return threads.loop;
}

struct awaited {
  struct pubsub_task task;
  void (*run)(void *user);
  void *user;
  bool done;
};

static void on_awaited(struct pubsub_task *task) {
  struct awaited *awaited = (struct awaited *)task;
  awaited->run(awaited->user);
  awaited->done = true;
}

/* As with a thread: behind what was posted before. */
void __wrap_pubsub_loop_call(struct pubsub_loop *loop, void (*run)(void *user), void *user) {
  struct awaited awaited = {.task.run = on_awaited, .run = run, .user = user};
  if (running || loop != threads.loop) {
    run(user);
    return;
  }
  pubsub_loop_post(loop, &awaited.task);
  while (!awaited.done)
    look();
}

void world_while_waiting(void (*turn)(void *user), void *user) {
  threads.turn = turn;
  threads.user = user;
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
  (void)condition;
  pthread_mutex_unlock(mutex);
  look();
  pthread_mutex_lock(mutex);
  return 0;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until) {
  uint64_t due_us = (uint64_t)until->tv_sec * 1000000 + (uint64_t)until->tv_nsec / 1000;
  if (due_us <= world_now_us) return ETIMEDOUT;
  return __wrap_pthread_cond_wait(condition, mutex);
}

/* ---- listening and dialling ---- */

static struct {
  pubsub_accept_fn *on_accept;
  void *accept_user;
  pubsub_dial_done_fn *on_done; /* NULL: nobody dials */
  void *dial_user;
} peers;

void world_start(void) {
  world_now_us = FIRST_US;
  seeds = 0;
  memset(&peers, 0, sizeof peers);
  memset(&threads, 0, sizeof threads);
}

enum pubsub_status __wrap_pubsub_listener_new(struct pubsub_loop *loop, const char *address,
                                              uint16_t port, struct pubsub_tls_context *tls,
                                              pubsub_accept_fn *on_accept, void *user,
                                              struct pubsub_listener **out,
                                              struct pubsub_error *error);
uint16_t __wrap_pubsub_listener_port(const struct pubsub_listener *listener);
void __wrap_pubsub_listener_destroy(struct pubsub_listener *listener);
enum pubsub_status __wrap_pubsub_dial_start(struct pubsub_loop *loop,
                                            const struct pubsub_dial_options *options,
                                            pubsub_dial_done_fn *on_done, void *user,
                                            struct pubsub_dial **out, struct pubsub_error *error);
void __wrap_pubsub_dial_cancel(struct pubsub_dial *dial);

enum pubsub_status __wrap_pubsub_listener_new(struct pubsub_loop *loop, const char *address,
                                              uint16_t port, struct pubsub_tls_context *tls,
                                              pubsub_accept_fn *on_accept, void *user,
                                              struct pubsub_listener **out,
                                              struct pubsub_error *error) {
  (void)loop, (void)address, (void)port, (void)tls, (void)error;
  peers.on_accept = on_accept;
  peers.accept_user = user;
  *out = (struct pubsub_listener *)&peers;
  return PUBSUB_OK;
}

uint16_t __wrap_pubsub_listener_port(const struct pubsub_listener *listener) {
  (void)listener;
  return 8085;
}

void __wrap_pubsub_listener_destroy(struct pubsub_listener *listener) {
  FUZZ_CHECK(!listener || listener == (struct pubsub_listener *)&peers);
  peers.on_accept = NULL;
}

void world_connect(struct world_stream *stream) {
  FUZZ_CHECK(peers.on_accept != NULL);
  peers.on_accept(peers.accept_user, &stream->stream);
}

enum pubsub_status __wrap_pubsub_dial_start(struct pubsub_loop *loop,
                                            const struct pubsub_dial_options *options,
                                            pubsub_dial_done_fn *on_done, void *user,
                                            struct pubsub_dial **out, struct pubsub_error *error) {
  (void)loop, (void)options, (void)error;
  FUZZ_CHECK(!peers.on_done);
  peers.on_done = on_done;
  peers.dial_user = user;
  *out = (struct pubsub_dial *)&peers;
  return PUBSUB_OK;
}

void __wrap_pubsub_dial_cancel(struct pubsub_dial *dial) {
  FUZZ_CHECK(dial == (struct pubsub_dial *)&peers && peers.on_done);
  peers.on_done = NULL;
}

bool world_dialling(void) {
  return peers.on_done != NULL;
}

void world_answer_dial(struct world_stream *stream, const struct pubsub_error *error) {
  pubsub_dial_done_fn *on_done = peers.on_done;
  peers.on_done = NULL;
  on_done(peers.dial_user, stream ? &stream->stream : NULL, error);
}
