/* From nghttp2 through the output to the byte stream, as much as the kernel takes. */
#include "h2/conn_inside.h"

#include "base/error.h"

#define GATHER_BYTES ((size_t)1 << 20) /* taken from nghttp2 ahead of the kernel, at most */
#define MAX_IOVECS 256
#define TURN_BYTES ((size_t)4 << 20) /* written in one turn of the loop, for fairness */

/* Fills the output from nghttp2, which after a failure is good for nothing any more. */
static enum pubsub_status gather(struct pubsub_h2_conn *conn, struct pubsub_error *why) {
  while (conn->output.bytes < GATHER_BYTES) {
    const uint8_t *ptr;
    ssize_t len = nghttp2_session_mem_send(conn->session, &ptr);
    if (len == 0) return PUBSUB_OK;
    if (len < 0 && len != NGHTTP2_ERR_NOMEM) {
      conn->mute = true;
      return pubsub_error_set(why, PUBSUB_E_PROTOCOL, "cannot send: %s",
                              nghttp2_strerror((int)len));
    }
    if (len < 0 || pubsub_h2_output_copy(&conn->output, ptr, (size_t)len) != PUBSUB_OK) {
      conn->mute = true;
      return pubsub_error_set(why, PUBSUB_E_NOMEM, "cannot send: out of memory");
    }
  }
  return PUBSUB_OK;
}

/* One writev; `full` is set where the kernel took less than was offered. */
static enum pubsub_status put(struct pubsub_h2_conn *conn, struct pubsub_error *why) {
  struct iovec parts[MAX_IOVECS];
  size_t offered;
  int count = pubsub_h2_output_parts(&conn->output, parts, MAX_IOVECS, &offered);
  ssize_t done = conn->stream->ops->writev(conn->stream, parts, count, why);
  if (done == PUBSUB_BYTESTREAM_ERROR) return why->status;
  if (done > 0) pubsub_h2_output_written(&conn->output, (size_t)done);
  conn->full = done == PUBSUB_BYTESTREAM_AGAIN || (size_t)done < offered;
  return PUBSUB_OK;
}

static void tell_drained(struct pubsub_h2_conn *conn) {
  while (!pubsub_list_empty(&conn->drained)) {
    struct pubsub_h2_stream *stream =
        PUBSUB_CONTAINER_OF(conn->drained.next, struct pubsub_h2_stream, drained_link);
    pubsub_list_remove(&stream->drained_link);
    stream->drained_due = false;
    if (stream->handler && stream->handler->on_drained) {
      stream->handler->on_drained(stream->user, stream);
    }
  }
}

static enum pubsub_status move(struct pubsub_h2_conn *conn, struct pubsub_error *why) {
  size_t turn = 0;
  while (!conn->full && turn < TURN_BYTES) {
    enum pubsub_status status = gather(conn, why);
    size_t before = conn->output.bytes;
    if (status != PUBSUB_OK || before == 0) return status;
    status = put(conn, why);
    if (status != PUBSUB_OK) return status;
    turn += before - conn->output.bytes;
  }
  if (turn >= TURN_BYTES) conn->flush_again = true;
  return PUBSUB_OK;
}

static bool has_ended(const struct pubsub_h2_conn *conn) {
  return !nghttp2_session_want_read(conn->session) && !nghttp2_session_want_write(conn->session) &&
         conn->output.bytes == 0;
}

enum pubsub_status pubsub_h2_flush(struct pubsub_h2_conn *conn, struct pubsub_error *why) {
  if (conn->mute) return PUBSUB_OK;
  if (conn->starved) return pubsub_error_set(why, PUBSUB_E_NOMEM, "out of memory");
  conn->flushing = true;
  conn->flush_again = false;
  enum pubsub_status status = move(conn, why);
  if (status == PUBSUB_OK && !conn->closing) tell_drained(conn);
  conn->flushing = false;
  if (status != PUBSUB_OK || conn->closing || !has_ended(conn)) return status;
  return pubsub_error_set(why, PUBSUB_E_IO, "the HTTP/2 connection has ended");
}
