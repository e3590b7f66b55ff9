/*
 * The inside of a call: shared by call.c (its life on an HTTP/2 stream), pool.c (which finds it a connection) and
 * unary.c. Nothing outside src/grpc includes this.
 *
 *   start ──▶ waiting (in channel.waiting) ── a connection takes it ──▶ on a stream ──▶ finished
 *                │ deadline, failed dial, cancel                          │ trailers, reset, lost, deadline, cancel
 *                └──────────────────────────────▶ finished ◀─────────────┘
 */
#ifndef PUBSUB_GRPC_CALL_H
#define PUBSUB_GRPC_CALL_H

#include "grpc/channel.h"
#include "grpc/frame.h"
#include "h2/conn.h"

#define PUBSUB_CALL_MAX_MESSAGE_BYTES ((size_t)24 << 20)

struct pubsub_connection;

struct pubsub_call {
  struct pubsub_channel *channel;
  struct pubsub_list link; /* in channel.waiting or connection.calls; detached once finished */
  struct pubsub_h2_stream *stream; /* NULL while waiting */
  const struct pubsub_call_handler *handler;
  void *user;
  char *method, *routing_header; /* owned */
  const char *encoding;          /* static; NULL: messages go uncompressed */
  uint64_t deadline_us;          /* 0: none */
  struct pubsub_timer timer;
  bool manual_window, fail_fast;
  uint32_t window_bytes; /* 0: the channel's */

  struct pubsub_segment *pending; /* messages of a waiting call, prefixes included */
  size_t pending_count, pending_cap, pending_bytes;
  bool ended; /* our side */

  struct pubsub_frame_parser parser;
  enum pubsub_status refused; /* by the handler or the parser; PUBSUB_OK: nothing yet */
  int http_status;            /* 0: no headers yet */
  bool is_grpc;               /* content-type application/grpc… */
  int grpc_status;            /* -1: not told */
  char grpc_message[384];
  struct pubsub_buf details; /* grpc-status-details-bin, decoded */

  unsigned busy; /* callbacks of this call on the stack: not freed meanwhile */
  bool finished;

  /* unary.c */
  struct pubsub_buf response;
  pubsub_unary_done_fn *unary_done;
  void *unary_user;
};

/* Puts a waiting call on a stream of conn. Errors: as pubsub_h2_conn_open_stream (the call goes on waiting). */
enum pubsub_status pubsub_call_open(struct pubsub_call *call, struct pubsub_h2_conn *conn,
                                    struct pubsub_error *error);
/* Ends the call: handler's on_closed, then freed. */
void pubsub_call_finish(struct pubsub_call *call, const struct pubsub_error *result);

/* channel.c */
void pubsub_channel_add(struct pubsub_channel *channel, struct pubsub_call *call);
void pubsub_channel_works(
    struct pubsub_channel *channel); /* a call was answered: no reason to back off */
void pubsub_channel_count_unauthenticated(struct pubsub_channel *channel);
struct pubsub_view
pubsub_channel_authorization(const struct pubsub_channel *channel); /* "Bearer …" */
const struct pubsub_channel_options *pubsub_channel_options(const struct pubsub_channel *channel);
const char *pubsub_channel_authority(const struct pubsub_channel *channel);
/* Why the last dial failed; status OK: it did not. */
const struct pubsub_error *pubsub_channel_dial_error(const struct pubsub_channel *channel);

/* status.c: the service's verdict from what its headers and trailers said. */
void pubsub_call_read_header(struct pubsub_call *call, const struct pubsub_h2_header *header,
                             bool trailers);
enum pubsub_status pubsub_call_verdict(const struct pubsub_call *call, struct pubsub_error *out);

#endif
