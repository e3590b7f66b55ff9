/*
 * The reservoir: the epochs of a subscriber with their held chunks. subscriber.c serves callers from it, receiver.c fills it on
 * the loop. Nothing outside src/sub includes this.
 *
 * Every field says who may touch it: `shared` ones under the subscriber's mutex, `loop` ones on the loop's thread.
 */
#ifndef PUBSUB_SUB_RESERVOIR_H
#define PUBSUB_SUB_RESERVOIR_H

#include "base/list.h"
#include "batch/builder.h"
#include "sub/held_index.h"
#include "sub/pull.h"
#include "sub/settler.h"
#include <pthread.h>
#include <pubsub/subscriber.h>

struct pubsub_epoch {
  struct pubsub_subscriber *subscriber;
  uint32_t slot;
  uint64_t epoch;

  struct {                   /* under the subscriber's mutex */
    struct pubsub_list link; /* in shared.epochs */
    enum pubsub_slot_state state;
    bool close_asked, give_back, reported_closed;
    struct pubsub_held **chunks; /* ring: seq `first_seq` … `sealed` - 1 */
    size_t chunk_cap;            /* power of two */
    uint64_t first_seq;          /* = settled: all below are done */
    uint64_t sealed;
    uint64_t next_order; /* chunks below are ordered */
    uint64_t loop_next;  /* chunks below were handed to the settler */
    uint64_t pending;    /* sealed, without a seq yet: in loop.pending */
    uint64_t sealed_rows, sealed_bytes, backlog_rows, backlog_bytes;
    struct pubsub_error error;
  } shared;

  struct { /* loop thread */
    bool started, receiving;
    uint32_t delay_ms;
    struct pubsub_pull pull;
    struct pubsub_builder *builder;
    struct pubsub_timer linger;
    uint64_t first_receive_us; /* of the builder's first row */
    int64_t first_receive_wall_us;
    bool reserved; /* a cut payload is on its way into the builder */
    struct pubsub_held
        *building; /* will hold the builder's rows; made early where they are indexed */
    struct pubsub_list pending; /* of struct pubsub_held.pending_link, in the order of sealing */
    struct pubsub_subscription_properties told; /* by the response that is being read */
    size_t window_owed;                         /* not given back: over budget */
  } loop;
};

struct pubsub_subscriber {
  struct pubsub_channel *channel;
  struct pubsub_loop *owner; /* of the channel */
  struct pubsub_pool *pool;
  char *subscription; /* owned */
  struct pubsub_subscriber_options options;

  struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t generation;
    struct pubsub_list epochs;
    struct {
      uint32_t slot;
      uint64_t epoch;
    } * seen; /* the newest epoch ever opened, per slot */
    size_t seen_count, seen_cap;
    bool closing, task_posted, loop_gone;
    struct pubsub_subscriber_metrics metrics;
  } shared;

  struct pubsub_task work; /* posted by callers: new epochs, closes, orders */
  struct {
    struct pubsub_settler settler;
    struct pubsub_timer budget; /* polls while over budget */
    bool paused;
    uint64_t linger_us;
    /* What responses tell of the subscription. Before the first has told, chunks are kept back. */
    enum pubsub_delivery {
      PUBSUB_DELIVERY_UNKNOWN,
      PUBSUB_AT_LEAST_ONCE,
      PUBSUB_EXACTLY_ONCE
    } delivery;
    bool ordering;
    struct pubsub_held_index index; /* of held rows, while delivery is not at-least-once */
    /* counted without the mutex, added to shared.metrics at every seal */
    uint64_t redelivered_rows, received_bytes;
  } loop;
};

/* receiver.c, on the loop's thread */
enum pubsub_status pubsub_receiver_init(struct pubsub_subscriber *subscriber);
void pubsub_receiver_work(struct pubsub_task *task); /* looks at what callers asked for */
void pubsub_receiver_clear(struct pubsub_subscriber *subscriber);

/* sealer.c, on the loop's thread */
enum pubsub_status pubsub_epoch_seal(struct pubsub_epoch *epoch);
/* A message that is held already: its row has the newer ack id from now on. False: it makes a new row. */
bool pubsub_epoch_renew(struct pubsub_epoch *epoch, const struct pubsub_received *message);
/* The builder's last row is this message. */
void pubsub_epoch_index_row(struct pubsub_epoch *epoch, struct pubsub_view message_id);
void pubsub_held_unindex(struct pubsub_held *held); /* all its rows */
void pubsub_held_unindex_row(struct pubsub_held *held, uint32_t row);
/* A whole response was read: what it tells of the subscription holds. */
void pubsub_epoch_told(struct pubsub_epoch *epoch);
/* The stream is over: chunks that wait for what it would tell do so no longer; `all`: nor do those that wait for receipts. */
void pubsub_epoch_publish_pending(struct pubsub_epoch *epoch, bool all);
void pubsub_epoch_on_receipt(void *user, struct pubsub_held *held); /* of the settler */
void pubsub_epoch_free_pending(struct pubsub_epoch *epoch);
/* Under the mutex: forgets finished chunks at the front; an asked close is over when nothing is left. */
void pubsub_epoch_advance(struct pubsub_epoch *epoch);

/* under the mutex */
static inline struct pubsub_held *pubsub_epoch_held(const struct pubsub_epoch *epoch,
                                                    uint64_t seq) {
  return epoch->shared.chunks[seq & (epoch->shared.chunk_cap - 1)];
}
/* Orders chunks below end_seq settled; their columns go. */
void pubsub_epoch_order(struct pubsub_epoch *epoch, uint64_t end_seq, bool nack, uint64_t now_us);
void pubsub_subscriber_changed(
    struct pubsub_subscriber *subscriber);          /* under the mutex: wakes waiters */
void pubsub_epoch_free(struct pubsub_epoch *epoch); /* the loop part must have been cleared */

#endif
