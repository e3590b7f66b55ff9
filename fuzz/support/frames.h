/*
 * HTTP/2 as bytes, from the peer's side: whole frames for targets that know what they say, and
 * frames of an input's choice, with a length that is right unless the input wants another, so that
 * what is mutated is not the framing alone.
 */
#ifndef FUZZ_SUPPORT_FRAMES_H
#define FUZZ_SUPPORT_FRAMES_H

#include "support/fuzz.h"

enum {
  FRAME_DATA = 0,
  FRAME_HEADERS = 1,
  FRAME_RST_STREAM = 3,
  FRAME_SETTINGS = 4,
  FRAME_PING = 6,
  FRAME_GOAWAY = 7,
  FRAME_WINDOW_UPDATE = 8,
  FRAME_CONTINUATION = 9
};
enum { FLAG_END_STREAM = 1, FLAG_ACK = 1, FLAG_END_HEADERS = 4 };

struct frame_header {
  const char *name, *value;
};

void frame_put(struct pubsub_buf *out, uint8_t type, uint8_t flags, uint32_t stream,
               struct pubsub_view payload);
/* A header as a literal without indexing, never Huffman-coded. */
void frame_put_header(struct pubsub_buf *block, const char *name, struct pubsub_view value);
/* The client's preface, its SETTINGS, and windows as large as they can be. */
void frames_put_preface(struct pubsub_buf *out);
/* The five bytes before a gRPC message, and the message, as one DATA frame or several. */
void frames_put_message(struct pubsub_buf *out, uint32_t stream, struct pubsub_view message,
                        bool end);

/*
 * One frame of the input's choice. The first byte says how it is made: of that type, with a raw
 * payload; headers by their index in `table` (ends with NULL) or by name and value; a gRPC message;
 * or raw bytes.
 */
void frames_put_any(struct pubsub_buf *out, struct fuzz_input *input,
                    const struct frame_header *table, size_t table_count);

#endif
