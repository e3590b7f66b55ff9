/*
 * A call as its method sees it, whatever front brought it: gRPC (grpc.h) today; JSON over HTTP
 * would be another, with answer_ops and struct call of its own. Knows nothing of Pub/Sub. Loop
 * thread only.
 *
 *   front: call_receive ─▶ method.on_request … on_half_close
 *                                └─▶ call_reply / call_fail / call_finish ─▶ on_closed
 *
 * A unary method answers once, now or later; a streaming one sends as many messages as it likes,
 * then finishes. What is said after the answer is not heard.
 */
#ifndef EMULATOR_RPC_CALL_H
#define EMULATOR_RPC_CALL_H

#include "base/bytes.h"
#include <protobuf-c/protobuf-c.h>

struct broker;
struct call;

struct method {
  const char *path; /* "/package.Service/Method" */
  const ProtobufCMessageDescriptor *request, *response;
  /* One request message, of the descriptor's type; freed after it, unless taken
   * (call_take_request). */
  void (*on_request)(struct call *call, void *request);
  /* Instead of on_request, where every nanosecond counts: the message as bytes, borrowed;
   * take_request may be emptied to keep its memory. */
  void (*on_bytes)(struct call *call, struct pubsub_buf *take_request);
  /* The client has said all. NULL: a unary method. */
  void (*on_half_close)(struct call *call);
  /* What is queued fell below the low-water mark. May be NULL. */
  void (*on_drained)(struct call *call);
  /* Last; call->state is to be freed here. May be NULL. */
  void (*on_closed)(struct call *call);
};

/* What a test may ask a front to do to its connections. */
enum disturbance {
  DISTURB_RESET,         /* the call, without an answer */
  DISTURB_GOAWAY,        /* its connection takes no more calls */
  DISTURB_CUT,           /* its connection */
  DISTURB_OTHERS_GOAWAY, /* all connections but its own */
  DISTURB_OTHERS_CUT,
};

/* How a front answers. */
struct answer_ops {
  void (*reply)(struct call *call, const ProtobufCMessage *response);
  void (*reply_bytes)(struct call *call, struct pubsub_buf *take_response); /* encoded */
  void (*fail)(struct call *call, int grpc_code, const char *message, struct pubsub_view details);
  void (*start)(struct call *call);
  void (*send)(struct call *call, const struct pubsub_segment *take_segments, size_t count);
  void (*finish)(struct call *call);
  size_t (*queued_bytes)(const struct call *call);
  void (*delay)(struct call *call, uint64_t us);
  void (*disturb)(struct call *call, enum disturbance how);
};

/* Embedded in the front's own. */
struct call {
  const struct method *method;
  const struct answer_ops *ops;
  struct broker *broker; /* what the methods act on; rpc/ never looks into it */
  void *state;           /* the method's own */
  void *request;         /* during on_request: freed after it */
  uint64_t timeout_us;   /* how long the client waits for an answer; UINT64_MAX: for ever */
};

/* ---- for fronts ---- */

/* Hands over one request message: as bytes, or unpacked and checked. A bad one fails the call
 * with INVALID_ARGUMENT. */
void call_receive(struct call *call, struct pubsub_buf *take_request);

/* ---- for methods ---- */

/* Keeps the request: the caller of this frees it. */
void *call_take_request(struct call *call);
/* One response message and OK. */
void call_reply(struct call *call, const ProtobufCMessage *response);
void call_reply_bytes(struct call *call, struct pubsub_buf *take_response);
/* google.protobuf.Empty, or any other without a field set. */
void call_reply_empty(struct call *call);
void call_fail(struct call *call, int grpc_code, const char *format, ...) PUBSUB_PRINTF(3, 4);
/* With details: an encoded google.rpc.Status. */
void call_fail_with(struct call *call, int grpc_code, const char *message,
                    struct pubsub_view details);
/* A streaming call's: the client is told that it is open; one response message (takes the
 * segments in any case); OK. */
void call_start(struct call *call);
void call_send(struct call *call, const struct pubsub_segment *take_segments, size_t count);
void call_finish(struct call *call);
/* What was sent, and the client has not taken. */
size_t call_queued_bytes(const struct call *call);
/* The first message reaches the method later. */
void call_delay(struct call *call, uint64_t us);
void call_disturb(struct call *call, enum disturbance how);

#endif
