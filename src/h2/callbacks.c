/* What nghttp2 tells us, and how it is set up. */
#include "h2/conn_inside.h"

#include "base/alloc.h"
#include "base/error.h"

static struct pubsub_h2_stream *stream_of(struct pubsub_h2_conn *conn, int32_t id) {
  return nghttp2_session_get_stream_user_data(conn->session, id);
}

/* ---- headers ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  struct pubsub_h2_conn *conn = user;
  conn->header_bytes.len = 0;
  conn->header_count = 0;
  conn->header_list_bytes = 0;
  if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
    if (conn->closing) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    struct pubsub_h2_stream *stream = pubsub_h2_stream_new(conn);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    stream->id = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(session, stream->id, stream);
  }
  return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user) {
  struct pubsub_h2_conn *conn = user;
  (void)session;
  (void)frame;
  (void)flags;
  conn->header_list_bytes += name_len + value_len + 32;
  if (conn->header_list_bytes > conn->options.max_header_list_bytes) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  if (conn->header_count == conn->header_cap) {
    size_t cap = conn->header_cap ? conn->header_cap * 2 : 32;
    void *refs = pubsub_realloc(conn->header_refs, cap * sizeof *conn->header_refs);
    if (!refs) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    conn->header_refs = refs;
    void *headers = pubsub_realloc(conn->headers, cap * sizeof *conn->headers);
    if (!headers) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    conn->headers = headers;
    conn->header_cap = cap;
  }
  struct pubsub_buf *bytes = &conn->header_bytes;
  if (pubsub_buf_reserve(bytes, name_len + value_len) != PUBSUB_OK) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  conn->header_refs[conn->header_count++] =
      (struct pubsub_h2_header_ref){bytes->len, name_len, bytes->len + name_len, value_len};
  pubsub_buf_append(bytes, name, name_len);
  pubsub_buf_append(bytes, value, value_len);
  return 0;
}

static void point_headers(struct pubsub_h2_conn *conn) {
  const uint8_t *bytes = conn->header_bytes.ptr;
  for (size_t i = 0; i < conn->header_count; i++) {
    const struct pubsub_h2_header_ref *ref = &conn->header_refs[i];
    conn->headers[i] =
        (struct pubsub_h2_header){pubsub_view_of(bytes + ref->name, ref->name_len),
                                  pubsub_view_of(bytes + ref->value, ref->value_len), false};
  }
}

static bool is_informational(const struct pubsub_h2_conn *conn) {
  return conn->header_count > 0 &&
         pubsub_view_equal(conn->headers[0].name, pubsub_view_str(":status")) &&
         conn->headers[0].value.len == 3 && conn->headers[0].value.ptr[0] == '1';
}

static void headers_complete(struct pubsub_h2_conn *conn, struct pubsub_h2_stream *stream) {
  point_headers(conn);
  if (conn->options.server && !stream->got_headers) {
    stream->got_headers = true;
    if (!conn->closing) {
      conn->handler->on_request(conn->user, conn, stream, conn->headers, conn->header_count);
    }
    if (!stream->handler) pubsub_h2_stream_reset(stream, NGHTTP2_REFUSED_STREAM);
    return;
  }
  bool trailers = stream->got_headers;
  if (!trailers && is_informational(conn)) return;
  stream->got_headers = true;
  if (stream->handler && stream->handler->on_headers) {
    stream->handler->on_headers(stream->user, stream, conn->headers, conn->header_count, trailers);
  }
}

static void peer_ended(struct pubsub_h2_stream *stream) {
  stream->peer_ended = true;
  if (stream->handler && stream->handler->on_end) stream->handler->on_end(stream->user, stream);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  struct pubsub_h2_conn *conn = user;
  struct pubsub_h2_stream *stream;
  (void)session;
  switch (frame->hd.type) {
  case NGHTTP2_HEADERS:
    stream = stream_of(conn, frame->hd.stream_id);
    if (stream) headers_complete(conn, stream);
    break;
  case NGHTTP2_SETTINGS:
    if (!(frame->hd.flags & NGHTTP2_FLAG_ACK)) {
      if (conn->handler->on_ready && !conn->closing) conn->handler->on_ready(conn->user, conn);
    }
    break;
  case NGHTTP2_GOAWAY:
    conn->going_away = true;
    if (conn->handler->on_goaway && !conn->closing) {
      conn->handler->on_goaway(conn->user, conn, frame->goaway.error_code);
    }
    break;
  default:
    break;
  }
  if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
      (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
    stream = stream_of(conn, frame->hd.stream_id);
    if (stream) peer_ended(stream);
  }
  return 0;
}

/* ---- data ---- */

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                         size_t len, void *user) {
  struct pubsub_h2_conn *conn = user;
  struct pubsub_h2_stream *stream = stream_of(conn, id);
  (void)flags;
  int result = nghttp2_session_consume_connection(session, len);
  if (!stream || !stream->handler || conn->closing) {
    if (result == 0) result = nghttp2_session_consume_stream(session, id, len);
  } else {
    stream->handler->on_data(stream->user, stream, data, len);
  }
  if (result != 0) pubsub_h2_submitted(conn, result);
  return 0;
}

/* A DATA frame goes out: its head is copied, its payload moved from the stream's queue. */
static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                     size_t length, nghttp2_data_source *source, void *user) {
  struct pubsub_h2_conn *conn = user;
  struct pubsub_h2_stream *stream = source->ptr;
  (void)session;
  (void)frame;
  if (pubsub_h2_output_copy(&conn->output, head, 9) != PUBSUB_OK) {
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  size_t left = length;
  while (left > 0) {
    struct pubsub_segment *first = &stream->queue[stream->queue_first];
    struct pubsub_segment piece = *first;
    piece.ptr += stream->queue_offset;
    piece.len -= stream->queue_offset;
    bool whole = piece.len <= left;
    if (!whole) { /* the rest keeps the owner */
      piece.len = left;
      piece.release = NULL;
    }
    if (pubsub_h2_output_add(&conn->output, piece) != PUBSUB_OK) {
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    left -= piece.len;
    stream->queued_bytes -= piece.len;
    if (whole) {
      if (stream->queue_offset > 0) pubsub_h2_output_release(&conn->output);
      stream->queue_first = (stream->queue_first + 1) & (stream->queue_cap - 1);
      stream->queue_count--;
      stream->queue_offset = 0;
    } else {
      if (stream->queue_offset == 0) pubsub_h2_output_hold(&conn->output);
      stream->queue_offset += piece.len;
    }
  }
  if (stream->queued_bytes <= stream->low_water && !stream->drained_due && !stream->end_queued) {
    stream->drained_due = true;
    pubsub_list_push_back(&conn->drained, &stream->drained_link);
  }
  return 0;
}

static ssize_t read_length(nghttp2_session *session, uint8_t frame_type, int32_t id,
                           int32_t connection_window, int32_t stream_window, uint32_t max_frame,
                           void *user) {
  (void)session;
  (void)frame_type;
  (void)id;
  (void)user;
  int64_t len = (int64_t)max_frame;
  if (len > connection_window) len = connection_window;
  if (len > stream_window) len = stream_window;
  return (ssize_t)len;
}

/* ---- ends ---- */

/* A client's stream exists from now on: a window that was asked for before can be set. */
static void request_sent(struct pubsub_h2_conn *conn, struct pubsub_h2_stream *stream) {
  if (stream->window_bytes == 0) return;
  int result = nghttp2_session_set_local_window_size(conn->session, NGHTTP2_FLAG_NONE, stream->id,
                                                     (int32_t)stream->window_bytes);
  conn->starved |= result == NGHTTP2_ERR_NOMEM;
}

/* A server that has said everything tells a client that has not, so that both sides forget the
 * stream. */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  struct pubsub_h2_conn *conn = user;
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  struct pubsub_h2_stream *stream = stream_of(conn, frame->hd.stream_id);
  if (!stream) return 0;
  if (!conn->options.server) {
    if (frame->hd.type == NGHTTP2_HEADERS) request_sent(conn, stream);
  } else if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) && !stream->peer_ended) {
    int result = nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                           NGHTTP2_NO_ERROR);
    conn->starved |= result == NGHTTP2_ERR_NOMEM;
  }
  return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t h2_error, void *user) {
  struct pubsub_h2_conn *conn = user;
  struct pubsub_h2_stream *stream = stream_of(conn, id);
  if (!stream) return 0;
  if (conn->options.server && stream->peer_ended) pubsub_h2_strict_closed(&conn->strict, id);
  nghttp2_session_set_stream_user_data(session, id, NULL);
  const struct pubsub_h2_stream_handler *handler = stream->handler;
  stream->handler = NULL;
  if (handler) handler->on_closed(stream->user, stream, h2_error, NULL);
  pubsub_h2_stream_free(stream);
  if (conn->handler->on_room && !conn->closing) conn->handler->on_room(conn->user, conn);
  return 0;
}

/* ---- set-up ---- */

static void *mem_malloc(size_t bytes, void *user) {
  (void)user;
  return pubsub_alloc(bytes);
}
static void mem_free(void *ptr, void *user) {
  (void)user;
  pubsub_free(ptr);
}
static void *mem_calloc(size_t count, size_t bytes, void *user) {
  (void)user;
  return pubsub_alloc_zero(count, bytes);
}
static void *mem_realloc(void *ptr, size_t bytes, void *user) {
  (void)user;
  return pubsub_realloc(ptr, bytes);
}

static enum pubsub_status session_new(struct pubsub_h2_conn *conn) {
  static nghttp2_mem mem = {NULL, mem_malloc, mem_free, mem_calloc, mem_realloc};
  nghttp2_session_callbacks *callbacks;
  nghttp2_option *option;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) return PUBSUB_E_NOMEM;
  if (nghttp2_option_new(&option) != 0) {
    nghttp2_session_callbacks_del(callbacks);
    return PUBSUB_E_NOMEM;
  }
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
  nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, read_length);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1); /* kept for priorities, which nobody uses */
  nghttp2_option_set_max_send_header_block_length(option, (size_t)1 << 20);
  nghttp2_option_set_peer_max_concurrent_streams(option, 100); /* until its SETTINGS come */
  int failed = conn->options.server
                   ? nghttp2_session_server_new3(&conn->session, callbacks, conn, option, &mem)
                   : nghttp2_session_client_new3(&conn->session, callbacks, conn, option, &mem);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  return failed ? PUBSUB_E_NOMEM : PUBSUB_OK;
}

enum pubsub_status pubsub_h2_session_start(struct pubsub_h2_conn *conn) {
  const struct pubsub_h2_options *options = &conn->options;
  pubsub_h2_strict_init(&conn->strict);
  if (session_new(conn) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options->stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, options->max_frame_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options->max_header_list_bytes},
      {options->server ? NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS : NGHTTP2_SETTINGS_ENABLE_PUSH,
       options->server ? options->max_concurrent_streams : 0},
  };
  if (nghttp2_submit_settings(conn->session, NGHTTP2_FLAG_NONE, settings,
                              sizeof settings / sizeof *settings) != 0 ||
      nghttp2_session_set_local_window_size(conn->session, NGHTTP2_FLAG_NONE, 0,
                                            (int32_t)options->connection_window_bytes) != 0) {
    return PUBSUB_E_NOMEM;
  }
  return PUBSUB_OK;
}
