/*
 * One HTTP/2 connection, client or server, over a byte stream. The only layer that sees nghttp2.
 *
 * Loop thread only. Nothing is written at once: sends are gathered and flushed at the end of the
 * loop's iteration with writev, payload segments uncopied (NO_COPY). Receive windows are the
 * back-pressure: bytes given to on_data count against the stream's window until
 * pubsub_h2_stream_consume. The connection's own window is replenished at once, so one stalled
 * stream stalls no other.
 */
#ifndef PUBSUB_H2_CONN_H
#define PUBSUB_H2_CONN_H

#include "base/bytes.h"
#include "h2/errors.h"
#include "net/bytestream.h"

struct pubsub_h2_conn;
struct pubsub_h2_stream;

struct pubsub_h2_header {
  struct pubsub_view name; /* lower case; pseudo headers included */
  struct pubsub_view value;
  bool sensitive; /* never indexed by HPACK: authorization */
};

/* 0 takes the default. */
struct pubsub_h2_options {
  bool server;
  uint32_t stream_window_bytes;     /* our initial receive window of a stream; 1 MiB */
  uint32_t connection_window_bytes; /* 64 MiB */
  uint32_t max_frame_bytes;         /* SETTINGS_MAX_FRAME_SIZE we accept; 256 KiB */
  uint32_t max_header_list_bytes; /* 64 KiB; a client allows 4 MiB of metadata only where it must */
  uint32_t max_concurrent_streams; /* server: what clients may open at once; 1000 */
  uint32_t ping_interval_ms; /* PING when silent so long (client: and a stream is open); 0: never */
  uint32_t ping_timeout_ms;  /* … and no answer: the connection is lost; 15000 */
  /* What was read of the stream already, at most a preface; borrowed until the connection is
   * there. */
  struct pubsub_view early;
};

/* `user` is the one given with the handler. Inside any callback the stream or connection may be
 * reset, closed, answered or written to; freeing happens later. on_closed is the last callback of
 * each object; the pointer is invalid once it returns. */
struct pubsub_h2_stream_handler {
  /* Response headers (client), trailers (both, `trailers` true). Request headers come with
   * on_request. */
  void (*on_headers)(void *user, struct pubsub_h2_stream *stream,
                     const struct pubsub_h2_header *headers, size_t count, bool trailers);
  /* A piece of the body as it stands in the receive buffer: borrowed for the call. */
  void (*on_data)(void *user, struct pubsub_h2_stream *stream, const uint8_t *data, size_t len);
  void (*on_end)(void *user, struct pubsub_h2_stream *stream); /* the peer has ended its side */
  /* Queued bytes fell to pubsub_h2_stream_set_low_water's mark or below. May be NULL. */
  void (*on_drained)(void *user, struct pubsub_h2_stream *stream);
  /* h2_error: 0 after a clean end, otherwise an RFC 9113 error code; `why` is set where the
   * connection was lost. */
  void (*on_closed)(void *user, struct pubsub_h2_stream *stream, uint32_t h2_error,
                    const struct pubsub_error *why);
};

struct pubsub_h2_conn_handler {
  /* Client: the peer's SETTINGS have come, for the first time or again. May be NULL. */
  void (*on_ready)(void *user, struct pubsub_h2_conn *conn);
  /* A stream is gone: there may be room for another. May be NULL. */
  void (*on_room)(void *user, struct pubsub_h2_conn *conn);
  /* Server: a complete request header block. Bind a handler with pubsub_h2_stream_bind before
   * returning, or the stream is refused. */
  void (*on_request)(void *user, struct pubsub_h2_conn *conn, struct pubsub_h2_stream *stream,
                     const struct pubsub_h2_header *headers, size_t count);
  /* GOAWAY came: no new streams; those above last_stream_id get on_closed with REFUSED_STREAM. May
   * be NULL. */
  void (*on_goaway)(void *user, struct pubsub_h2_conn *conn, uint32_t h2_error);
  void (*on_closed)(void *user, struct pubsub_h2_conn *conn, const struct pubsub_error *why);
};

/* Takes the byte stream on success. */
enum pubsub_status pubsub_h2_conn_new(struct pubsub_loop *loop,
                                      struct pubsub_bytestream *take_stream,
                                      const struct pubsub_h2_options *options,
                                      const struct pubsub_h2_conn_handler *handler, void *user,
                                      struct pubsub_h2_conn **out, struct pubsub_error *error);
/* Ends the connection: GOAWAY with h2_error, best-effort flush, streams and connection get
 * on_closed, from the loop, later. */
void pubsub_h2_conn_close(struct pubsub_h2_conn *conn, uint32_t h2_error);
/* Server: announce the end, let running streams finish. */
void pubsub_h2_conn_goaway(struct pubsub_h2_conn *conn, uint32_t h2_error);
/* Cuts the connection without a GOAWAY; callbacks as with close. */
void pubsub_h2_conn_abort(struct pubsub_h2_conn *conn);
/* Frees at once, no callbacks: for shutdown paths. */
void pubsub_h2_conn_destroy(struct pubsub_h2_conn *conn);
/* Streams open now, and whether a new one may be opened (peer's limit, GOAWAY, ids left). */
size_t pubsub_h2_conn_stream_count(const struct pubsub_h2_conn *conn);
bool pubsub_h2_conn_can_open(const struct pubsub_h2_conn *conn);
/* Client: opens a stream; the body stays open until send with end. Errors: NOMEM, CLOSED, LIMIT
 * (can_open is false). */
enum pubsub_status pubsub_h2_conn_open_stream(struct pubsub_h2_conn *conn,
                                              const struct pubsub_h2_header *headers, size_t count,
                                              const struct pubsub_h2_stream_handler *handler,
                                              void *user, struct pubsub_h2_stream **out,
                                              struct pubsub_error *error);
/* Server, inside on_request. */
void pubsub_h2_stream_bind(struct pubsub_h2_stream *stream,
                           const struct pubsub_h2_stream_handler *handler, void *user);
/* Server: response headers; with end: a headers-only response (gRPC "trailers-only"). */
enum pubsub_status pubsub_h2_stream_respond(struct pubsub_h2_stream *stream,
                                            const struct pubsub_h2_header *headers, size_t count,
                                            bool end);
/* Queues segments, taking each of them on OK (none on an error). `end` ends our side after them. */
enum pubsub_status pubsub_h2_stream_send(struct pubsub_h2_stream *stream,
                                         const struct pubsub_segment *take_segments, size_t count,
                                         bool end);
/* Server: trailers after what is queued; ends our side. */
enum pubsub_status pubsub_h2_stream_trailers(struct pubsub_h2_stream *stream,
                                             const struct pubsub_h2_header *headers, size_t count);
size_t pubsub_h2_stream_queued_bytes(const struct pubsub_h2_stream *stream);
void pubsub_h2_stream_set_low_water(struct pubsub_h2_stream *stream, size_t bytes);
void pubsub_h2_stream_reset(struct pubsub_h2_stream *stream, uint32_t h2_error);
/* Gives `bytes` of the stream's receive window back to the peer (gathered; sent when worth a
 * frame). */
void pubsub_h2_stream_consume(struct pubsub_h2_stream *stream, size_t bytes);
/* Sets the receive window of this stream (a change of the limit, not of what is used). */
void pubsub_h2_stream_set_window(struct pubsub_h2_stream *stream, uint32_t bytes);

/* nghttp2's name and version, that of the package it was built from; static. */
const char *pubsub_h2_library(void);

#endif
