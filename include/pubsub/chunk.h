/*
 * A chunk: a sealed, immutable Arrow record batch of received messages. The unit of offsets, reads
 * and settling. Shared by reference count; its memory stays valid until the last reference is gone,
 * also after it was settled and after its subscriber was destroyed.
 *
 * Threads: everything here may be called from any thread and does not block.
 */
#ifndef PUBSUB_CHUNK_H
#define PUBSUB_CHUNK_H

#include <pubsub/arrow.h>
#include <pubsub/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pubsub_chunk;

/* Columns, as bits of a set, in schema order. Every column but ordering_key (empty -> null) and
 * delivery_attempt (0 -> null) is free of nulls. */
enum pubsub_column {
  PUBSUB_COLUMN_MESSAGE_ID = 1 << 0,       /* utf8 */
  PUBSUB_COLUMN_DATA = 1 << 1,             /* binary */
  PUBSUB_COLUMN_ATTRIBUTES = 1 << 2,       /* map<utf8, utf8> */
  PUBSUB_COLUMN_PUBLISH_TIME = 1 << 3,     /* timestamp[us, UTC] */
  PUBSUB_COLUMN_ORDERING_KEY = 1 << 4,     /* utf8, nullable */
  PUBSUB_COLUMN_DELIVERY_ATTEMPT = 1 << 5, /* int32, nullable */
  PUBSUB_COLUMN_ALL = (1 << 6) - 1,
};

/* Arrow buffers of a chunk by fixed index; a column that was not asked for has {0, 0}. Offsets are
 * int32, rows + 1 of them (attribute keys and values: entries + 1). Validity bitmaps are present
 * (64-bit padded) only where null_count > 0. */
enum pubsub_buffer {
  PUBSUB_BUFFER_MESSAGE_ID_OFFSETS = 0,
  PUBSUB_BUFFER_MESSAGE_ID_BYTES,
  PUBSUB_BUFFER_DATA_OFFSETS,
  PUBSUB_BUFFER_DATA_BYTES,
  PUBSUB_BUFFER_ATTRIBUTES_OFFSETS, /* of the map: indexes into the entries */
  PUBSUB_BUFFER_KEY_OFFSETS,
  PUBSUB_BUFFER_KEY_BYTES,
  PUBSUB_BUFFER_VALUE_OFFSETS,
  PUBSUB_BUFFER_VALUE_BYTES,
  PUBSUB_BUFFER_PUBLISH_TIME, /* int64 microseconds since the epoch */
  PUBSUB_BUFFER_ORDERING_KEY_VALIDITY,
  PUBSUB_BUFFER_ORDERING_KEY_OFFSETS,
  PUBSUB_BUFFER_ORDERING_KEY_BYTES,
  PUBSUB_BUFFER_DELIVERY_ATTEMPT_VALIDITY,
  PUBSUB_BUFFER_DELIVERY_ATTEMPT, /* int32 */
  PUBSUB_BUFFER_COUNT,
};

/* One Arrow buffer. */
struct pubsub_chunk_buffer {
  /* of its first byte; 0: the chunk has not this one */
  uint64_t address;
  /* that are used */
  uint64_t bytes;
};

/* Where a chunk's columns lie in memory: for readers that want addresses rather than Arrow
 * structs. */
struct pubsub_chunk_view {
  /* set of enum pubsub_column */
  uint32_t columns;
  /* > 0 */
  int32_t rows;
  /* over all rows */
  int32_t attribute_entries;
  /* 0..rows */
  int32_t ordering_key_null_count;
  /* 0..rows */
  int32_t delivery_attempt_null_count;
  /* used bytes of all column buffers */
  uint64_t bytes;
  /* when the service got the oldest row, µs since 1970, also without that column; 0: unpacked */
  int64_t oldest_publish_us;
  /* by enum pubsub_buffer */
  struct pubsub_chunk_buffer buffers[PUBSUB_BUFFER_COUNT];
};

/* Fills *out; addresses are valid while the caller holds a reference. */
PUBSUB_API void pubsub_chunk_view(const struct pubsub_chunk *chunk, struct pubsub_chunk_view *out);

/* One more reference, the caller's to unref; returns chunk. */
PUBSUB_API struct pubsub_chunk *pubsub_chunk_ref(struct pubsub_chunk *chunk);
/* NULL is allowed. The last unref frees (or recycles) the columns. */
PUBSUB_API void pubsub_chunk_unref(struct pubsub_chunk *chunk);

/* Exports as a struct array ("+s", one child per column of the set) through the Arrow C Data
 * Interface. Each export holds its own reference until its release callback is called, once.
 * On failure nothing is held. Errors: NOMEM. */
PUBSUB_API enum pubsub_status pubsub_chunk_export(struct pubsub_chunk *chunk,
                                                  struct ArrowSchema *out_schema,
                                                  struct ArrowArray *out_array,
                                                  struct pubsub_error *error);

/*
 * A self-contained byte form of a chunk's columns (not of its ack ids), for moving it to another
 * process of the same build. pack writes exactly pubsub_chunk_packed_bytes() into out. unpack
 * checks every length and offset, copies, and yields a chunk with one reference, in *out, the
 * caller's; the packed bytes are borrowed for the call. Errors: PROTOCOL, NOMEM.
 */
PUBSUB_API size_t pubsub_chunk_packed_bytes(const struct pubsub_chunk *chunk);
PUBSUB_API void pubsub_chunk_pack(const struct pubsub_chunk *chunk, uint8_t *out);
PUBSUB_API enum pubsub_status pubsub_chunk_unpack(const uint8_t *packed, size_t packed_bytes,
                                                  struct pubsub_chunk **out,
                                                  struct pubsub_error *error);

#ifdef __cplusplus
}
#endif
#endif
