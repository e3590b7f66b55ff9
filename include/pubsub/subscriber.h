/*
 * A subscriber: the slots of one reader of one subscription, and their reservoir.
 *
 * A slot is one long-lived StreamingPull. Each opening of a slot is an epoch. Messages that arrive
 * are sealed into chunks, numbered seq = 0, 1, 2 … within (slot, epoch), and stay in the reservoir,
 * leased, with their rows and ack ids, until they are settled (acknowledged or given back). Reading
 * a chunk changes nothing: it can be read any number of times until it is settled.
 *
 *   open_slot ─▶ WAITING ─▶ OPEN ── close_slot ─▶ DRAINING ── all settled ─▶ CLOSED
 *                   ▲         │
 *                   └─────────┘ the stream ended; a permanent error: FAILED
 *
 * Threads: every function may be called from any thread; none blocks for the network unless its
 * comment says so. The library starts no callback into the caller.
 */
#ifndef PUBSUB_SUBSCRIBER_H
#define PUBSUB_SUBSCRIBER_H

#include <pubsub/chunk.h>
#include <pubsub/client.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pubsub_subscriber;

/* Zero-initialise; 0 takes the default given here. Strings are copied. */
struct pubsub_subscriber_options {
  /* full name, "projects/P/subscriptions/S"; required */
  const char *subscription;
  /* set of enum pubsub_column; 0: none but the row count */
  uint32_t columns;
  /* a chunk is sealed at so many rows; 10000 */
  uint32_t chunk_rows;
  /* … or so many column bytes; 8 MiB */
  uint64_t chunk_bytes;
  /* … or so long after its first row; 5, up to 20 with many slots */
  uint32_t linger_ms;
  /* budget of all slots together; 256 MiB */
  uint64_t max_reservoir_bytes;
  /* stream_ack_deadline_seconds, 10..600; 60 */
  uint32_t ack_deadline_s;
  /* a message is given up after so long; 3600 */
  uint32_t max_ack_extension_s;
  /* upper bounds of what the service may lend on the stream of a slot; none. It is asked for less
   * where memory, or what is settled in time, is not enough for as much */
  uint64_t max_outstanding_messages;
  /* … in bytes, as the service counts them */
  uint64_t max_outstanding_bytes;
  /* what is settled at a time, all slots together, where the caller has such limits; 0: all there
   * is. No more is asked for than the next few times take. See pubsub_subscriber_set_trigger */
  uint64_t trigger_rows;
  /* … in column bytes */
  uint64_t trigger_bytes;
};

/*
 * Makes a subscriber without slots. On success *out is the caller's, for pubsub_subscriber_destroy,
 * before its client is destroyed. Does not block. Errors: INVALID (an option), NOMEM.
 */
PUBSUB_API enum pubsub_status pubsub_subscriber_new(struct pubsub_client *client,
                                                    const struct pubsub_subscriber_options *options,
                                                    struct pubsub_subscriber **out,
                                                    struct pubsub_error *error);

/*
 * Opens (slot, epoch) after delay_ms. Opening an epoch that is already open succeeds and changes
 * nothing (idempotent). Does not wait for the stream: its state shows in the report. Errors: NOMEM,
 * CLOSED, INVALID (an epoch of this slot that was closed before is opened again).
 */
PUBSUB_API enum pubsub_status pubsub_subscriber_open_slot(struct pubsub_subscriber *subscriber,
                                                          uint32_t slot, uint64_t epoch,
                                                          uint32_t delay_ms,
                                                          struct pubsub_error *error);

/* How to end an epoch's stream. */
enum pubsub_close_mode {
  /* stop receiving; sealed chunks stay until settled */
  PUBSUB_CLOSE_DRAIN,
  /* stop receiving; give back everything that is not yet asked to be acknowledged */
  PUBSUB_CLOSE_GIVE_BACK,
};
/* Ends an epoch's stream, in the background. Idempotent; an unknown epoch is ignored. */
PUBSUB_API void pubsub_subscriber_close_slot(struct pubsub_subscriber *subscriber, uint32_t slot,
                                             uint64_t epoch, enum pubsub_close_mode mode);

/* Another trigger_rows and trigger_bytes than the options said: slots have come or gone. Streams
 * follow within seconds. */
PUBSUB_API void pubsub_subscriber_set_trigger(struct pubsub_subscriber *subscriber, uint64_t rows,
                                              uint64_t bytes);

/* Where an epoch is; the diagram is at the head of this file. */
enum pubsub_slot_state {
  PUBSUB_SLOT_WAITING,  /* delay not over, backing off between two streams, or not answered yet */
  PUBSUB_SLOT_OPEN,     /* the service has answered on its StreamingPull, or is one that does not
                           answer before it has messages; also while the slot rests because
                           others hold all that is asked for */
  PUBSUB_SLOT_DRAINING, /* closed for receiving, chunks left */
  PUBSUB_SLOT_CLOSED,   /* nothing left; reported once more, then forgotten */
  PUBSUB_SLOT_FAILED,   /* a permanent error; see pubsub_subscriber_slot_error */
};

/* How one epoch stands. */
struct pubsub_slot_report {
  /* as it was opened, with epoch */
  uint32_t slot;
  /* a FAILED one has its reason in pubsub_subscriber_slot_error */
  enum pubsub_slot_state state;
  /* which opening of the slot this is */
  uint64_t epoch;
  /* in chunks: sealed = n means that chunks 0 … n-1 exist(ed). Of a subscription with exactly-once
   * delivery a chunk counts once its receipt is confirmed; others need none, as the stream's own
   * deadline grants the first lease. */
  uint64_t sealed;
  /* in chunks: every chunk below it has its outcome: acknowledged or given back, confirmed by the
   * service, or its rows count as failed or expired */
  uint64_t settled;
  /* over all chunks ever sealed in this epoch */
  uint64_t sealed_rows;
  /* of their columns */
  uint64_t sealed_bytes;
  /* in the reservoir, unsettled, the unsealed rows included */
  uint64_t backlog_rows;
  /* of their columns */
  uint64_t backlog_bytes;
  /* wall clock µs of the oldest unsettled row's arrival; 0: none */
  int64_t oldest_receive_us;
};

/* Writes up to `capacity` reports, one an epoch; *out_count = number of epochs known, which may
 * exceed capacity. */
PUBSUB_API void pubsub_subscriber_report(struct pubsub_subscriber *subscriber,
                                         struct pubsub_slot_report *out, size_t capacity,
                                         size_t *out_count);

/* Why the slot does not receive: the permanent error of a FAILED one, the last error of a WAITING
 * one; else, and before any, status OK. */
PUBSUB_API void pubsub_subscriber_slot_error(struct pubsub_subscriber *subscriber, uint32_t slot,
                                             uint64_t epoch, struct pubsub_error *out);

/* How large a chunk is. */
struct pubsub_chunk_size {
  /* > 0 */
  uint32_t rows;
  /* of its columns */
  uint64_t bytes;
  /* when the service got the oldest of its rows, µs since 1970 */
  int64_t oldest_publish_us;
};
/* Sizes of the chunks from_seq, from_seq + 1, … that are sealed: up to capacity; returns how
 * many. */
PUBSUB_API size_t pubsub_subscriber_chunk_sizes(struct pubsub_subscriber *subscriber, uint32_t slot,
                                                uint64_t epoch, uint64_t from_seq,
                                                struct pubsub_chunk_size *out, size_t capacity);

/* A new reference on chunk seq, the caller's to unref. Errors: GONE (settled, given back, not
 * sealed or another epoch). */
PUBSUB_API enum pubsub_status pubsub_subscriber_chunk(struct pubsub_subscriber *subscriber,
                                                      uint32_t slot, uint64_t epoch, uint64_t seq,
                                                      struct pubsub_chunk **out,
                                                      struct pubsub_error *error);

/* Where a chunk stands; it settles one chunk with pubsub_subscriber_settle_chunk. */
struct pubsub_chunk_place {
  /* that received it */
  uint32_t slot;
  /* … in this epoch */
  uint64_t epoch;
  /* its number within the epoch */
  uint64_t seq;
  /* how many messages it has; not needed to settle it */
  uint32_t rows;
};
/*
 * The next chunk of any open slot, each given once, those that came first first: for programs that
 * take what comes and keep no seqs of their own. *out is a new reference, the caller's to unref;
 * *out_place says where it stands. Threads may share the work by calling it at once. Opened slots
 * and epochs count from now on; a chunk that was asked settled meanwhile is passed over. Blocks
 * until there is one, at most timeout_ms. Errors: TIMEOUT (nothing came), the permanent error of a
 * FAILED slot once nothing is left to give, CLOSED.
 */
PUBSUB_API enum pubsub_status pubsub_subscriber_next(struct pubsub_subscriber *subscriber,
                                                     uint32_t timeout_ms, struct pubsub_chunk **out,
                                                     struct pubsub_chunk_place *out_place,
                                                     struct pubsub_error *error);

/* What becomes of a chunk's messages. */
enum pubsub_outcome {
  PUBSUB_ACK, /* acknowledge: the service never delivers it again */
  PUBSUB_NACK /* give back: the service delivers it again, at once */
};
/*
 * Asks for every unsettled chunk with seq < end_seq to be settled, in the background, retried until
 * the service confirms or the lease is lost. Idempotent; what was asked before keeps its outcome; a
 * smaller end_seq than before and an unknown epoch are ignored.
 */
PUBSUB_API void pubsub_subscriber_settle(struct pubsub_subscriber *subscriber, uint32_t slot,
                                         uint64_t epoch, uint64_t end_seq,
                                         enum pubsub_outcome outcome);

/* The same for one chunk, in any order; those before it are not touched. Idempotent; a place that
 * is not held (any more) is ignored. */
PUBSUB_API void pubsub_subscriber_settle_chunk(struct pubsub_subscriber *subscriber,
                                               const struct pubsub_chunk_place *place,
                                               enum pubsub_outcome outcome);

/*
 * Blocks until something changed since *generation (a chunk sealed, a settle confirmed, a state),
 * or timeout_ms passed, or the subscriber closes; updates *generation. Start with 0.
 */
PUBSUB_API void pubsub_subscriber_wait(struct pubsub_subscriber *subscriber, uint64_t *generation,
                                       uint32_t timeout_ms);

/* Counted since the subscriber was made, but for those that say "now". */
struct pubsub_subscriber_metrics {
  /* decoded, redeliveries included */
  uint64_t received_rows;
  /* encoded bytes of StreamingPull responses */
  uint64_t received_bytes;
  /* now: received and unsettled */
  uint64_t backlog_rows;
  /* now: native memory held by chunks and builders, settled ones still referenced included */
  uint64_t reservoir_bytes;
  /* the most that was held at once */
  uint64_t reservoir_peak_bytes;
  /* confirmed by the service */
  uint64_t acknowledged_rows;
  /* given back, confirmed by the service */
  uint64_t given_back_rows;
  /* came again: after their lease had ended here, or with delivery_attempt > 1; exactly-once: or
   * while held already (no second row, the newer ack id is used) */
  uint64_t redelivered_rows;
  /* their leases were given up (max_ack_extension_s), or have ended as no extension arrived in
   * time; never counted as acknowledged */
  uint64_t expired_rows;
  /* settled, and refused by the service for good: delivered again */
  uint64_t failed_rows;
  /* ids sent again, each time, after a transient failure (exactly-once) */
  uint64_t retried_rows;
  /* never shown to readers: their receipt failed (exactly-once) */
  uint64_t failed_receipt_rows;
  /* sent, retries included */
  uint64_t ack_requests;
  /* … to extend leases and to give back */
  uint64_t extend_requests;
  /* ack and extend requests that failed and were retried */
  uint64_t failed_requests;
  /* first opens and reopens */
  uint64_t stream_opens;
  /* … of which reopens */
  uint64_t stream_reopens;
  /* from the call of settle to the confirmation, over ack_latency_count chunks */
  uint64_t ack_latency_us_sum;
  /* chunks that ack_latency_us_sum is of */
  uint64_t ack_latency_count;
};
/* Fills *out with one consistent picture. */
PUBSUB_API void pubsub_subscriber_metrics(struct pubsub_subscriber *subscriber,
                                          struct pubsub_subscriber_metrics *out);

/*
 * Stops receiving, finishes what is asked to be acknowledged, gives back the rest. Blocks up to
 * timeout_ms; TIMEOUT says that some outcomes are unconfirmed (the service redelivers after the
 * deadline).
 */
PUBSUB_API enum pubsub_status pubsub_subscriber_close(struct pubsub_subscriber *subscriber,
                                                      uint32_t timeout_ms,
                                                      struct pubsub_error *error);
/* Frees; closes without waiting where close was not called. Chunks still referenced live on. NULL
 * is allowed. */
PUBSUB_API void pubsub_subscriber_destroy(struct pubsub_subscriber *subscriber);

#ifdef __cplusplus
}
#endif
#endif
