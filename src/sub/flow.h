/*
 * Flow is demand: how many slots of a subscriber receive, with which limits, and what happens when
 * memory is short all the same. demand.h decides; here streams are opened, ended and opened again
 * accordingly, whenever something changed and once a second.
 *
 *   memory used     < 7/8 of the budget   all is well: windows are given back as bytes come
 *                   ≥ 7/8                 paused: windows are kept; they bound what was under way
 *                   … for too long        streams end, what they still bring is given back:
 *                                         nothing waits on the wire without a lease
 *   after that      < 1/2                 they are opened again
 *
 * A slot that rests counts as open while others of the subscriber are: any stream may get any
 * message. Loop thread only.
 */
#ifndef PUBSUB_SUB_FLOW_H
#define PUBSUB_SUB_FLOW_H

#include "sub/stream.h"

struct pubsub_flow {
  struct pubsub_intake intake;
  struct pubsub_reservoir *reservoir;
  struct pubsub_subscriber_options options;
  struct pubsub_pull_options pull; /* of every stream */
  struct pubsub_demand_pace pace;
  struct pubsub_demand plan;
  bool any_open; /* some stream has been, and none has failed since */
  struct pubsub_timer tick, budget;
  uint64_t paused_us; /* since when, while intake.paused */

  /* Of the owner: an epoch that was to end brings nothing any more; what is sealed of it stays. */
  void (*on_ended)(void *user, struct pubsub_epoch *epoch);
  void *user;
};

/* `pull` says what the pulls of all slots have in common. */
void pubsub_flow_init(struct pubsub_flow *flow, struct pubsub_channel *channel,
                      struct pubsub_sealer *sealer, const struct pubsub_subscriber_options *options,
                      const struct pubsub_pull_options *pull);
/* No stream brings anything any more. */
void pubsub_flow_stop(struct pubsub_flow *flow);
/* Frees all streams; the settler names none of their chunks any more. */
void pubsub_flow_clear(struct pubsub_flow *flow);

/* An epoch joins. Errors: NOMEM. */
enum pubsub_status pubsub_flow_start(struct pubsub_flow *flow, struct pubsub_epoch *epoch);
/* An epoch is to end, once what is under way has come: that is given back, or (drain) taken.
 * on_ended, perhaps at once. */
void pubsub_flow_close(struct pubsub_flow *flow, struct pubsub_epoch *epoch, bool give_back);
/* Chunks were handed to the settler: the oldest row of those that are acknowledged had been held
 * for oldest_us (0: none are). */
void pubsub_flow_settling(struct pubsub_flow *flow, uint64_t oldest_us);
/* Something changed: a chunk is settled, a limit is another. Looks at all streams a millisecond
 * later. */
void pubsub_flow_review_soon(struct pubsub_flow *flow);

#endif
