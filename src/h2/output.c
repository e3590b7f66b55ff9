#include "h2/session.h"

#include "base/alloc.h"
#include "base/error.h"

#define ARENA_BYTES ((size_t)16384)
#define GATHER_BYTES ((size_t)1 << 20) /* taken from nghttp2 ahead of the kernel, at most */
#define MAX_IOVECS 256
#define TURN_BYTES ((size_t)4 << 20) /* written in one turn of the loop, for fairness */

enum pubsub_status pubsub_h2_output_add(struct pubsub_h2_output *output,
                                        struct pubsub_segment take_piece) {
  if (output->count + output->reserved + 1 >= output->cap) {
    size_t cap = output->cap ? output->cap * 2 : 32;
    while (cap <= output->count + output->reserved + 1)
      cap *= 2;
    struct pubsub_segment *pieces = pubsub_alloc(cap * sizeof *pieces);
    if (!pieces) return PUBSUB_E_NOMEM;
    for (size_t i = 0; i < output->count; i++) {
      pieces[i] = output->pieces[(output->first + i) & (output->cap - 1)];
    }
    pubsub_free(output->pieces);
    output->pieces = pieces;
    output->first = 0;
    output->cap = cap;
  }
  output->pieces[(output->first + output->count++) & (output->cap - 1)] = take_piece;
  output->bytes += take_piece.len;
  return PUBSUB_OK;
}

void pubsub_h2_output_keep(struct pubsub_h2_output *output, struct pubsub_segment take_piece) {
  output->reserved--;
  output->pieces[(output->first + output->count++) & (output->cap - 1)] = take_piece;
}

enum pubsub_status pubsub_h2_output_copy(struct pubsub_h2_output *output, const uint8_t *ptr,
                                         size_t len) {
  if (!output->arena && !(output->arena = pubsub_alloc(ARENA_BYTES))) return PUBSUB_E_NOMEM;
  struct pubsub_segment piece = {.len = len};
  if (len <= ARENA_BYTES - output->arena_used) {
    uint8_t *place = output->arena + output->arena_used;
    memcpy(place, ptr, len);
    output->arena_used += len;
    if (output->count > 0) { /* frames in a row are one piece */
      struct pubsub_segment *last =
          &output->pieces[(output->first + output->count - 1) & (output->cap - 1)];
      if (!last->release && last->ptr + last->len == place) {
        last->len += len;
        output->bytes += len;
        return PUBSUB_OK;
      }
    }
    piece.ptr = place;
  } else {
    uint8_t *copy = pubsub_alloc(len);
    if (!copy) return PUBSUB_E_NOMEM;
    memcpy(copy, ptr, len);
    piece = (struct pubsub_segment){copy, len, pubsub_free, copy};
  }
  enum pubsub_status status = pubsub_h2_output_add(output, piece);
  if (status != PUBSUB_OK && piece.release) piece.release(piece.owner);
  return status;
}

void pubsub_h2_output_clear(struct pubsub_h2_output *output) {
  for (size_t i = 0; i < output->count; i++) {
    struct pubsub_segment *piece = &output->pieces[(output->first + i) & (output->cap - 1)];
    if (piece->release) piece->release(piece->owner);
  }
  pubsub_free(output->pieces);
  pubsub_free(output->arena);
  *output = (struct pubsub_h2_output){0};
}

static void written(struct pubsub_h2_output *output, size_t len) {
  output->bytes -= len;
  while (len > 0 || (output->count > 0 && output->pieces[output->first].len == output->offset)) {
    struct pubsub_segment *piece = &output->pieces[output->first];
    size_t left = piece->len - output->offset;
    if (len < left) {
      output->offset += len;
      return;
    }
    len -= left;
    output->offset = 0;
    output->first = (output->first + 1) & (output->cap - 1);
    output->count--;
    if (piece->release) piece->release(piece->owner);
  }
  if (output->count == 0) output->arena_used = 0;
}

/* Fills the output from nghttp2. */
static enum pubsub_status gather(struct pubsub_h2_conn *conn) {
  while (conn->output.bytes < GATHER_BYTES) {
    const uint8_t *ptr;
    ssize_t len = nghttp2_session_mem_send(conn->session, &ptr);
    if (len < 0) return len == NGHTTP2_ERR_NOMEM ? PUBSUB_E_NOMEM : PUBSUB_E_PROTOCOL;
    if (len == 0) break;
    if (pubsub_h2_output_copy(&conn->output, ptr, (size_t)len) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  }
  return PUBSUB_OK;
}

/* One writev. False: the kernel is full or the stream is dead. */
static bool put(struct pubsub_h2_conn *conn) {
  struct pubsub_h2_output *output = &conn->output;
  struct iovec parts[MAX_IOVECS];
  int count = 0;
  size_t offset = output->offset, asked = 0;
  for (size_t i = 0; i < output->count && count < MAX_IOVECS; i++) {
    struct pubsub_segment *piece = &output->pieces[(output->first + i) & (output->cap - 1)];
    parts[count].iov_base = (uint8_t *)(uintptr_t)piece->ptr + offset;
    parts[count].iov_len = piece->len - offset;
    asked += parts[count++].iov_len;
    offset = 0;
  }
  struct pubsub_error error = {0};
  ssize_t done = conn->stream->ops->writev(conn->stream, parts, count, &error);
  if (done == PUBSUB_BYTESTREAM_ERROR) {
    pubsub_h2_conn_fail(conn, &error);
    return false;
  }
  if (done > 0) written(output, (size_t)done);
  output->full = done == PUBSUB_BYTESTREAM_AGAIN || (size_t)done < asked;
  return !output->full;
}

static void tell_drained(struct pubsub_h2_conn *conn) {
  while (!pubsub_list_empty(&conn->drained)) {
    struct pubsub_h2_stream *stream =
        (struct pubsub_h2_stream *)((char *)conn->drained.next -
                                    offsetof(struct pubsub_h2_stream, drained_link));
    pubsub_list_remove(&stream->drained_link);
    stream->drained_due = false;
    if (stream->handler && stream->handler->on_drained) {
      stream->handler->on_drained(stream->user, stream);
    }
  }
}

void pubsub_h2_output_flush(struct pubsub_h2_conn *conn) {
  size_t turn = 0;
  conn->flushing = true;
  conn->flush_again = false;
  while (!conn->output.full && turn < TURN_BYTES) {
    enum pubsub_status status = gather(conn);
    if (status != PUBSUB_OK) {
      struct pubsub_error error = {0};
      pubsub_error_set(&error, status, "cannot send: %s",
                       status == PUBSUB_E_NOMEM ? "out of memory" : "HTTP/2 session error");
      pubsub_h2_conn_fail(conn, &error);
      break;
    }
    size_t before = conn->output.bytes;
    if (before == 0) break;
    if (!put(conn)) break;
    turn += before - conn->output.bytes;
  }
  if (turn >= TURN_BYTES) conn->flush_again = true;
  if (!conn->closing) tell_drained(conn);
  conn->flushing = false;
  if (!conn->closing && !nghttp2_session_want_read(conn->session) &&
      !nghttp2_session_want_write(conn->session) && conn->output.bytes == 0) {
    struct pubsub_error error = {0};
    pubsub_error_set(&error, PUBSUB_E_IO, "the HTTP/2 connection has ended");
    pubsub_h2_conn_fail(conn, &error);
  }
  pubsub_h2_conn_update_interest(conn);
}

void pubsub_h2_output_schedule(struct pubsub_h2_conn *conn) {
  if (conn->flushing) {
    conn->flush_again = true;
  } else if (!conn->output.full) {
    pubsub_loop_defer(conn->loop, &conn->flush);
  }
}
