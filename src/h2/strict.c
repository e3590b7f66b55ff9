#include "h2/strict.h"

bool pubsub_h2_strict_headers(struct pubsub_h2_strict *strict, int32_t stream_id) {
  if (stream_id > strict->highest) {
    int32_t expected = strict->highest == 0 ? 1 : strict->highest + 2;
    if (stream_id > expected) {
      uint32_t at = strict->skipped_count++ % PUBSUB_H2_STRICT_MEMORY;
      strict->skipped[at].first = expected;
      strict->skipped[at].last = stream_id - 2;
    }
    strict->highest = stream_id;
    return true;
  }
  for (int i = 0; i < PUBSUB_H2_STRICT_MEMORY; i++) {
    if (stream_id >= strict->skipped[i].first && stream_id <= strict->skipped[i].last) return false;
  }
  return true; /* trailers, or late for a stream that is closed */
}

bool pubsub_h2_strict_data(const struct pubsub_h2_strict *strict, int32_t stream_id) {
  for (int i = 0; i < PUBSUB_H2_STRICT_MEMORY; i++) {
    if (strict->reset[i] == stream_id) return false;
  }
  return true;
}

void pubsub_h2_strict_reset(struct pubsub_h2_strict *strict, int32_t stream_id) {
  strict->reset[strict->reset_count++ % PUBSUB_H2_STRICT_MEMORY] = stream_id;
}
