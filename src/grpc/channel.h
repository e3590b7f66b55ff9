/*
 * A channel: gRPC calls to one target on one loop. Dials when first needed (resolving the name each
 * time), spreads calls evenly over connections of at most 100 streams or what the peer allows,
 * redials with backoff, closes connections without calls, tests silent ones with PING, adds
 * authorization and user-agent, and translates trailers to errors. A connection that got GOAWAY
 * finishes its calls.
 *
 * Loop thread only. A call started while there is no connection waits for one until its deadline.
 * It fails with the dial's error where it is fail_fast, or where that error will not pass by itself
 * (TLS, a proxy's refusal); of a target that has worked before, such an error has 30 s to pass.
 */
#ifndef PUBSUB_GRPC_CHANNEL_H
#define PUBSUB_GRPC_CHANNEL_H

#include "grpc/call.h"
#include "net/loop.h"

struct pubsub_channel;
struct pubsub_proxy;
struct pubsub_tls_context;

struct pubsub_channel_options {
  const char *host; /* copied, like all strings here */
  uint16_t port;
  struct pubsub_tls_context *tls;   /* NULL: h2c; borrowed, outlives the channel */
  const char *user_agent;           /* NULL: "libpubsub" */
  const char *quota_project;        /* or NULL */
  const struct pubsub_proxy *proxy; /* copied; NULL: direct */
  /* Of a connection, until the peer's HTTP/2 settings have come; 0: 10000 */
  uint32_t connect_timeout_ms;
  uint32_t keepalive_ms; /* a silent connection is tested after so long; 0: 30000 */
  uint32_t idle_ms;      /* a connection without calls is closed after so long; 0: 240000 */
  /* At first; calls ask for more (pubsub_call_set_window). 0: 64 KiB */
  uint32_t stream_window_bytes;
};
enum pubsub_status pubsub_channel_new(struct pubsub_loop *loop,
                                      const struct pubsub_channel_options *options,
                                      struct pubsub_channel **out, struct pubsub_error *error);
/* Ends all calls (on_closed with CLOSED, from inside this function), connections and timers;
 * frees. */
void pubsub_channel_destroy(struct pubsub_channel *channel);
struct pubsub_loop *pubsub_channel_loop(const struct pubsub_channel *channel);
/* An emulator's: services speak TLS. Any thread. */
bool pubsub_channel_is_plaintext(const struct pubsub_channel *channel);
/* options.keepalive_ms, or its default. */
uint32_t pubsub_channel_keepalive_ms(const struct pubsub_channel *channel);
/* Calls that the service has answered UNAUTHENTICATED. Any thread. */
uint64_t pubsub_channel_unauthenticated_count(const struct pubsub_channel *channel);
/* The authorization header of calls started from now on, "Bearer …"; a plaintext channel never
 * sends it. Cannot fail; wiped when replaced. */
void pubsub_channel_set_authorization(struct pubsub_channel *channel,
                                      struct pubsub_buf *take_authorization);

/* Starts a call; it waits for a connection where it must. Errors: NOMEM. */
enum pubsub_status pubsub_call_start(struct pubsub_channel *channel,
                                     const struct pubsub_call_options *options,
                                     const struct pubsub_call_handler *handler, void *user,
                                     struct pubsub_call **out, struct pubsub_error *error);

#endif
