/*
 * A publisher: batches messages into Publish requests under the service's limits, keeps several in
 * flight, retries with backoff, and knows when every message has its id.
 *
 * Threads: functions may be called from any thread; messages of one caller keep their order per
 * ordering key. publish and publish_block block only while more than max_in_flight_bytes wait.
 */
#ifndef PUBSUB_PUBLISHER_H
#define PUBSUB_PUBLISHER_H

#include <pubsub/client.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pubsub_publisher;

struct pubsub_bytes {
  const uint8_t *ptr;
  size_t len;
};

struct pubsub_attribute {
  struct pubsub_bytes key, value;
};

/* Borrowed for the call. Limits: data or at least one attribute; 10 MB; 100 attributes; key <= 256 B;
 * value <= 1024 B; ordering key <= 1024 B; strings UTF-8. */
struct pubsub_message {
  struct pubsub_bytes data;
  const struct pubsub_attribute *attributes;
  size_t attribute_count;
  struct pubsub_bytes ordering_key;
};

/* Called on a loop thread, without a lock, once per confirmed request: ids[i] belongs to the message
 * numbered first_message + i (0-based, in the order of publishing). ids are borrowed for the call; when requests
 * with different ordering keys interleave, numbers[i] gives the message number instead. */
typedef void pubsub_publish_ids_fn(void *user, const uint64_t *numbers,
                                   const struct pubsub_bytes *ids, size_t count);

/* Zero-initialise; 0 takes the default given here. */
struct pubsub_publisher_options {
  const char *topic;           /* full name; required */
  uint32_t max_batch_messages; /* 1..1000; 1000 */
  uint32_t
      max_batch_bytes; /* up to 10,000,000, framing counted; 1 MB (a larger message goes alone) */
  uint32_t linger_ms;  /* send an unfilled batch after so long; 10 */
  uint32_t max_requests_in_flight; /* 8 */
  uint64_t max_in_flight_bytes;    /* 64 MiB, batches being built included */
  uint32_t initial_backoff_ms;     /* 100; doubles, full jitter */
  uint32_t max_backoff_ms;         /* 60000 */
  uint32_t total_timeout_ms;       /* from a request's first send until given up; 600000 */
  bool gzip;                     /* compress requests above 240 bytes: less on the wire, more CPU */
  pubsub_publish_ids_fn *on_ids; /* NULL: ids are counted, not kept */
  void *on_ids_user;
};

PUBSUB_API enum pubsub_status pubsub_publisher_new(struct pubsub_client *client,
                                                   const struct pubsub_publisher_options *options,
                                                   struct pubsub_publisher **out,
                                                   struct pubsub_error *error);

/* Encodes (copies) the messages and returns when they are queued. On an error nothing of this call
 * after the named message was queued; text names the message's index and the limit. After a
 * permanent failure of an earlier request every call returns that error. Errors: LIMIT, NOMEM, CLOSED,
 * GRPC, TIMEOUT (blocked longer than total_timeout_ms). */
PUBSUB_API enum pubsub_status pubsub_publisher_publish(struct pubsub_publisher *publisher,
                                                       const struct pubsub_message *messages,
                                                       size_t count, struct pubsub_error *error);

/* The same for `rows` rows packed in memory, little-endian, unaligned:
 *   u32 row_bytes (of what follows in this row)
 *   u32 data_bytes (0xFFFFFFFF: null), data
 *   u32 ordering_key_bytes (0xFFFFFFFF: null), ordering key
 *   u32 attribute_count, then per attribute: u32 key_bytes, key, u32 value_bytes (0xFFFFFFFF: null, an error), value
 * Waits for room once, at its start: what is in flight may go over max_in_flight_bytes by one block.
 * A malformed block is INVALID and nothing of it is queued. first_row is added to row numbers in messages. */
PUBSUB_API enum pubsub_status pubsub_publisher_publish_block(struct pubsub_publisher *publisher,
                                                             const uint8_t *block,
                                                             size_t block_bytes, size_t rows,
                                                             uint64_t first_row,
                                                             struct pubsub_error *error);

/* Sends what is batched and blocks until every message published so far has its id or a permanent error
 * is known. Errors: as publish. */
PUBSUB_API enum pubsub_status pubsub_publisher_flush(struct pubsub_publisher *publisher,
                                                     uint32_t timeout_ms,
                                                     struct pubsub_error *error);

enum pubsub_publish_wait {
  PUBSUB_WAIT_ROOM, /* publish and publish_block would not block */
  PUBSUB_WAIT_IDS   /* every message published so far has its id; sends what is batched */
};
/* Waits for at most timeout_ms; *out_reached says whether it came to that, which is no error either way. For callers who must look
 * up now and then, whether they are still wanted. Errors: as publish, a permanent failure. */
PUBSUB_API enum pubsub_status pubsub_publisher_wait(struct pubsub_publisher *publisher,
                                                    enum pubsub_publish_wait what,
                                                    uint32_t timeout_ms, bool *out_reached,
                                                    struct pubsub_error *error);

struct pubsub_publisher_metrics {
  uint64_t published_rows; /* with an id */
  uint64_t published_bytes;
  uint64_t requests; /* sent, retries included */
  uint64_t retries;
  uint64_t in_flight_bytes;
  uint64_t throttled_us; /* callers' time blocked on max_in_flight_bytes */
};
PUBSUB_API void pubsub_publisher_metrics(struct pubsub_publisher *publisher,
                                         struct pubsub_publisher_metrics *out);

/* Cancels what is in flight (its outcome is unknown) and frees. NULL is allowed. */
PUBSUB_API void pubsub_publisher_destroy(struct pubsub_publisher *publisher);

#ifdef __cplusplus
}
#endif
#endif
