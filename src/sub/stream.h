/*
 * The receiving side of an epoch: its StreamingPull, and the inlet that rows go into. What a row
 * costs and how much may come is decided above (flow.h); here is what happens to the rows that
 * come:
 *
 *   taken ──▶ the builder ── rows, bytes or linger ──▶ a chunk, leased from its first row's arrival
 *   turned away ──▶ its ack id alone is kept, and given back (memory is short, the slot is closed)
 *
 * Loop thread only.
 */
#ifndef PUBSUB_SUB_STREAM_H
#define PUBSUB_SUB_STREAM_H

#include "sub/demand.h"
#include "sub/pull.h"
#include "sub/sealer.h"

struct pubsub_stream;

/* What all streams of a subscriber share. */
struct pubsub_intake {
  struct pubsub_channel *channel;
  struct pubsub_loop *loop; /* of the channel */
  struct pubsub_sealer *sealer;
  uint32_t columns, chunk_rows;
  uint64_t chunk_bytes, linger_us;
  uint64_t budget_bytes;
  bool paused; /* over budget: no small chunks now, and no windows are given back */
  struct pubsub_demand_sizes sizes;

  void (*on_bytes)(void *user, struct pubsub_stream *stream, size_t bytes);
  void (*on_state)(void *user, struct pubsub_stream *stream);
  bool (*on_limits)(void *user, struct pubsub_stream *stream, struct pubsub_pull_limits *out);
  void *user;
};

struct pubsub_stream {
  struct pubsub_inlet inlet; /* first: epoch.inlet is it */
  struct pubsub_intake *intake;
  struct pubsub_pull pull;
  struct pubsub_timer linger;
  bool receiving;    /* until it has ended for good */
  bool reserved;     /* a cut payload is on its way into the builder */
  bool turning_away; /* what comes is given back; so is the message that is on its way … */
  bool message_away; /* … alone: there was no room for it */
  struct pubsub_builder *away; /* ids of rows that are given back; NULL: none yet */
  size_t window_owed;          /* not given back: over budget */

  /* flow.c */
  bool closing, cooling;
  bool rows_bound, bytes_bound; /* it came to that limit */
  struct pubsub_pull_limits limits;
  uint64_t opened_us;
};

static inline struct pubsub_stream *pubsub_stream_of(struct pubsub_epoch *epoch) {
  return (struct pubsub_stream *)(void *)epoch->inlet;
}

/* epoch->inlet is its from now on. Errors: NOMEM. */
enum pubsub_status pubsub_stream_new(struct pubsub_intake *intake, struct pubsub_epoch *epoch,
                                     const struct pubsub_pull_options *options);
/* Of a stream whose pending chunks the settler does not name any more. */
void pubsub_stream_free(struct pubsub_stream *stream);
/* From now on rows are given back; the stream ends. */
void pubsub_stream_turn_away(struct pubsub_stream *stream);
/* The builder's rows become a chunk. Errors: NOMEM: they stay. */
enum pubsub_status pubsub_stream_seal(struct pubsub_stream *stream);
/* Nothing comes any more on this stream: what was turned away goes back. */
void pubsub_stream_rested(struct pubsub_stream *stream);
/* Gives back what windows are owed. */
void pubsub_stream_repay(struct pubsub_stream *stream);
/* Receives nothing any more, and makes chunks of what there is. */
void pubsub_stream_end(struct pubsub_stream *stream);

#endif
