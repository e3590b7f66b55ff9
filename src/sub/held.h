/*
 * A held chunk: what the reservoir keeps of a chunk from sealing until its outcome is confirmed. Made by the loop, ordered
 * settled from any thread.
 *
 *   HELD ── settle ordered ──▶ ORDERED ── its ids are sent ──▶ … confirmed, or given up ──▶ DONE
 */
#ifndef PUBSUB_SUB_HELD_H
#define PUBSUB_SUB_HELD_H

#include "base/heap.h"
#include "base/list.h"
#include "batch/builder.h"
#include "sub/ack_request.h"
#include "sub/lease.h"

struct pubsub_epoch;

enum pubsub_held_state { PUBSUB_HELD, PUBSUB_HELD_ORDERED, PUBSUB_HELD_DONE };

struct pubsub_held {
  /* under the subscriber's mutex */
  enum pubsub_held_state state;
  struct pubsub_chunk *chunk; /* NULL once ordered settled: nobody may read it again */
  bool nack;                  /* the ordered outcome */
  uint64_t ordered_us;
  uint32_t rows;
  uint64_t bytes;
  int64_t receive_wall_us;

  /* loop thread only */
  struct pubsub_epoch *epoch;
  struct pubsub_heap_node lease_node; /* in settler.leases while leased; due = next look */
  struct pubsub_lease lease;
  struct pubsub_ack_ids ack_ids;
  struct pubsub_list queue_link; /* in settler.queues[kind] while ids are left to send */
  uint32_t next_id;              /* first id not yet in a request */
  uint32_t unconfirmed;          /* ids in requests without an outcome */
  bool queued, extending;        /* an extension is queued or under way */
  uint32_t extend_next;          /* first id not yet in an extension */
  uint32_t extend_unconfirmed;   /* ids in extensions without an outcome */
  bool expired;                  /* the lease was given up */
  uint32_t failed_rows;          /* refused by the service */
};

#endif
