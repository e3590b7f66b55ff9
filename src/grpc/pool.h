/*
 * The inside of a channel: shared by channel.c (its life, what calls ask of it) and pool.c (its connections, and which call goes to which).
 * Nothing outside src/grpc includes this. Loop thread only.
 */
#ifndef PUBSUB_GRPC_POOL_H
#define PUBSUB_GRPC_POOL_H

#include "grpc/backoff.h"
#include "grpc/call.h"
#include "net/proxy.h"
#include <stdatomic.h>

/*
 * A connection:  dialled ── its SETTINGS ──▶ ready (in channel.connections) ── GOAWAY ──▶ draining (its calls finish) ──▶ closed
 *                   │ (channel.opening)          └── without calls for a while: closed
 *                   └── none in time, or closed: as a failed dial
 */
struct pubsub_connection {
  struct pubsub_list link; /* in channel.connections once ready */
  struct pubsub_channel *channel;
  struct pubsub_h2_conn *h2;
  struct pubsub_timer
      timer; /* opening: for the peer's SETTINGS; ready and without calls: the end */
  bool ready;
  bool used; /* some call was opened on it */
};

struct pubsub_channel {
  struct pubsub_loop *loop;
  struct pubsub_channel_options options; /* strings owned */
  char *strings[3];                      /* host, user agent, quota project */
  struct pubsub_proxy proxy;             /* host "": none; has a secret */
  char authority[280];
  struct pubsub_buf authorization;
  struct pubsub_list connections, waiting, calls; /* calls: those on a stream */
  struct pubsub_dial *dial;                       /* NULL: not dialling */
  struct pubsub_connection *opening;              /* dialled, not ready; NULL: none */
  uint32_t ping_ms; /* of connections from now on; doubled where a server asks for calm */
  struct pubsub_error dial_error;
  struct pubsub_backoff backoff;
  struct pubsub_timer redial;
  struct pubsub_deferred dispatch;
  struct pubsub_rng rng;
  bool worked; /* some connection was ready */
  uint64_t trouble_since_us,
      trouble_last_us; /* failures that do not pass, since then without a ready connection; 0: none */
  atomic_uint_fast64_t unauthenticated;
};

/* Sets up what pool.c owns of a channel whose options stand. */
void pubsub_pool_init(struct pubsub_channel *channel);
/* Gives waiting calls to connections at the end of the loop's turn; dials where more are needed. */
void pubsub_pool_dispatch(struct pubsub_channel *channel);
/* Closes all connections without a word, and stops dialling. No call may be left. */
void pubsub_pool_clear(struct pubsub_channel *channel);
/* Ends every call of a list (waiting or calls). */
void pubsub_pool_finish(struct pubsub_list *calls, const struct pubsub_error *why);

#endif
