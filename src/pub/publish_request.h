/*
 * One Publish request, from its first message to its ids: the encoded bytes, which messages are in
 * it, and where it stands.
 *
 * A request has one owner at a time: the desk, while callers fill it (under the publisher's mutex),
 * then the sender, on the loop's thread. While the transport holds its bytes, also after a
 * cancelled call, it is kept alive by a reference; references belong to the loop's thread.
 */
#ifndef PUBSUB_PUB_PUBLISH_REQUEST_H
#define PUBSUB_PUB_PUBLISH_REQUEST_H

#include "net/loop.h"
#include "pub/batcher.h"
#include "pub/ordering.h"
#include "pub/request_pool.h"
#include "pub/retry.h"

struct pubsub_unary;
struct pubsub_sender;

struct pubsub_publish_request {
  struct pubsub_request_pool *pool; /* of `bytes` */
  uint8_t *bytes;                   /* encoded PublishRequest: the topic, then messages */
  size_t len, cap;
  uint8_t *packed; /* the same, compressed; NULL: sent as they are */
  size_t packed_len;
  bool tried_to_pack;
  unsigned refs; /* 1: its owner's; one more per segment that the transport holds */

  struct pubsub_batcher batch;
  uint64_t first_number; /* of its first message, in the order of publishing */
  uint64_t *numbers;     /* of every message; NULL: first_number, + 1, + 2 … */

  struct pubsub_list link;           /* in a list of sealed requests, else detached */
  struct pubsub_ordering_item order; /* its key: an owned copy; the rest is the sender's */

  struct { /* the desk's, under the publisher's mutex */
    struct pubsub_list link;
    struct pubsub_map_entry entry; /* where it has a key */
  } open;

  struct {                        /* the sender's, on the loop's thread */
    struct pubsub_sender *sender; /* while under way */
    struct pubsub_list link;      /* among those under way */
    struct pubsub_retry retry;
    struct pubsub_timer backoff_timer; /* armed while it waits to be sent again */
    struct pubsub_unary *call;         /* while sent */
  } loop;
};

/* A request with one reference, that begins with `head` (the encoded topic) and has room for `more`
 * bytes behind it; head and key are copied. NULL: no memory. */
struct pubsub_publish_request *pubsub_publish_request_new(struct pubsub_request_pool *pool,
                                                          struct pubsub_view head, size_t more,
                                                          struct pubsub_view key);
/* Room for `more` bytes after len; may move bytes. Errors: NOMEM (unchanged). */
enum pubsub_status pubsub_publish_request_reserve(struct pubsub_publish_request *request,
                                                  size_t more);
/* The number of its message `index` (0-based). */
uint64_t pubsub_publish_request_number(const struct pubsub_publish_request *request, size_t index);
/* Notes the number of the message that is added next. Errors: NOMEM (unchanged). */
enum pubsub_status pubsub_publish_request_note_number(struct pubsub_publish_request *request,
                                                      uint64_t number, uint32_t max_messages);
/* Compresses what is complete, once; where that saves nothing, the bytes stay as they are. Loop's
 * thread. */
void pubsub_publish_request_pack(struct pubsub_publish_request *request);
/* All its bytes, compressed where pack did so, as a segment, which holds a reference. */
struct pubsub_segment pubsub_publish_request_segment(struct pubsub_publish_request *request);
/* The last reference frees. */
void pubsub_publish_request_unref(struct pubsub_publish_request *request);

#endif
