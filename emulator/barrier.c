#include "barrier.h"

#include "base/alloc.h"
#include "base/container.h"

struct barrier {
  struct pubsub_bytestream stream;
  struct pubsub_bytestream *under; /* owned */
  enum pubsub_status (*commit)(void *user, struct pubsub_error *error);
  void *user;
};

static struct barrier *of(struct pubsub_bytestream *stream) {
  return PUBSUB_CONTAINER_OF(stream, struct barrier, stream);
}

static ssize_t barrier_read(struct pubsub_bytestream *stream, uint8_t *out, size_t capacity,
                            struct pubsub_error *error) {
  struct pubsub_bytestream *under = of(stream)->under;
  return under->ops->read(under, out, capacity, error);
}

static ssize_t barrier_writev(struct pubsub_bytestream *stream, const struct iovec *parts,
                              int count, struct pubsub_error *error) {
  struct barrier *barrier = of(stream);
  if (barrier->commit(barrier->user, error) != PUBSUB_OK) return PUBSUB_BYTESTREAM_ERROR;
  return barrier->under->ops->writev(barrier->under, parts, count, error);
}

static void barrier_set_interest(struct pubsub_bytestream *stream, unsigned interest) {
  struct pubsub_bytestream *under = of(stream)->under;
  under->ops->set_interest(under, interest);
}

static void barrier_shutdown(struct pubsub_bytestream *stream) {
  struct pubsub_bytestream *under = of(stream)->under;
  under->ops->shutdown(under);
}

static void barrier_destroy(struct pubsub_bytestream *stream) {
  struct barrier *barrier = of(stream);
  barrier->under->ops->destroy(barrier->under);
  pubsub_free(barrier);
}

static void on_event(void *user, unsigned events) {
  struct barrier *barrier = user;
  barrier->stream.on_event(barrier->stream.user, events);
}

static const struct pubsub_bytestream_ops ops = {.read = barrier_read,
                                                 .writev = barrier_writev,
                                                 .set_interest = barrier_set_interest,
                                                 .shutdown = barrier_shutdown,
                                                 .destroy = barrier_destroy};

struct pubsub_bytestream *
barrier_new(struct pubsub_bytestream *take_stream,
            enum pubsub_status (*commit)(void *user, struct pubsub_error *error), void *user) {
  struct barrier *barrier = pubsub_alloc_zero(1, sizeof *barrier);
  if (!barrier) return NULL;
  barrier->stream.ops = &ops;
  barrier->stream.local = take_stream->local;
  barrier->under = take_stream;
  barrier->commit = commit;
  barrier->user = user;
  take_stream->on_event = on_event;
  take_stream->user = barrier;
  return &barrier->stream;
}
