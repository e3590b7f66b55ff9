#include "h2/strict.h"

#include <stdbool.h>
#include <string.h>

#define PREFACE_BYTES 24

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3 };

static enum pubsub_h2_strict_verdict check_data(const struct pubsub_h2_strict *strict,
                                                int32_t stream_id) {
  for (int i = 0; i < PUBSUB_H2_STRICT_MEMORY; i++) {
    if (stream_id != 0 && strict->closed[i] == stream_id) return PUBSUB_H2_STRICT_CLOSED;
  }
  return PUBSUB_H2_STRICT_FINE;
}

static enum pubsub_h2_strict_verdict check_headers(struct pubsub_h2_strict *strict,
                                                   int32_t stream_id) {
  if (stream_id > strict->highest) {
    int32_t expected = strict->highest == 0 ? 1 : strict->highest + 2;
    if (stream_id > expected) {
      uint32_t at = strict->skipped_count++ % PUBSUB_H2_STRICT_MEMORY;
      strict->skipped[at].first = expected;
      strict->skipped[at].last = stream_id - 2;
    }
    strict->highest = stream_id;
    return PUBSUB_H2_STRICT_FINE;
  }
  for (int i = 0; i < PUBSUB_H2_STRICT_MEMORY; i++) {
    if (stream_id >= strict->skipped[i].first && stream_id <= strict->skipped[i].last) {
      return PUBSUB_H2_STRICT_SKIPPED;
    }
  }
  return check_data(strict, stream_id); /* trailers, or late */
}

void pubsub_h2_strict_closed(struct pubsub_h2_strict *strict, int32_t stream_id) {
  strict->closed[strict->closed_count++ % PUBSUB_H2_STRICT_MEMORY] = stream_id;
}

void pubsub_h2_strict_init(struct pubsub_h2_strict *strict) {
  memset(strict, 0, sizeof *strict);
  strict->skip = PREFACE_BYTES;
}

static enum pubsub_h2_strict_verdict check_head(struct pubsub_h2_strict *strict) {
  const uint8_t *head = strict->head;
  strict->skip = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
  int32_t id = (int32_t)((uint32_t)(head[5] & 0x7f) << 24 | (uint32_t)head[6] << 16 |
                         (uint32_t)head[7] << 8 | head[8]);
  if (head[3] == HEADERS) return check_headers(strict, id);
  if (head[3] == RST_STREAM) pubsub_h2_strict_closed(strict, id);
  return head[3] == DATA ? check_data(strict, id) : PUBSUB_H2_STRICT_FINE;
}

enum pubsub_h2_strict_verdict pubsub_h2_strict_feed(struct pubsub_h2_strict *strict,
                                                    const uint8_t *data, size_t len) {
  while (len > 0 && strict->verdict == PUBSUB_H2_STRICT_FINE) {
    bool in_head = strict->skip == 0;
    size_t want = in_head ? PUBSUB_H2_FRAME_HEAD_BYTES - strict->head_bytes : strict->skip;
    size_t take = want < len ? want : len;
    if (in_head) {
      memcpy(strict->head + strict->head_bytes, data, take);
      strict->head_bytes += (uint32_t)take;
    } else {
      strict->skip -= (uint32_t)take;
    }
    data += take;
    len -= take;
    if (strict->head_bytes < PUBSUB_H2_FRAME_HEAD_BYTES) continue;
    strict->head_bytes = 0;
    strict->verdict = check_head(strict);
  }
  return strict->verdict;
}
