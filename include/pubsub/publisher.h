/*
 * A publisher: batches messages into Publish requests under the service's limits, keeps several in
 * flight, retries with backoff, and knows when every message has its id.
 *
 *   struct pubsub_publisher_options options = {.topic = "projects/p/topics/t"};
 *   pubsub_publisher_new(client, &options, &publisher, &error);
 *   pubsub_publisher_publish(publisher, messages, count, &error);
 *   pubsub_publisher_flush(publisher, 60000, &error);     every message has its id now
 *   pubsub_publisher_destroy(publisher);
 *
 * Delivery: at least once. A request whose answer was lost is sent again, so its messages may come
 * twice. Messages with one ordering key are sent in the order of publishing, one request at a time;
 * after a permanent failure nothing that follows is sent.
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

/*
 * One message to publish. Everything it points to is borrowed for the call and copied by it.
 * Limits, the service's own: data or at least one attribute; 10 MB in all; 100 attributes, a key of
 * up to 256 bytes, a value of up to 1024; an ordering key of up to 1024 bytes; strings are UTF-8.
 */
struct pubsub_message {
  /* any bytes; may be empty where there is an attribute */
  struct pubsub_view data;
  /* attribute_count of them, each key once; NULL: none */
  const struct pubsub_attribute *attributes;
  /* 0..100 */
  size_t attribute_count;
  /* empty: no order is asked for */
  struct pubsub_view ordering_key;
};

/*
 * Tells the ids of one confirmed request: ids[i] belongs to the message numbered numbers[i],
 * counted from 0 in the order of publishing on this publisher. Requests with different keys
 * interleave. Called on a loop thread, without a lock, once per confirmed request. Both arrays have
 * `count` entries and are borrowed for the call. It must return soon and must not destroy the
 * publisher.
 */
typedef void pubsub_publish_ids_fn(void *user, const uint64_t *numbers,
                                   const struct pubsub_view *ids, size_t count);

/* Zero-initialise, then set what differs; 0 takes the default given here. Strings are copied. */
struct pubsub_publisher_options {
  /* full name, "projects/P/topics/T"; required */
  const char *topic;
  /* of one request, 1..1000; 1000 */
  uint32_t max_batch_messages;
  /* of one request, framing counted, up to 10,000,000; 1 MB. A larger message goes alone. */
  uint32_t max_batch_bytes;
  /* an unfilled batch is sent after so long; 10 */
  uint32_t linger_ms;
  /* without an ordering key; each key has one of its own; 8 */
  uint32_t max_requests_in_flight;
  /* published and without an id, batches being built included; 64 MiB */
  uint64_t max_in_flight_bytes;
  /* before a request is sent again; 100. Doubles each time; each pause is between that and 1.25 of
   * it. */
  uint32_t initial_backoff_ms;
  /* the longest such pause; 60000 */
  uint32_t max_backoff_ms;
  /* from a request's first send until it is given up; 600000 */
  uint32_t total_timeout_ms;
  /* compress requests above 240 bytes: less on the wire, more CPU */
  bool gzip;
  /* NULL: ids are counted, not kept */
  pubsub_publish_ids_fn *on_ids;
  /* the first argument of on_ids; borrowed until the publisher is destroyed */
  void *on_ids_user;
};

/*
 * Makes a publisher for one topic. Whether the topic exists shows at the first request.
 * On success *out is the caller's, for pubsub_publisher_destroy, before its client is destroyed.
 * Does not block. Errors: INVALID (no topic; a batch over the service's limits), NOMEM.
 */
PUBSUB_API enum pubsub_status pubsub_publisher_new(struct pubsub_client *client,
                                                   const struct pubsub_publisher_options *options,
                                                   struct pubsub_publisher **out,
                                                   struct pubsub_error *error);

/*
 * Encodes (copies) `count` messages and returns when they are queued, not when they are published.
 * On an error the messages before the named one were queued, that one and those after it were not;
 * text names the message's index and the limit. After a permanent failure of an earlier request
 * every call returns that error. Blocks while max_in_flight_bytes are waiting, at most
 * total_timeout_ms. Errors: LIMIT, NOMEM, GRPC, TIMEOUT (no room for so long).
 */
PUBSUB_API enum pubsub_status pubsub_publisher_publish(struct pubsub_publisher *publisher,
                                                       const struct pubsub_message *messages,
                                                       size_t count, struct pubsub_error *error);

/*
 * The same for `rows` rows packed in memory, little-endian, unaligned:
 *
 *   u32 row_bytes                                of what follows in this row
 *   u32 data_bytes, data                         0xFFFFFFFF: null
 *   u32 ordering_key_bytes, ordering key         0xFFFFFFFF: null
 *   u32 attribute_count, then for each of them:
 *       u32 key_bytes, key
 *       u32 value_bytes, value                   0xFFFFFFFF: null, an error
 *
 * A block is taken whole or not at all: a malformed one is INVALID, a row over a limit LIMIT, and
 * nothing of it is queued. Errors name first_row + the row's index. Only NOMEM may leave its first
 * rows queued. Waits for room once, at its start: what is in flight may go over max_in_flight_bytes
 * by one block. Errors: as publish, and INVALID.
 */
PUBSUB_API enum pubsub_status pubsub_publisher_publish_block(struct pubsub_publisher *publisher,
                                                             const uint8_t *block,
                                                             size_t block_bytes, size_t rows,
                                                             uint64_t first_row,
                                                             struct pubsub_error *error);

/*
 * Sends what is batched and blocks, at most timeout_ms, until every message published so far has
 * its id or a permanent error is known. Errors: as publish; TIMEOUT: some have no answer yet.
 */
PUBSUB_API enum pubsub_status pubsub_publisher_flush(struct pubsub_publisher *publisher,
                                                     uint32_t timeout_ms,
                                                     struct pubsub_error *error);

/* What pubsub_publisher_wait waits for. */
enum pubsub_publish_wait {
  /* publish and publish_block would not block */
  PUBSUB_WAIT_ROOM,
  /* every message published so far has its id; sends what is batched */
  PUBSUB_WAIT_IDS
};
/*
 * Waits for at most timeout_ms; *out_reached says whether it came to that, which is no error either
 * way. For callers who must look up now and then, whether they are still wanted.
 * Errors: as publish, a permanent failure.
 */
PUBSUB_API enum pubsub_status pubsub_publisher_wait(struct pubsub_publisher *publisher,
                                                    enum pubsub_publish_wait what,
                                                    uint32_t timeout_ms, bool *out_reached,
                                                    struct pubsub_error *error);

/* Counted since the publisher was made, but for in_flight_bytes. */
struct pubsub_publisher_metrics {
  /* messages with an id */
  uint64_t published_rows;
  /* … and their encoded bytes */
  uint64_t published_bytes;
  /* sent, retries included */
  uint64_t requests;
  /* requests that were sent again, each time */
  uint64_t retries;
  /* published and without an id now */
  uint64_t in_flight_bytes;
  /* callers' time blocked on max_in_flight_bytes */
  uint64_t throttled_us;
};
/* Fills *out with one consistent picture. Does not block. */
PUBSUB_API void pubsub_publisher_metrics(struct pubsub_publisher *publisher,
                                         struct pubsub_publisher_metrics *out);

/*
 * Cancels what is in flight (its outcome is unknown), drops what was not sent, and frees. flush
 * comes before it where messages count. Blocks until the loop's thread has let go; not to be called
 * from on_ids. NULL is allowed.
 */
PUBSUB_API void pubsub_publisher_destroy(struct pubsub_publisher *publisher);

#ifdef __cplusplus
}
#endif
#endif
