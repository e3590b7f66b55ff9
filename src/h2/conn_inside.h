/*
 * The inside of a connection: one object in four files, each above the next.
 *
 *   conn.c        life, reading, keepalive, opening streams
 *   flush.c       what goes out                        callbacks.c   what nghttp2 tells us
 *   stream.c      a stream: its queue and the public calls on it
 *   output.{h,c}  bytes on their way to the kernel (pure)
 *
 * Nothing outside src/h2 includes this. Loop thread only. nghttp2 must not be re-entered: its
 * callbacks run our handlers, and these may submit frames, which is allowed, but sending and
 * freeing always wait for a deferred task of the loop.
 */
#ifndef PUBSUB_H2_CONN_INSIDE_H
#define PUBSUB_H2_CONN_INSIDE_H

#include "base/container.h"
#include "h2/conn.h"
#include "h2/output.h"
#include "h2/strict.h"
#include <nghttp2/nghttp2.h>

struct pubsub_h2_stream {
  struct pubsub_h2_conn *conn;
  struct pubsub_list link; /* in conn.streams */
  int32_t id;
  const struct pubsub_h2_stream_handler *handler; /* NULL: nobody listens (any more) */
  void *user;
  struct pubsub_segment *queue; /* ring of what is not framed yet */
  size_t queue_first, queue_count, queue_cap;
  size_t queue_offset; /* of the first segment already framed */
  size_t queued_bytes, low_water;
  uint32_t window_bytes; /* receive window asked for; 0: the connection's initial one */
  nghttp2_nv *trailers;  /* one block with its strings; sent when the queue is empty */
  size_t trailer_count;
  bool end_queued;   /* our side ends after the queue */
  bool data_waiting; /* nghttp2 was told that there is nothing to send for now */
  bool got_headers;  /* the final response headers, or the request's */
  bool peer_ended;
  bool drained_due; /* queued in conn.drained */
  struct pubsub_list drained_link;
};

struct pubsub_h2_header_ref {
  size_t name, name_len, value, value_len; /* offsets into conn.header_bytes */
};

struct pubsub_h2_conn {
  struct pubsub_loop *loop;
  struct pubsub_bytestream *stream;
  struct pubsub_h2_options options;
  const struct pubsub_h2_conn_handler *handler;
  void *user;
  nghttp2_session *session;
  struct pubsub_list streams; /* of struct pubsub_h2_stream */
  size_t stream_count;
  struct pubsub_list drained; /* streams whose on_drained is due */

  struct pubsub_h2_output output;
  bool starved; /* a frame was lost for want of memory: the connection cannot go on */
  bool full;    /* the kernel took no more: wait for a write event */
  bool mute;    /* nothing more is sent: cut, or nghttp2 has failed for good */
  struct pubsub_deferred flush;
  bool flushing, flush_again; /* callbacks of a flush asked for another */
  unsigned interest;

  struct pubsub_timer read_more; /* stopped reading for fairness, not because there was no more */
  struct pubsub_timer keepalive;
  uint64_t last_receive_us, ping_sent_us; /* ping_sent_us 0: none outstanding */
  uint8_t early[32];                      /* of what was read before us, not fed yet */
  size_t early_len;

  struct pubsub_h2_strict strict; /* of a server */
  bool going_away;                /* GOAWAY came */
  bool closing;                   /* no new streams; `reap` is queued */
  struct pubsub_error why;
  struct pubsub_deferred reap;

  /* the header block being received */
  struct pubsub_buf header_bytes;
  struct pubsub_h2_header_ref *header_refs;
  struct pubsub_h2_header *headers;
  size_t header_count, header_cap;
  size_t header_list_bytes; /* as SETTINGS_MAX_HEADER_LIST_SIZE counts */
};

/* After a change of what is to be sent: it goes out at the end of the loop's turn. */
static inline void pubsub_h2_schedule(struct pubsub_h2_conn *conn) {
  if (conn->flushing) {
    conn->flush_again = true;
  } else if (!conn->full) {
    pubsub_loop_defer(conn->loop, &conn->flush);
  }
}

/* The same with nghttp2's verdict on a frame that cannot be done without. */
static inline void pubsub_h2_submitted(struct pubsub_h2_conn *conn, int result) {
  if (result == NGHTTP2_ERR_NOMEM) conn->starved = true;
  pubsub_h2_schedule(conn);
}

/* flush.c. Not OK: the connection is over, and `why` says why. */
enum pubsub_status pubsub_h2_flush(struct pubsub_h2_conn *conn, struct pubsub_error *why);
/* callbacks.c */
enum pubsub_status pubsub_h2_session_start(struct pubsub_h2_conn *conn);
/* stream.c. NULL: no memory. */
struct pubsub_h2_stream *pubsub_h2_stream_new(struct pubsub_h2_conn *conn);
void pubsub_h2_stream_free(struct pubsub_h2_stream *stream);
nghttp2_data_provider pubsub_h2_stream_provider(struct pubsub_h2_stream *stream);
/* Up to PUBSUB_H2_MAX_HEADERS of them, borrowed. */
#define PUBSUB_H2_MAX_HEADERS 64
void pubsub_h2_fill_headers(nghttp2_nv *out, const struct pubsub_h2_header *headers, size_t count);

#endif
