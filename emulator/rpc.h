/*
 * The server side of gRPC over one HTTP/2 stream: request messages in, one response or many out, a status at the end.
 * Knows nothing of Pub/Sub. Loop thread only.
 *
 *   request headers ─▶ method found ─▶ on_message … on_half_close ─▶ rpc_reply / rpc_fail / rpc_finish ─▶ on_closed
 */
#ifndef EMULATOR_RPC_H
#define EMULATOR_RPC_H

#include "base/bytes.h"
#include "grpc/frame.h"
#include "h2/conn.h"
#include "net/loop.h"

#define RPC_MAX_REQUEST_BYTES ((size_t)20 << 20)

struct rpc;
struct rpc_method {
  const char *path;
  /* One whole request message, borrowed; take_request may be emptied to keep its memory. */
  void (*on_message)(struct rpc *rpc, struct pubsub_buf *take_request);
  void (*on_half_close)(
      struct rpc *rpc);                /* NULL: a unary method, for which nothing is to be done */
  void (*on_drained)(struct rpc *rpc); /* queued bytes fell below the low-water mark; may be NULL */
  void (*on_closed)(struct rpc *rpc);  /* last; rpc->state is to be freed here; may be NULL */
};

struct rpc {
  struct pubsub_list link; /* in connection.calls */
  struct rpc_connection *connection;
  void *server; /* rpc_service.server */
  const struct rpc_method *method;
  struct pubsub_h2_stream *stream; /* NULL: closed */
  void *state;                     /* the method's own */
  bool answered;                   /* the status was queued: say no more */
  bool headers_sent, gzip, compressed;
  size_t withheld_bytes;       /* of the request, not given back to the stream's window */
  bool intercepted;            /* `intercept` has seen its first message */
  struct pubsub_timer delayed; /* the first message waits for it */
  struct pubsub_frame_parser parser;
  struct pubsub_buf request;
};

/* `server` points to a struct rpc_service. */
struct rpc_service {
  const struct rpc_method *methods; /* ends with path NULL */
  void *server;
  /* Sees a call's first message before its method. False: the method is not to be called (now). May be NULL. */
  bool (*intercept)(struct rpc *rpc);
  /* Looks at a call's headers; `authorization` is borrowed, empty where there is none. NULL: the call is welcome; otherwise
   * why it is answered UNAUTHENTICATED. May be NULL. */
  const char *(*admit)(void *server, const struct rpc_method *method,
                       struct pubsub_view authorization);
};

/* One connection of a client. Freed by itself when the peer goes. */
struct rpc_connection {
  struct pubsub_list link;
  struct pubsub_list calls; /* of struct rpc */
  struct pubsub_list *all;  /* the list that holds it */
  struct pubsub_loop *loop;
  const struct rpc_service *service;
  struct pubsub_h2_conn *h2;
};

/* Takes the stream on success; NULL: no memory. `list` holds it until it is destroyed. */
struct rpc_connection *rpc_connection_new(struct pubsub_loop *loop,
                                          struct pubsub_bytestream *take_stream,
                                          const struct pubsub_h2_options *options,
                                          const struct rpc_service *service,
                                          struct pubsub_list *list);
void rpc_connection_destroy(struct rpc_connection *connection); /* at once, its calls with it */

void rpc_start(struct rpc *rpc); /* sends the response headers now, ahead of the first message */
/* One response message; takes the segments in any case. */
void rpc_send(struct rpc *rpc, const struct pubsub_segment *take_segments, size_t count);
/* One response message and status OK; takes the buffer. */
void rpc_reply(struct rpc *rpc, struct pubsub_buf *take_response);
void rpc_finish(struct rpc *rpc); /* status OK */
void rpc_fail(struct rpc *rpc, int grpc_code, const char *format, ...) PUBSUB_PRINTF(3, 4);
/* With details: an encoded google.rpc.Status. */
void rpc_fail_with(struct rpc *rpc, int grpc_code, const char *message, struct pubsub_view details);
/* Calls the method with the first message, later. */
void rpc_delay(struct rpc *rpc, uint64_t us);
void rpc_reset(struct rpc *rpc); /* RST_STREAM */
/* Cuts, or sends GOAWAY on, all connections but this call's. */
void rpc_disturb_others(struct rpc *rpc, bool goaway);
size_t rpc_queued_bytes(const struct rpc *rpc);

#endif
