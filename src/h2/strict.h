/* What RFC 9113 forbids and nghttp2 lets pass: frames on streams that the peer has reset, and requests on stream ids
 * that it has skipped. A server's connection ends on either. */
#ifndef PUBSUB_H2_STRICT_H
#define PUBSUB_H2_STRICT_H

#include <stdbool.h>
#include <stdint.h>

#define PUBSUB_H2_STRICT_MEMORY 16

struct pubsub_h2_strict {
  int32_t highest;                        /* stream id of a request */
  int32_t reset[PUBSUB_H2_STRICT_MEMORY]; /* the last streams that the peer has reset; 0: none */
  struct {
    int32_t first, last;
  } skipped[PUBSUB_H2_STRICT_MEMORY]; /* the last ids that were jumped over */
  uint32_t reset_count, skipped_count;
};

/* The head of a request's HEADERS. False: the id was skipped before (PROTOCOL_ERROR). */
bool pubsub_h2_strict_headers(struct pubsub_h2_strict *strict, int32_t stream_id);
/* The head of a DATA. False: the peer has reset the stream (STREAM_CLOSED). */
bool pubsub_h2_strict_data(const struct pubsub_h2_strict *strict, int32_t stream_id);
void pubsub_h2_strict_reset(struct pubsub_h2_strict *strict, int32_t stream_id);

#endif
