#include "h2/conn_inside.h"

#include "base/alloc.h"
#include "base/error.h"

struct pubsub_h2_stream *pubsub_h2_stream_new(struct pubsub_h2_conn *conn) {
  struct pubsub_h2_stream *stream = pubsub_alloc_zero(1, sizeof *stream);
  if (!stream) return NULL;
  stream->conn = conn;
  pubsub_list_init(&stream->drained_link);
  pubsub_list_push_back(&conn->streams, &stream->link);
  conn->stream_count++;
  return stream;
}

void pubsub_h2_stream_free(struct pubsub_h2_stream *stream) {
  size_t dropped = 0;
  if (stream->queue_offset > 0) {
    /* A part of the first segment is on its way to the kernel: it must outlive us. */
    struct pubsub_segment keep = stream->queue[stream->queue_first];
    pubsub_h2_output_keep(&stream->conn->output, keep);
    dropped = 1;
  }
  for (size_t i = dropped; i < stream->queue_count; i++) {
    struct pubsub_segment *segment =
        &stream->queue[(stream->queue_first + i) & (stream->queue_cap - 1)];
    if (segment->release) segment->release(segment->owner);
  }
  pubsub_list_remove(&stream->link);
  pubsub_list_remove(&stream->drained_link);
  stream->conn->stream_count--;
  pubsub_free(stream->queue);
  pubsub_free(stream->trailers);
  pubsub_free(stream);
}

static enum pubsub_status queue_grow(struct pubsub_h2_stream *stream, size_t more) {
  size_t cap = stream->queue_cap ? stream->queue_cap : 4;
  while (cap < stream->queue_count + more)
    cap *= 2;
  if (cap == stream->queue_cap) return PUBSUB_OK;
  struct pubsub_segment *queue = pubsub_alloc(cap * sizeof *queue);
  if (!queue) return PUBSUB_E_NOMEM;
  for (size_t i = 0; i < stream->queue_count; i++) {
    queue[i] = stream->queue[(stream->queue_first + i) & (stream->queue_cap - 1)];
  }
  pubsub_free(stream->queue);
  stream->queue = queue;
  stream->queue_first = 0;
  stream->queue_cap = cap;
  return PUBSUB_OK;
}

/* nghttp2 asks how much there is; the bytes themselves follow in send_data (callbacks.c). */
static ssize_t read_data(nghttp2_session *session, int32_t id, uint8_t *out, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user) {
  struct pubsub_h2_stream *stream = source->ptr;
  (void)out;
  (void)user;
  if (stream->queued_bytes == 0 && !stream->end_queued) {
    stream->data_waiting = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  size_t len = stream->queued_bytes < length ? stream->queued_bytes : length;
  if (len > 0) *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (len == stream->queued_bytes && stream->end_queued) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream->trailers) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      if (nghttp2_submit_trailer(session, id, stream->trailers, stream->trailer_count) != 0) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      }
    }
  }
  return (ssize_t)len;
}

nghttp2_data_provider pubsub_h2_stream_provider(struct pubsub_h2_stream *stream) {
  return (nghttp2_data_provider){.source.ptr = stream, .read_callback = read_data};
}

void pubsub_h2_fill_headers(nghttp2_nv *out, const struct pubsub_h2_header *headers, size_t count) {
  for (size_t i = 0; i < count; i++) {
    out[i] = (nghttp2_nv){(uint8_t *)(uintptr_t)headers[i].name.ptr,
                          (uint8_t *)(uintptr_t)headers[i].value.ptr, headers[i].name.len,
                          headers[i].value.len,
                          headers[i].sensitive ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE};
  }
}

void pubsub_h2_stream_bind(struct pubsub_h2_stream *stream,
                           const struct pubsub_h2_stream_handler *handler, void *user) {
  PUBSUB_ON_LOOP(stream->conn->loop);
  stream->handler = handler;
  stream->user = user;
}

enum pubsub_status pubsub_h2_stream_respond(struct pubsub_h2_stream *stream,
                                            const struct pubsub_h2_header *headers, size_t count,
                                            bool end) {
  PUBSUB_ON_LOOP(stream->conn->loop);
  nghttp2_nv nv[PUBSUB_H2_MAX_HEADERS];
  struct pubsub_h2_conn *conn = stream->conn;
  if (conn->closing) return PUBSUB_E_CLOSED;
  if (count > PUBSUB_H2_MAX_HEADERS) return PUBSUB_E_LIMIT;
  pubsub_h2_fill_headers(nv, headers, count);
  nghttp2_data_provider provider = pubsub_h2_stream_provider(stream);
  int failed =
      nghttp2_submit_response(conn->session, stream->id, nv, count, end ? NULL : &provider);
  if (failed) return failed == NGHTTP2_ERR_NOMEM ? PUBSUB_E_NOMEM : PUBSUB_E_CLOSED;
  if (end) stream->end_queued = true;
  pubsub_h2_schedule(conn);
  return PUBSUB_OK;
}

static void resume(struct pubsub_h2_stream *stream) {
  int result = 0;
  if (stream->data_waiting) {
    stream->data_waiting = false;
    result = nghttp2_session_resume_data(stream->conn->session, stream->id);
  }
  pubsub_h2_submitted(stream->conn, result);
}

enum pubsub_status pubsub_h2_stream_send(struct pubsub_h2_stream *stream,
                                         const struct pubsub_segment *take_segments, size_t count,
                                         bool end) {
  PUBSUB_ON_LOOP(stream->conn->loop);
  if (stream->conn->closing || stream->end_queued) return PUBSUB_E_CLOSED;
  if (queue_grow(stream, count) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  for (size_t i = 0; i < count; i++) {
    if (take_segments[i].len == 0) {
      if (take_segments[i].release) take_segments[i].release(take_segments[i].owner);
      continue;
    }
    size_t at = (stream->queue_first + stream->queue_count++) & (stream->queue_cap - 1);
    stream->queue[at] = take_segments[i];
    stream->queued_bytes += take_segments[i].len;
  }
  stream->end_queued = end;
  resume(stream);
  return PUBSUB_OK;
}

enum pubsub_status pubsub_h2_stream_trailers(struct pubsub_h2_stream *stream,
                                             const struct pubsub_h2_header *headers, size_t count) {
  PUBSUB_ON_LOOP(stream->conn->loop);
  if (stream->conn->closing || stream->end_queued) return PUBSUB_E_CLOSED;
  size_t bytes = count * sizeof(nghttp2_nv);
  for (size_t i = 0; i < count; i++)
    bytes += headers[i].name.len + headers[i].value.len;
  nghttp2_nv *trailers = pubsub_alloc(bytes);
  if (!trailers) return PUBSUB_E_NOMEM;
  uint8_t *text = (uint8_t *)(trailers + count);
  pubsub_h2_fill_headers(trailers, headers, count);
  for (size_t i = 0; i < count; i++) {
    memcpy(text, trailers[i].name, trailers[i].namelen);
    trailers[i].name = text;
    text += trailers[i].namelen;
    if (trailers[i].valuelen > 0) memcpy(text, trailers[i].value, trailers[i].valuelen);
    trailers[i].value = text;
    text += trailers[i].valuelen;
  }
  stream->trailers = trailers;
  stream->trailer_count = count;
  stream->end_queued = true;
  resume(stream);
  return PUBSUB_OK;
}

size_t pubsub_h2_stream_queued_bytes(const struct pubsub_h2_stream *stream) {
  return stream->queued_bytes;
}

void pubsub_h2_stream_set_low_water(struct pubsub_h2_stream *stream, size_t bytes) {
  stream->low_water = bytes;
}

void pubsub_h2_stream_reset(struct pubsub_h2_stream *stream, uint32_t h2_error) {
  PUBSUB_ON_LOOP(stream->conn->loop);
  if (stream->conn->closing) return;
  pubsub_h2_submitted(
      stream->conn,
      nghttp2_submit_rst_stream(stream->conn->session, NGHTTP2_FLAG_NONE, stream->id, h2_error));
}

void pubsub_h2_stream_consume(struct pubsub_h2_stream *stream, size_t bytes) {
  PUBSUB_ON_LOOP(stream->conn->loop);
  if (stream->conn->closing || bytes == 0) return;
  struct pubsub_h2_conn *conn = stream->conn;
  int result = nghttp2_session_consume_stream(conn->session, stream->id, bytes);
  if (result != 0 || nghttp2_session_want_write(conn->session)) pubsub_h2_submitted(conn, result);
}

void pubsub_h2_stream_set_window(struct pubsub_h2_stream *stream, uint32_t bytes) {
  PUBSUB_ON_LOOP(stream->conn->loop);
  if (stream->conn->closing) return;
  stream->window_bytes = bytes; /* before the request has gone out, that is all */
  pubsub_h2_submitted(
      stream->conn, nghttp2_session_set_local_window_size(stream->conn->session, NGHTTP2_FLAG_NONE,
                                                          stream->id, (int32_t)bytes));
}
