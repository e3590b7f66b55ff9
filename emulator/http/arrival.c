#include "http/arrival.h"

#include "base/alloc.h"
#include "base/container.h"
#include "net/loop.h"

#define SILENCE_US UINT64_C(60000000)

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#define PREFACE_BYTES (sizeof preface - 1)
#define TELLING_BYTES 4 /* "PRI " is no method of HTTP/1 */

struct arrival {
  struct pubsub_list link; /* first */
  struct pubsub_loop *loop;
  struct pubsub_bytestream *stream;
  arrival_fn *on_known;
  void *user;
  struct pubsub_timer timer;
  uint8_t bytes[PREFACE_BYTES];
  size_t len;
};

static void leave(struct arrival *arrival) {
  pubsub_loop_timer_cancel(arrival->loop, &arrival->timer);
  pubsub_list_remove(&arrival->link);
  pubsub_free(arrival);
}

static void drop(struct arrival *arrival) {
  arrival->stream->ops->destroy(arrival->stream);
  leave(arrival);
}

static void hand_on(struct arrival *arrival, bool http2) {
  struct arrival copy = *arrival;
  leave(arrival);
  copy.stream->on_event = NULL;
  copy.on_known(copy.user, copy.stream, http2, pubsub_view_of(copy.bytes, copy.len));
}

static void on_event(void *user, unsigned events) {
  struct arrival *arrival = user;
  (void)events;
  ssize_t got = arrival->stream->ops->read(arrival->stream, arrival->bytes + arrival->len,
                                           PREFACE_BYTES - arrival->len, NULL);
  if (got == PUBSUB_BYTESTREAM_AGAIN) return;
  if (got <= 0) {
    drop(arrival);
    return;
  }
  arrival->len += (size_t)got;
  bool http2 = memcmp(arrival->bytes, preface, arrival->len) == 0;
  if (!http2 || arrival->len >= TELLING_BYTES) hand_on(arrival, http2);
}

static void on_silence(struct pubsub_timer *timer) {
  drop(PUBSUB_CONTAINER_OF(timer, struct arrival, timer));
}

void arrival_start(struct pubsub_loop *loop, struct pubsub_bytestream *take_stream,
                   arrival_fn *on_known, void *user, struct pubsub_list *list) {
  struct arrival *arrival = pubsub_alloc_zero(1, sizeof *arrival);
  if (!arrival) {
    take_stream->ops->destroy(take_stream);
    return;
  }
  *arrival = (struct arrival){.loop = loop,
                              .stream = take_stream,
                              .on_known = on_known,
                              .user = user,
                              .timer.run = on_silence};
  pubsub_list_push_back(list, &arrival->link);
  pubsub_loop_timer_set(loop, &arrival->timer, pubsub_loop_now_us(loop) + SILENCE_US);
  take_stream->on_event = on_event;
  take_stream->user = arrival;
  take_stream->ops->set_interest(take_stream, PUBSUB_IO_READ);
  on_event(arrival, PUBSUB_IO_READ); /* what a TLS handshake read ahead shows in no event */
}

void arrival_destroy_all(struct pubsub_list *list) {
  while (!pubsub_list_empty(list))
    drop(PUBSUB_CONTAINER_OF(list->next, struct arrival, link));
}
