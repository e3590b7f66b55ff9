/*
 * The inside of a connection: shared by conn.c (life, reading), stream.c (the public stream calls), callbacks.c (what
 * nghttp2 tells us) and output.c (what goes out). Nothing outside src/h2 includes this.
 *
 * nghttp2 must not be re-entered: its callbacks run our handlers, and these may submit frames, which is allowed, but sending
 * and freeing always wait for a deferred task of the loop.
 */
#ifndef PUBSUB_H2_SESSION_H
#define PUBSUB_H2_SESSION_H

#include "h2/conn.h"
#include "h2/strict.h"
#include <nghttp2/nghttp2.h>

/* Bytes on their way to the kernel, in order. */
struct pubsub_h2_output {
  struct pubsub_segment *pieces; /* ring: first .. first + count */
  size_t first, count, cap;      /* cap: power of two */
  size_t offset;                 /* of pieces[first] already written */
  size_t bytes;                  /* left to write */
  uint8_t *arena; /* frame heads and small frames; reused when everything is written */
  size_t arena_used;
  size_t reserved; /* places kept free: one per stream whose first segment is partly in here */
  bool full;       /* the kernel took no more: wait for a write event */
};

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
  struct pubsub_deferred flush;
  bool flushing, flush_again; /* callbacks of a flush asked for another */
  unsigned interest;

  struct pubsub_timer read_more; /* stopped reading for fairness, not because there was no more */
  struct pubsub_timer keepalive;
  uint64_t last_receive_us, ping_sent_us; /* ping_sent_us 0: none outstanding */
  bool paused;

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

/* callbacks.c */
enum pubsub_status pubsub_h2_session_start(struct pubsub_h2_conn *conn);
/* stream.c */
struct pubsub_h2_stream *pubsub_h2_stream_new(struct pubsub_h2_conn *conn);
void pubsub_h2_stream_free(struct pubsub_h2_stream *stream);
nghttp2_data_provider pubsub_h2_stream_provider(struct pubsub_h2_stream *stream);
/* output.c: takes bytes from nghttp2 and gives them to the byte stream. */
void pubsub_h2_output_schedule(struct pubsub_h2_conn *conn);
void pubsub_h2_output_flush(struct pubsub_h2_conn *conn);
enum pubsub_status pubsub_h2_output_copy(struct pubsub_h2_output *output, const uint8_t *ptr,
                                         size_t len);
enum pubsub_status pubsub_h2_output_add(struct pubsub_h2_output *output,
                                        struct pubsub_segment take_piece);
/* Adds an empty piece that only carries an owner, into a reserved place: cannot fail. */
void pubsub_h2_output_keep(struct pubsub_h2_output *output, struct pubsub_segment take_piece);
void pubsub_h2_output_clear(struct pubsub_h2_output *output);
/* conn.c: ends the connection with an error; safe anywhere. */
void pubsub_h2_conn_fail(struct pubsub_h2_conn *conn, const struct pubsub_error *why);
void pubsub_h2_conn_update_interest(struct pubsub_h2_conn *conn);

#endif
