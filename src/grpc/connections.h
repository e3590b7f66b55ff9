/*
 * The connections to one target, and which call goes to which. Dials when a call waits and none has
 * room, spreads calls evenly, redials with backoff, closes connections without calls. Shared by
 * connections.c and channel.c; nothing outside src/grpc includes this. Loop thread only.
 *
 * A connection:
 *   dialled ── its SETTINGS ──▶ ready (in `ready`) ── GOAWAY ──▶ draining (calls finish) ──▶ closed
 *      │ (`opening`)               └── without calls for a while: closed
 *      └── none in time, or closed: as a failed dial
 */
#ifndef PUBSUB_GRPC_CONNECTIONS_H
#define PUBSUB_GRPC_CONNECTIONS_H

#include "grpc/backoff.h"
#include "grpc/call_inside.h"
#include "grpc/grace.h"
#include "net/dial.h"
#include "net/proxy.h"

/* Where they lead. Strings are the owner's. */
struct pubsub_target {
  const char *host;
  uint16_t port;
  struct pubsub_tls_context *tls;   /* NULL: h2c */
  const struct pubsub_proxy *proxy; /* NULL: direct */
  uint32_t connect_timeout_ms, keepalive_ms, idle_ms;
  uint32_t stream_window_bytes;
};

struct pubsub_connection;

struct pubsub_connections {
  struct pubsub_loop *loop;
  struct pubsub_target target;
  struct pubsub_call_context *context; /* of all its calls; dial_error is set here */
  struct pubsub_list ready;            /* of struct pubsub_connection */
  struct pubsub_list waiting, calls;   /* of struct pubsub_call; calls: those on a stream */
  struct pubsub_dial *dial;            /* NULL: not dialling */
  struct pubsub_connection *opening;   /* dialled, not ready; NULL: none */
  uint32_t ping_ms; /* of connections from now on; doubled where a server asks for calm */
  struct pubsub_backoff backoff;
  struct pubsub_timer redial;
  struct pubsub_deferred dispatch;
  struct pubsub_rng rng;
  bool worked;               /* some connection was ready */
  struct pubsub_grace grace; /* for failures that do not pass by themselves */
};

/* The context outlives them. */
void pubsub_connections_init(struct pubsub_connections *connections, struct pubsub_loop *loop,
                             const struct pubsub_target *target,
                             struct pubsub_call_context *context);
/* Ends all calls with `why` (from inside this function), closes everything without a word. */
void pubsub_connections_clear(struct pubsub_connections *connections,
                              const struct pubsub_error *why);
/* Finds a connection for a new call at the end of the loop's turn, or later. */
void pubsub_connections_add(struct pubsub_connections *connections, struct pubsub_call *call);
/* A call was answered: no reason to back off. */
void pubsub_connections_answered(struct pubsub_connections *connections);

#endif
