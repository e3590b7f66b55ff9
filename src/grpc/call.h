/*
 * A gRPC call under way: messages out, messages in, its end. Made by a channel (channel.h).
 *
 * Loop thread only. Inside any of its events the call may be cancelled. It is freed when on_closed
 * returns, or by pubsub_call_cancel.
 */
#ifndef PUBSUB_GRPC_CALL_H
#define PUBSUB_GRPC_CALL_H

#include "base/bytes.h"

struct pubsub_call;

struct pubsub_call_handler {
  /* Response headers came; may be late or never: wait for nothing on it. May be NULL. */
  void (*on_headers)(void *user);
  /* One response message, in pieces as they arrive. A status other than OK ends the call with
   * it. */
  enum pubsub_status (*on_message_begin)(void *user, size_t message_bytes);
  enum pubsub_status (*on_message_data)(void *user, const uint8_t *data, size_t len);
  enum pubsub_status (*on_message_end)(void *user);
  /* Last. status OK: the service ended the call cleanly. GRPC: its code and message. IO,
   * CONNECT, TLS, TIMEOUT …: ours. `details`: grpc-status-details-bin, base64-decoded, else
   * empty; borrowed. */
  void (*on_closed)(void *user, const struct pubsub_error *result, struct pubsub_view details);
};

struct pubsub_call_options {
  const char *method;         /* "/google.pubsub.v1.Subscriber/StreamingPull" */
  const char *routing_header; /* x-goog-request-params, "subscription=projects%2F…"; or NULL */
  /* Of every message sent, "gzip"; the caller's segments are so already. Static text; NULL:
   * none. */
  const char *encoding;
  uint64_t timeout_us; /* 0: none; sent as grpc-timeout */
  bool manual_window;  /* true: the caller gives window back with pubsub_call_consume */
  bool fail_fast;      /* do not wait for a connection after a failed dial */
};

/* Queues one message made of segments (the prefix is added here); takes them on OK. Allowed before
 * the connection stands. `end`: no more messages. */
enum pubsub_status pubsub_call_send(struct pubsub_call *call,
                                    const struct pubsub_segment *take_segments, size_t count,
                                    bool end);
/* Bytes of messages that are not on their way to the kernel yet. */
size_t pubsub_call_queued_bytes(const struct pubsub_call *call);
/* Bytes as given to on_message_data, and PUBSUB_FRAME_PREFIX_BYTES a message. */
void pubsub_call_consume(struct pubsub_call *call, size_t bytes);
void pubsub_call_set_window(struct pubsub_call *call, uint32_t bytes);
/* Resets the stream; on_closed is not called; the call is freed. */
void pubsub_call_cancel(struct pubsub_call *call);

#endif
