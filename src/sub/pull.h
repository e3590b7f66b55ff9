/*
 * One StreamingPull, kept open: opens, decodes, pings, reopens with backoff, stops on errors that
 * do not pass.
 *
 *   waiting ── delay over ──▶ opening ── first answer ──▶ open
 *      ▲                         ▲  │                      │
 *      │                         └──┼── ended cleanly ◀────┤
 *      └── backoff ◀── error that passes ◀─────────────────┤
 *                                   └── error that stays ◀─┴──▶ failed (has worked: after 30 s)
 *
 * Open means that the service serves the stream. It says so with its first message or, on an empty
 * subscription, by answering an empty request, which it is sent a quarter of a second after the
 * first. A server that leaves that one without an answer for 5 s is taken for one that never
 * answers any: its stream counts as open then.
 *
 * An open stream is watched: an empty request every 30 s wants an answer within 15 s. A server that
 * never answers any is left alone, but a stream of it that gave nothing for ten minutes is opened
 * again.
 *
 * A stream that is not wanted any more, or with other limits, is finished, not cancelled: what the
 * service has sent would come only after its deadline otherwise.
 *
 *   opening, open ── finish: our side ends ──▶ finishing
 *   finishing ── the service ends it, or is quiet for a while ──▶ resting
 *   resting ── start ──▶ opening, where on_limits allows it
 *
 * Knows nothing of chunks: received messages go to the sink. Loop thread only.
 */
#ifndef PUBSUB_SUB_PULL_H
#define PUBSUB_SUB_PULL_H

#include "grpc/backoff.h"
#include "grpc/channel.h"
#include "grpc/grace.h"
#include "net/loop.h"
#include "proto/pull_decoder.h"

enum pubsub_pull_state {
  PUBSUB_PULL_WAITING,
  PUBSUB_PULL_OPENING,
  PUBSUB_PULL_OPEN,
  PUBSUB_PULL_FINISHING,
  PUBSUB_PULL_RESTING,
  PUBSUB_PULL_FAILED,
  PUBSUB_PULL_STOPPED
};

struct pubsub_pull_options {
  struct pubsub_view subscription; /* outlives the pull */
  const char *routing_header;      /* likewise */
  uint32_t deadline_s;
  uint32_t window_bytes;
};
struct pubsub_pull_limits { /* what the service may lend on one stream; told when it is opened */
  uint64_t messages, bytes;
};
struct pubsub_pull_handler {
  const struct pubsub_pull_sink *sink; /* called with `user` */
  /* A piece of a response was decoded: `bytes` of window may be given back (pubsub_pull_consume),
   * now or later. */
  void (*on_bytes)(void *user, size_t bytes);
  /* A whole response was decoded; not for the empty ones that answer pings. */
  void (*on_response)(void *user);
  void (*on_state)(void *user, enum pubsub_pull_state state);
  /* A stream is about to be opened: with which limits? False: not now; the pull rests. */
  bool (*on_limits)(void *user, struct pubsub_pull_limits *out);
};

struct pubsub_pull {
  struct pubsub_channel *channel;
  struct pubsub_pull_options options;
  const struct pubsub_pull_handler *handler;
  void *user;
  enum pubsub_pull_state state;
  struct pubsub_error error; /* of the last stream that failed; status OK once one works */
  struct pubsub_call *call;  /* NULL: none open */
  struct pubsub_pull_decoder *decoder;
  struct pubsub_backoff backoff;
  struct pubsub_rng rng;
  struct pubsub_timer timer; /* open again; or, while open, the next ping or its timeout */
  char client_id[37];        /* the same over all reopens */
  bool answered;             /* this stream has given a response */
  bool ever_open;            /* some stream has */
  bool at_message_start;     /* of a response */
  bool ping_pending;
  bool deaf; /* a server that answers no pings: it is sent none */
  /* unanswered pings that cost a server its stream before it counts as deaf */
  uint32_t ping_credit;
  bool decode_failed;
  bool empty_response;          /* the one that is being read */
  uint64_t opened_us, heard_us; /* this stream: since when, and the last response */
  uint64_t finish_us;           /* a finishing one is cancelled then */
  struct pubsub_grace grace;    /* for an error that stays, of what has worked */
  uint32_t unauthenticated;     /* in a row */
  uint64_t opens;
};

enum pubsub_status pubsub_pull_init(struct pubsub_pull *pull, struct pubsub_channel *channel,
                                    const struct pubsub_pull_options *options,
                                    const struct pubsub_pull_handler *handler, void *user);
void pubsub_pull_start(struct pubsub_pull *pull, uint32_t delay_ms);
/* Something may still come. */
static inline bool pubsub_pull_has_stream(const struct pubsub_pull *pull) {
  return pull->call != NULL;
}
/* Ends the stream once what is under way has come; then it rests, until pubsub_pull_start. */
void pubsub_pull_finish(struct pubsub_pull *pull);
void pubsub_pull_consume(struct pubsub_pull *pull, size_t bytes);
void pubsub_pull_stop(struct pubsub_pull *pull);  /* cancels; no callbacks afterwards */
void pubsub_pull_clear(struct pubsub_pull *pull); /* frees; stops before */

#endif
