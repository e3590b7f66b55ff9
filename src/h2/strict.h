/* What RFC 9113 forbids and nghttp2, which keeps no closed streams here, lets pass: frames on
 * streams that the peer has ended or reset, and requests on stream ids that it has skipped. A
 * server's connection ends on either. Looks at the heads of frames alone, ahead of nghttp2, which
 * tells nobody of frames that it ignores. */
#ifndef PUBSUB_H2_STRICT_H
#define PUBSUB_H2_STRICT_H

#include <stddef.h>
#include <stdint.h>

#define PUBSUB_H2_STRICT_MEMORY 16

#define PUBSUB_H2_FRAME_HEAD_BYTES 9

enum pubsub_h2_strict_verdict {
  PUBSUB_H2_STRICT_FINE,
  PUBSUB_H2_STRICT_SKIPPED, /* the id was jumped over: PROTOCOL_ERROR */
  PUBSUB_H2_STRICT_CLOSED   /* the peer has ended or reset the stream: STREAM_CLOSED */
};

struct pubsub_h2_strict {
  enum pubsub_h2_strict_verdict verdict;    /* what is not fine stays so */
  uint8_t head[PUBSUB_H2_FRAME_HEAD_BYTES]; /* of a frame: as much as has come */
  uint32_t head_bytes;
  uint32_t skip;   /* bytes of the frame (or the preface) that are still to come */
  int32_t highest; /* stream id of a request */
  /* the last ids that are closed on the peer's side; 0: none */
  int32_t closed[PUBSUB_H2_STRICT_MEMORY];
  struct {
    int32_t first, last;
  } skipped[PUBSUB_H2_STRICT_MEMORY]; /* the last ids that were jumped over */
  uint32_t closed_count, skipped_count;
};

void pubsub_h2_strict_init(struct pubsub_h2_strict *strict);
/* Bytes that a client has sent, in any pieces. */
enum pubsub_h2_strict_verdict pubsub_h2_strict_feed(struct pubsub_h2_strict *strict,
                                                    const uint8_t *data, size_t len);
/* The peer had ended the stream, and now it is closed. */
void pubsub_h2_strict_closed(struct pubsub_h2_strict *strict, int32_t stream_id);

#endif
