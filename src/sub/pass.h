/*
 * A pass over the ack ids of one chunk: all of them are sent once; those with a transient failure
 * make the next turn. Pure.
 *
 *   begin ──▶ ids are taken, in requests ──▶ all have an outcome ──┬── none again ──▶ over
 *               ▲                                                  │ some again
 *               └──────────── next turn, after a wait ◀────────────┘
 */
#ifndef PUBSUB_SUB_PASS_H
#define PUBSUB_SUB_PASS_H

#include "base/heap.h"
#include "base/list.h"
#include <pubsub/error.h>

#include <stdbool.h>
#include <stdint.h>

struct pubsub_pass {
  void *owner;                   /* whose ids, and … */
  int kind;                      /* … in which requests: the settler's to know */
  struct pubsub_list link;       /* in a queue of the settler while ids are left to take */
  struct pubsub_heap_node retry; /* in settler.retries while it waits for its next turn */
  bool active;
  uint32_t *rows;              /* of this turn; NULL: every row, in order. Owned */
  uint32_t count;              /* ids of this turn */
  uint32_t next;               /* the first that is not yet in a request */
  uint32_t unconfirmed;        /* in requests without an outcome */
  uint32_t *again;             /* rows of the next turn. Owned */
  uint32_t again_count, turns; /* turns that are over */
  uint64_t began_us;           /* of the first turn */
  uint32_t limit; /* ids in a request, alone there: parts of one that failed; 0: none */
  bool split;     /* the next turn is to come at once, with the limit it has now */
};

void pubsub_pass_init(struct pubsub_pass *pass);
void pubsub_pass_begin(struct pubsub_pass *pass, uint32_t count, uint64_t now_us);
/* The row of the i-th id of this turn. */
static inline uint32_t pubsub_pass_row(const struct pubsub_pass *pass, uint32_t i) {
  return pass->rows ? pass->rows[i] : i;
}
/* Every id of this turn has its outcome. */
static inline bool pubsub_pass_turn_over(const struct pubsub_pass *pass) {
  return pass->next == pass->count && pass->unconfirmed == 0;
}
/* The row joins the next turn. Errors: NOMEM: it does not. */
enum pubsub_status pubsub_pass_again(struct pubsub_pass *pass, uint32_t row);
/* The row came in a request of so many ids, one of which is no good: it joins the next turn, with
 * fewer. Errors: NOMEM. */
enum pubsub_status pubsub_pass_split(struct pubsub_pass *pass, uint32_t row, uint32_t ids);
/* How far a request may take ids from `next`. */
static inline uint32_t pubsub_pass_end_of_part(const struct pubsub_pass *pass) {
  bool all = pass->limit == 0 || pass->count - pass->next <= pass->limit;
  return all ? pass->count : pass->next + pass->limit;
}
/* After a turn with rows to be sent again. */
void pubsub_pass_next_turn(struct pubsub_pass *pass);
/* The ids that are not yet in a request are not wanted any more, nor another turn. */
void pubsub_pass_cut(struct pubsub_pass *pass);
void pubsub_pass_end(struct pubsub_pass *pass); /* frees; may begin again */

#endif
