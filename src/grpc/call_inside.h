/*
 * The inside of a call: shared by call.c (its life on an HTTP/2 stream) and connections.c (which
 * finds it a connection). Nothing outside src/grpc includes this. A call knows no channel: what all
 * calls of a channel have in common is a const context, and what they tell it, two callbacks.
 *
 *   new ──▶ waiting (in connections.waiting) ── a connection takes it ──▶ on a stream
 *              │ deadline, failed dial, cancel         trailers, reset, lost, │
 *              │                                             deadline, cancel │
 *              └──────────────────────────────▶ finished ◀────────────────────┘
 */
#ifndef PUBSUB_GRPC_CALL_INSIDE_H
#define PUBSUB_GRPC_CALL_INSIDE_H

#include "grpc/call.h"
#include "grpc/frame.h"
#include "grpc/verdict.h"
#include "h2/conn.h"

#define PUBSUB_CALL_MAX_MESSAGE_BYTES ((size_t)24 << 20)

/* Outlives its calls. What is in it may change between two events. */
struct pubsub_call_context {
  struct pubsub_loop *loop;
  const char *authority, *user_agent;
  const char *quota_project; /* NULL: none */
  bool tls;
  /* "Bearer …", never sent over plaintext; empty: none; a secret */
  struct pubsub_buf authorization;
  struct pubsub_error dial_error;   /* why the last dial failed; status OK: it did not */
  void (*on_answered)(void *owner); /* a call had response headers: no reason to back off */
  void (*on_unauthenticated)(void *owner);
  void *owner;
};

struct pubsub_call {
  const struct pubsub_call_context *context;
  struct pubsub_list link;         /* in a list of connections.c's; detached once finished */
  struct pubsub_h2_stream *stream; /* NULL while waiting */
  const struct pubsub_call_handler *handler;
  void *user;
  char *method, *routing_header; /* owned */
  const char *encoding;          /* static; NULL: messages go uncompressed */
  uint64_t deadline_us;          /* 0: none */
  struct pubsub_timer timer;
  bool manual_window, fail_fast;
  uint32_t window_bytes; /* 0: the connection's */

  struct pubsub_segment *pending; /* messages of a waiting call, prefixes included */
  size_t pending_count, pending_cap, pending_bytes;
  bool ended; /* our side */

  struct pubsub_frame_parser parser;
  struct pubsub_verdict verdict;

  unsigned busy; /* callbacks of this call on the stack: not freed meanwhile */
  bool finished;
};

/* A waiting call, in no list yet. Errors: NOMEM. */
enum pubsub_status pubsub_call_new(const struct pubsub_call_context *context,
                                   const struct pubsub_call_options *options,
                                   const struct pubsub_call_handler *handler, void *user,
                                   struct pubsub_call **out);
/* Puts a waiting call on a stream of conn. Errors: as pubsub_h2_conn_open_stream (the call goes on
 * waiting). */
enum pubsub_status pubsub_call_open(struct pubsub_call *call, struct pubsub_h2_conn *conn,
                                    struct pubsub_error *error);
/* Ends the call: handler's on_closed, then freed. */
void pubsub_call_finish(struct pubsub_call *call, const struct pubsub_error *result);

#endif
