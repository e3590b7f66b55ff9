/*
 * One Publish request, from its first message to its ids: the encoded bytes, which messages are in it,
 * and where it stands. And the pool that keeps the large blocks of finished requests: a fresh megabyte costs
 * more in page faults than encoding into it does.
 *
 * A request has one owner at a time: a caller that fills it (under the publisher's `open` mutex), then the
 * loop. While the transport holds its bytes, also after a cancelled call, it is kept alive by a reference;
 * references belong to the loop's thread. The pool has its own mutex and outlives its publisher until
 * the last request has come back.
 */
#ifndef PUBSUB_PUB_REQUEST_H
#define PUBSUB_PUB_REQUEST_H

#include "grpc/channel.h"
#include "net/loop.h"
#include "pub/batcher.h"
#include "pub/ordering.h"
#include "pub/retry.h"
#include <pubsub/publisher.h>

struct pubsub_publisher;
struct pubsub_request_pool;

struct pubsub_request {
  struct pubsub_request_pool *pool;
  uint8_t *bytes; /* encoded PublishRequest: the topic, then messages */
  size_t len, cap;
  uint8_t *packed; /* the same, compressed; NULL: sent as they are */
  size_t packed_len;
  bool tried_to_pack;
  unsigned refs; /* 1: its owner's; one more per segment that the transport holds */

  struct pubsub_batcher batch;
  uint64_t first_number; /* of its first message, in the order of publishing */
  uint64_t *numbers;     /* of every message; NULL: first_number, + 1, + 2 … */

  struct pubsub_list open_link;       /* caller: in publisher.open.requests */
  struct pubsub_map_entry open_entry; /* caller: in publisher.open.keyed, where it has a key */
  uint64_t seq;                       /* in the order of sealing */
  struct pubsub_list link;            /* in shared.sealed, then detached */
  struct pubsub_list unfinished_link; /* in shared.unfinished, from sealing until its outcome */

  struct pubsub_publisher *publisher; /* loop: while under way */
  struct pubsub_ordering_item order;  /* key: owned copy */
  struct pubsub_list under_way_link;  /* loop: in loop.under_way */
  struct pubsub_retry retry;          /* loop */
  struct pubsub_timer backoff_timer;  /* loop: armed while it waits to be sent again */
  struct pubsub_call *call;           /* loop: while sent */
};

/* `head` starts every request: the encoded topic. Standard blocks have room for standard_bytes; at most
 * max_kept of them are kept for later. Errors: NOMEM. */
enum pubsub_status pubsub_request_pool_new(struct pubsub_view head, size_t standard_bytes,
                                           size_t max_kept, struct pubsub_request_pool **out);
/* The publisher is done: frees what is kept now, and the rest when the last request comes back. */
void pubsub_request_pool_close(struct pubsub_request_pool *pool);

/* A request with one reference, holding the head and with room for `bytes` in total; key is copied.
 * NULL: no memory. */
struct pubsub_request *pubsub_request_new(struct pubsub_request_pool *pool, size_t bytes,
                                          struct pubsub_view key);
/* Room for `more` bytes after len; may move bytes. Errors: NOMEM (unchanged). */
enum pubsub_status pubsub_request_reserve(struct pubsub_request *request, size_t more);
/* Its message number `index` (0-based). */
uint64_t pubsub_request_number(const struct pubsub_request *request, size_t index);
/* Notes the number of the message that is added next. Errors: NOMEM (unchanged). */
enum pubsub_status pubsub_request_note_number(struct pubsub_request *request, uint64_t number,
                                              uint32_t max_messages);
/* Compresses what is complete, once; where that saves nothing, the bytes stay as they are. Loop's thread. */
void pubsub_request_pack(struct pubsub_request *request);
/* All its bytes, compressed where pack did so, as a segment, which holds a reference. */
struct pubsub_segment pubsub_request_segment(struct pubsub_request *request);
void pubsub_request_unref(struct pubsub_request *request);

#endif
