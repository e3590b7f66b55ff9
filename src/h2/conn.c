#include "h2/conn_inside.h"

#include "base/alloc.h"
#include "base/error.h"

#define TURN_READS 4 /* buffers read in one turn of the loop, for fairness */

static void update_interest(struct pubsub_h2_conn *conn) {
  unsigned interest = 0;
  if (!conn->closing) interest |= PUBSUB_IO_READ;
  if (conn->full || conn->flush_again) interest |= PUBSUB_IO_WRITE;
  conn->interest = interest;
  conn->stream->ops->set_interest(conn->stream, interest);
}

/* Ends the connection with an error; safe anywhere. */
static void fail(struct pubsub_h2_conn *conn, const struct pubsub_error *why) {
  if (conn->closing) return;
  conn->closing = true;
  conn->why = *why;
  pubsub_loop_defer(conn->loop, &conn->reap);
}

static void flush(struct pubsub_h2_conn *conn) {
  struct pubsub_error why = {0};
  if (pubsub_h2_flush(conn, &why) != PUBSUB_OK) fail(conn, &why);
  update_interest(conn);
}

static void feed(struct pubsub_h2_conn *conn, const uint8_t *data, size_t len) {
  enum pubsub_h2_strict_verdict verdict = PUBSUB_H2_STRICT_FINE;
  if (conn->options.server) verdict = pubsub_h2_strict_feed(&conn->strict, data, len);
  if (verdict != PUBSUB_H2_STRICT_FINE) {
    nghttp2_session_terminate_session(conn->session, verdict == PUBSUB_H2_STRICT_CLOSED
                                                         ? NGHTTP2_STREAM_CLOSED
                                                         : NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  ssize_t taken = nghttp2_session_mem_recv(conn->session, data, len);
  if (taken < 0 || (size_t)taken != len) {
    struct pubsub_error error = {0};
    pubsub_error_set(&error, taken == NGHTTP2_ERR_NOMEM ? PUBSUB_E_NOMEM : PUBSUB_E_PROTOCOL,
                     "the peer broke the rules of HTTP/2: %s", nghttp2_strerror((int)taken));
    conn->mute = taken < 0; /* nghttp2 has nothing more to say */
    fail(conn, &error);
  }
}

/* Control frames that wait to be sent, at most: what the peer asks for and does not read. */
static size_t max_queued_frames(const struct pubsub_h2_conn *conn) {
  size_t streams = conn->options.server ? conn->options.max_concurrent_streams : conn->stream_count;
  return 1000 + 4 * streams;
}

/* Answers, resets and window updates are queued as fast as the peer makes us; one that takes none
 * of them must not fill the memory. */
static void check_queue(struct pubsub_h2_conn *conn) {
  size_t max = max_queued_frames(conn);
  if (conn->closing || nghttp2_session_get_outbound_queue_size(conn->session) <= max) return;
  flush(conn);
  if (conn->closing || nghttp2_session_get_outbound_queue_size(conn->session) <= max) return;
  struct pubsub_error error = {0};
  pubsub_error_set(&error, PUBSUB_E_PROTOCOL, "the peer does not read what it asks for");
  conn->mute = true;
  fail(conn, &error);
}

/* Once: the first of all that is read. */
static void feed_early(struct pubsub_h2_conn *conn) {
  size_t len = conn->early_len;
  conn->early_len = 0;
  feed(conn, conn->early, len);
}

static void read_some(struct pubsub_h2_conn *conn) {
  struct pubsub_error error = {0};
  if (conn->early_len > 0) feed_early(conn);
  uint8_t *buffer = pubsub_loop_scratch(conn->loop);
  if (!buffer) {
    pubsub_error_set(&error, PUBSUB_E_NOMEM, "out of memory");
    fail(conn, &error);
    return;
  }
  for (int turn = 0; !conn->closing; turn++) {
    if (turn == TURN_READS) {
      pubsub_loop_timer_set(conn->loop, &conn->read_more, pubsub_loop_now_us(conn->loop));
      break;
    }
    ssize_t got = conn->stream->ops->read(conn->stream, buffer, PUBSUB_LOOP_SCRATCH_BYTES, &error);
    if (got == PUBSUB_BYTESTREAM_AGAIN) break;
    if (got <= 0) {
      if (got == PUBSUB_BYTESTREAM_EOF) {
        pubsub_error_set(&error, PUBSUB_E_IO, "the peer closed the connection");
      }
      fail(conn, &error);
      return;
    }
    conn->last_receive_us = pubsub_loop_now_us(conn->loop);
    conn->ping_sent_us = 0;
    feed(conn, buffer, (size_t)got);
    check_queue(conn);
    if ((size_t)got < PUBSUB_LOOP_SCRATCH_BYTES) break;
  }
  pubsub_h2_schedule(conn);
}

static void on_event(void *user, unsigned events) {
  struct pubsub_h2_conn *conn = user;
  if (conn->closing) return;
  if (events & PUBSUB_IO_WRITE && conn->interest & PUBSUB_IO_WRITE) {
    conn->full = false;
    pubsub_loop_defer(conn->loop, &conn->flush);
  }
  /* Without interest a read event is a hang-up, and reading tells why. */
  if (events & PUBSUB_IO_READ) read_some(conn);
}

static void on_read_more(struct pubsub_timer *timer) {
  struct pubsub_h2_conn *conn = PUBSUB_CONTAINER_OF(timer, struct pubsub_h2_conn, read_more);
  if (!conn->closing) read_some(conn);
}

static void on_flush(struct pubsub_deferred *deferred) {
  struct pubsub_h2_conn *conn = PUBSUB_CONTAINER_OF(deferred, struct pubsub_h2_conn, flush);
  if (!conn->closing) flush(conn);
}

static void on_keepalive(struct pubsub_timer *timer) {
  struct pubsub_h2_conn *conn = PUBSUB_CONTAINER_OF(timer, struct pubsub_h2_conn, keepalive);
  uint64_t now = pubsub_loop_now_us(conn->loop);
  uint64_t interval = (uint64_t)conn->options.ping_interval_ms * 1000;
  uint64_t timeout = (uint64_t)conn->options.ping_timeout_ms * 1000;
  uint64_t due;
  if (conn->closing) return;
  if (!conn->options.server && conn->stream_count == 0) {
    /* Servers take a PING without a reason amiss (gRPC's A8: too_many_pings). */
    conn->ping_sent_us = 0;
    pubsub_loop_timer_set(conn->loop, timer, now + interval);
    return;
  }
  if (conn->ping_sent_us != 0 && now >= conn->ping_sent_us + timeout) {
    struct pubsub_error error = {0};
    pubsub_error_set(&error, PUBSUB_E_IO, "the peer does not answer (no reply to PING)");
    fail(conn, &error);
    return;
  }
  if (conn->ping_sent_us == 0 && now >= conn->last_receive_us + interval) {
    pubsub_h2_submitted(conn, nghttp2_submit_ping(conn->session, NGHTTP2_FLAG_NONE, NULL));
    conn->ping_sent_us = now;
  }
  due = conn->ping_sent_us ? conn->ping_sent_us + timeout : conn->last_receive_us + interval;
  pubsub_loop_timer_set(conn->loop, timer, due);
}

static void free_conn(struct pubsub_h2_conn *conn) {
  pubsub_loop_timer_cancel(conn->loop, &conn->read_more);
  pubsub_loop_timer_cancel(conn->loop, &conn->keepalive);
  pubsub_loop_defer_cancel(conn->loop, &conn->flush);
  pubsub_loop_defer_cancel(conn->loop, &conn->reap);
  while (!pubsub_list_empty(&conn->streams)) {
    pubsub_h2_stream_free(PUBSUB_CONTAINER_OF(conn->streams.next, struct pubsub_h2_stream, link));
  }
  nghttp2_session_del(conn->session);
  pubsub_h2_output_clear(&conn->output);
  pubsub_buf_clear(&conn->header_bytes);
  pubsub_free(conn->header_refs);
  pubsub_free(conn->headers);
  if (conn->stream) conn->stream->ops->destroy(conn->stream);
  pubsub_free(conn);
}

/* The end: everybody hears of it once, then the memory goes. */
static void on_reap(struct pubsub_deferred *deferred) {
  struct pubsub_h2_conn *conn = PUBSUB_CONTAINER_OF(deferred, struct pubsub_h2_conn, reap);
  struct pubsub_error ignored = {0};
  conn->full = false;
  pubsub_h2_flush(conn, &ignored); /* GOAWAY and what else fits, if the stream still takes it */
  conn->stream->ops->shutdown(conn->stream);
  while (!pubsub_list_empty(&conn->streams)) {
    struct pubsub_h2_stream *stream =
        PUBSUB_CONTAINER_OF(conn->streams.next, struct pubsub_h2_stream, link);
    const struct pubsub_h2_stream_handler *handler = stream->handler;
    nghttp2_session_set_stream_user_data(conn->session, stream->id, NULL);
    stream->handler = NULL;
    if (handler) handler->on_closed(stream->user, stream, NGHTTP2_CANCEL, &conn->why);
    pubsub_h2_stream_free(stream);
  }
  conn->handler->on_closed(conn->user, conn, &conn->why);
  free_conn(conn);
}

static void apply_defaults(struct pubsub_h2_options *options) {
  if (!options->stream_window_bytes) options->stream_window_bytes = 1u << 20;
  if (!options->connection_window_bytes) options->connection_window_bytes = 64u << 20;
  if (!options->max_frame_bytes) options->max_frame_bytes = 256u << 10;
  if (!options->max_header_list_bytes) options->max_header_list_bytes = 64u << 10;
  if (!options->max_concurrent_streams) options->max_concurrent_streams = 1000;
  if (!options->ping_timeout_ms) options->ping_timeout_ms = 15000;
}

enum pubsub_status pubsub_h2_conn_new(struct pubsub_loop *loop,
                                      struct pubsub_bytestream *take_stream,
                                      const struct pubsub_h2_options *options,
                                      const struct pubsub_h2_conn_handler *handler, void *user,
                                      struct pubsub_h2_conn **out, struct pubsub_error *error) {
  PUBSUB_ON_LOOP(loop);
  struct pubsub_h2_conn *conn = pubsub_alloc_zero(1, sizeof *conn);
  if (!conn) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  conn->loop = loop;
  conn->options = *options;
  conn->options.early = (struct pubsub_view){0};
  conn->early_len = options->early.len < sizeof conn->early ? options->early.len : 0;
  if (conn->early_len > 0) memcpy(conn->early, options->early.ptr, conn->early_len);
  apply_defaults(&conn->options);
  conn->handler = handler;
  conn->user = user;
  pubsub_list_init(&conn->streams);
  pubsub_list_init(&conn->drained);
  pubsub_list_init(&conn->flush.link);
  pubsub_list_init(&conn->reap.link);
  conn->flush.run = on_flush;
  conn->reap.run = on_reap;
  conn->read_more.run = on_read_more;
  conn->keepalive.run = on_keepalive;
  conn->last_receive_us = pubsub_loop_now_us(loop);
  enum pubsub_status status = pubsub_h2_session_start(conn);
  if (status == PUBSUB_OK && conn->options.ping_interval_ms) {
    pubsub_loop_timer_set(loop, &conn->keepalive,
                          conn->last_receive_us + (uint64_t)conn->options.ping_interval_ms * 1000);
  }
  if (status != PUBSUB_OK) {
    free_conn(conn);
    return pubsub_error_set(error, status, "out of memory");
  }
  conn->stream = take_stream;
  conn->stream->on_event = on_event;
  conn->stream->user = conn;
  update_interest(conn);
  pubsub_h2_schedule(conn);
  /* What a TLS handshake read ahead shows in no event. */
  pubsub_loop_timer_set(loop, &conn->read_more, pubsub_loop_now_us(loop));
  *out = conn;
  return PUBSUB_OK;
}

void pubsub_h2_conn_close(struct pubsub_h2_conn *conn, uint32_t h2_error) {
  PUBSUB_ON_LOOP(conn->loop);
  struct pubsub_error why = {0};
  if (conn->closing) return;
  nghttp2_session_terminate_session(conn->session, h2_error);
  pubsub_error_set(&why, PUBSUB_E_CLOSED, "the connection was closed");
  fail(conn, &why);
}

void pubsub_h2_conn_abort(struct pubsub_h2_conn *conn) {
  PUBSUB_ON_LOOP(conn->loop);
  struct pubsub_error why = {0};
  pubsub_error_set(&why, PUBSUB_E_CLOSED, "the connection was cut");
  conn->mute = true; /* what is under way is let go of with the connection */
  fail(conn, &why);
}

void pubsub_h2_conn_goaway(struct pubsub_h2_conn *conn, uint32_t h2_error) {
  PUBSUB_ON_LOOP(conn->loop);
  if (conn->closing) return;
  int32_t last = nghttp2_session_get_last_proc_stream_id(conn->session);
  pubsub_h2_submitted(
      conn, nghttp2_submit_goaway(conn->session, NGHTTP2_FLAG_NONE, last, h2_error, NULL, 0));
}

void pubsub_h2_conn_destroy(struct pubsub_h2_conn *conn) {
  if (!conn) return;
  PUBSUB_ON_LOOP(conn->loop);
  free_conn(conn);
}

size_t pubsub_h2_conn_stream_count(const struct pubsub_h2_conn *conn) {
  return conn->stream_count;
}

bool pubsub_h2_conn_can_open(const struct pubsub_h2_conn *conn) {
  PUBSUB_ON_LOOP(conn->loop);
  return !conn->closing && !conn->going_away &&
         nghttp2_session_check_request_allowed(conn->session) &&
         conn->stream_count < nghttp2_session_get_remote_settings(
                                  conn->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

enum pubsub_status pubsub_h2_conn_open_stream(struct pubsub_h2_conn *conn,
                                              const struct pubsub_h2_header *headers, size_t count,
                                              const struct pubsub_h2_stream_handler *handler,
                                              void *user, struct pubsub_h2_stream **out,
                                              struct pubsub_error *error) {
  nghttp2_nv nv[PUBSUB_H2_MAX_HEADERS];
  PUBSUB_ON_LOOP(conn->loop);
  if (conn->closing || conn->going_away) {
    return pubsub_error_set(error, PUBSUB_E_CLOSED, "the connection is closing");
  }
  if (count > PUBSUB_H2_MAX_HEADERS || !pubsub_h2_conn_can_open(conn)) {
    return pubsub_error_set(error, PUBSUB_E_LIMIT, "the connection takes no more streams");
  }
  struct pubsub_h2_stream *stream = pubsub_h2_stream_new(conn);
  if (!stream) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  stream->handler = handler;
  stream->user = user;
  pubsub_h2_fill_headers(nv, headers, count);
  nghttp2_data_provider provider = pubsub_h2_stream_provider(stream);
  int32_t id = nghttp2_submit_request(conn->session, NULL, nv, count, &provider, stream);
  if (id < 0) {
    pubsub_h2_stream_free(stream);
    return pubsub_error_set(error, id == NGHTTP2_ERR_NOMEM ? PUBSUB_E_NOMEM : PUBSUB_E_LIMIT,
                            "cannot open a stream: %s", nghttp2_strerror(id));
  }
  stream->id = id;
  pubsub_h2_schedule(conn);
  *out = stream;
  return PUBSUB_OK;
}

const char *pubsub_h2_library(void) {
  return "nghttp2 " PUBSUB_NGHTTP2_PACKAGE;
}
