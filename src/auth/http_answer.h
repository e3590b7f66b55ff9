/*
 * Reads one HTTP/1.1 response (RFC 9112) as its bytes arrive, in any pieces: status and body, by
 * Content-Length, chunked, or until the end of the connection. Pure. What is larger than a token's
 * answer can be is refused.
 *
 *   HEAD ── empty line ─▶ BODY (so many bytes, or until the end) ───────────────▶ DONE
 *                    └──▶ CHUNK_SIZE ─▶ CHUNK ─▶ CHUNK_END ─▶ CHUNK_SIZE … ─▶ TRAILER ─▶ DONE
 */
#ifndef PUBSUB_AUTH_HTTP_ANSWER_H
#define PUBSUB_AUTH_HTTP_ANSWER_H

#include "base/bytes.h"

#define PUBSUB_HTTP_MAX_LINE_BYTES 8192u
#define PUBSUB_HTTP_MAX_HEAD_BYTES 65536u
#define PUBSUB_HTTP_MAX_BODY_BYTES 262144u

struct pubsub_http_answer {
  enum pubsub_http_stage {
    PUBSUB_HTTP_HEAD,
    PUBSUB_HTTP_BODY,
    PUBSUB_HTTP_CHUNK_SIZE,
    PUBSUB_HTTP_CHUNK,
    PUBSUB_HTTP_CHUNK_END,
    PUBSUB_HTTP_TRAILER,
    PUBSUB_HTTP_DONE,
  } stage;
  int status;       /* 100..599 once the first line was read, else 0 */
  bool ends_at_102; /* set by the caller: "102 Processing" is an answer as others are */
  bool chunked, has_length;
  uint64_t left;          /* of the body or chunk */
  size_t head_bytes;      /* of lines so far */
  struct pubsub_buf line; /* the line that is being read */
  struct pubsub_buf body; /* a secret: a token may be in it */
};

/* Zeroed is before the first byte. Wipes. */
void pubsub_http_answer_clear(struct pubsub_http_answer *answer);
/* Errors: PROTOCOL (this is no HTTP/1 response, or too large), NOMEM. Bytes behind DONE are
 * ignored. */
enum pubsub_status pubsub_http_answer_feed(struct pubsub_http_answer *answer,
                                           struct pubsub_view bytes, struct pubsub_error *error);
/* The connection has ended. Errors: PROTOCOL (in the middle). */
enum pubsub_status pubsub_http_answer_end(struct pubsub_http_answer *answer,
                                          struct pubsub_error *error);

#endif
