/*
 * A channel: gRPC calls to one target on one loop. Dials when first needed (resolving the name each time), spreads calls evenly over
 * connections of at most 100 streams or what the peer allows, redials with backoff, closes connections without calls, tests silent ones
 * with PING, adds authorization and user-agent, and translates trailers to errors. A connection that got GOAWAY finishes its calls.
 *
 * Loop thread only. A call started while there is no connection waits for one until its deadline. It fails with the dial's error
 * where it is fail_fast, or where that error will not pass by itself (TLS, a proxy's refusal); of a target that has worked before, such
 * an error has 30 s to pass.
 */
#ifndef PUBSUB_GRPC_CHANNEL_H
#define PUBSUB_GRPC_CHANNEL_H

#include "base/bytes.h"
#include "net/bytestream.h"

struct pubsub_channel;
struct pubsub_call;
struct pubsub_proxy;

struct pubsub_channel_options {
  const char *host; /* copied, like all strings here */
  uint16_t port;
  struct pubsub_tls_context *tls; /* NULL: h2c; borrowed, outlives the channel */
  const char *user_agent;
  const char *quota_project;        /* or NULL */
  const struct pubsub_proxy *proxy; /* copied; NULL: direct */
  uint32_t
      connect_timeout_ms; /* of a connection, until the peer's HTTP/2 settings have come; 0: 10000 */
  uint32_t keepalive_ms;  /* a silent connection is tested after so long; 0: 30000 */
  uint32_t idle_ms;       /* a connection without calls is closed after so long; 0: 240000 */
  uint32_t
      stream_window_bytes; /* at first; calls ask for more (pubsub_call_set_window). 0: 64 KiB */
};
enum pubsub_status pubsub_channel_new(struct pubsub_loop *loop,
                                      const struct pubsub_channel_options *options,
                                      struct pubsub_channel **out, struct pubsub_error *error);
/* Ends all calls (on_closed with CLOSED, from inside this function), connections and timers; frees. */
void pubsub_channel_destroy(struct pubsub_channel *channel);
struct pubsub_loop *pubsub_channel_loop(const struct pubsub_channel *channel);
/* options.keepalive_ms, as it stands. */
uint32_t pubsub_channel_keepalive_ms(const struct pubsub_channel *channel);
/* Calls that the service has answered UNAUTHENTICATED. Any thread. */
uint64_t pubsub_channel_unauthenticated_count(const struct pubsub_channel *channel);
/* The authorization header of calls started from now on, "Bearer …"; a plaintext channel never sends it. Cannot fail; wiped when
 * replaced. */
void pubsub_channel_set_authorization(struct pubsub_channel *channel,
                                      struct pubsub_buf *take_authorization);

/* Events of a call, on the loop's thread. Inside any of them the call may be cancelled. */
struct pubsub_call_handler {
  void (*on_headers)(
      void *
          user); /* response headers came; may be late or never: wait for nothing on it. May be NULL */
  /* One response message, in pieces as they arrive. A status other than OK ends the call with it. */
  enum pubsub_status (*on_message_begin)(void *user, size_t message_bytes);
  enum pubsub_status (*on_message_data)(void *user, const uint8_t *data, size_t len);
  enum pubsub_status (*on_message_end)(void *user);
  /* Last. status OK: the service ended the call cleanly. GRPC: its code and message. IO, CONNECT, TLS, TIMEOUT …:
   * ours. The call is freed when this returns. `details`: grpc-status-details-bin, base64-decoded, else empty; borrowed. */
  void (*on_closed)(void *user, const struct pubsub_error *result, struct pubsub_view details);
};
struct pubsub_call_options {
  const char *method;         /* "/google.pubsub.v1.Subscriber/StreamingPull" */
  const char *routing_header; /* x-goog-request-params, "subscription=projects%2F…"; or NULL */
  const char *
      encoding; /* of every message sent, "gzip"; the caller's segments are so already; NULL: none. Static text */
  uint64_t timeout_us; /* 0: none; sent as grpc-timeout */
  bool manual_window;  /* true: the caller gives window back with pubsub_call_consume */
  bool fail_fast;      /* do not wait for a connection after a failed dial */
};
enum pubsub_status pubsub_call_start(struct pubsub_channel *channel,
                                     const struct pubsub_call_options *options,
                                     const struct pubsub_call_handler *handler, void *user,
                                     struct pubsub_call **out, struct pubsub_error *error);
/* Queues one message made of segments (the prefix is added here); takes them on OK. Allowed before the
 * connection stands. `end`: no more messages. */
enum pubsub_status pubsub_call_send(struct pubsub_call *call,
                                    const struct pubsub_segment *take_segments, size_t count,
                                    bool end);
size_t pubsub_call_queued_bytes(const struct pubsub_call *call);
void pubsub_call_consume(struct pubsub_call *call,
                         size_t bytes); /* bytes as given to on_message_data + 5 a message */
void pubsub_call_set_window(struct pubsub_call *call, uint32_t bytes);
/* Resets the stream; on_closed is not called; the call is freed. */
void pubsub_call_cancel(struct pubsub_call *call);

/* A unary call: collects the answer. on_done once, later; response borrowed for the call (NULL view on error). */
typedef void pubsub_unary_done_fn(void *user, const struct pubsub_error *result,
                                  struct pubsub_view response, struct pubsub_view details);
enum pubsub_status pubsub_unary_start(struct pubsub_channel *channel,
                                      const struct pubsub_call_options *options,
                                      const struct pubsub_segment *take_segments, size_t count,
                                      pubsub_unary_done_fn *on_done, void *user,
                                      struct pubsub_call **out, struct pubsub_error *error);

#endif
