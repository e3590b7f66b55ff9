#include "proto/ack_outcome.h"

#include "base/alloc.h"
#include "proto/wire.h"
#include <stdlib.h>

enum {
  STATUS_DETAILS = 3 << 3 | 2,
  ANY_TYPE_URL = 1 << 3 | 2,
  ANY_VALUE = 2 << 3 | 2,
  INFO_METADATA = 3 << 3 | 2,
  ENTRY_KEY = 1 << 3 | 2,
  ENTRY_VALUE = 2 << 3 | 2
};

static bool begins_with(struct pubsub_view text, const char *prefix) {
  size_t len = strlen(prefix);
  return text.len >= len && memcmp(text.ptr, prefix, len) == 0;
}

static bool ends_with(struct pubsub_view text, const char *suffix) {
  size_t len = strlen(suffix);
  return text.len >= len && memcmp(text.ptr + text.len - len, suffix, len) == 0;
}

/* The last length-delimited field of this tag. */
static struct pubsub_view field_of(struct pubsub_view message, uint64_t tag) {
  const uint8_t *ptr = message.ptr, *end = ptr + message.len;
  struct pubsub_wire_field field;
  struct pubsub_view found = {0};
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (ptr && field.tag == tag) found = field.value;
  }
  return found;
}

/* Metadata may speak of other things than ack ids: an entry counts by its value. */
static void read_entry(struct pubsub_ack_outcomes *outcomes, struct pubsub_view entry,
                       size_t *count) {
  struct pubsub_view reason = field_of(entry, ENTRY_VALUE);
  bool transient = begins_with(reason, "TRANSIENT_FAILURE_");
  if (!transient && !begins_with(reason, "PERMANENT_FAILURE_")) return;
  if (outcomes) {
    outcomes->entries[*count].ack_id = field_of(entry, ENTRY_KEY);
    outcomes->entries[*count].outcome =
        transient ? PUBSUB_ACK_OUTCOME_TRANSIENT : PUBSUB_ACK_OUTCOME_PERMANENT;
  }
  ++*count;
}

/* Visits all entries; writes them where there is `outcomes`. Returns how many. */
static size_t scan(struct pubsub_view details, struct pubsub_ack_outcomes *outcomes) {
  const uint8_t *ptr = details.ptr, *end = ptr + details.len;
  struct pubsub_wire_field field;
  size_t count = 0;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (!ptr || field.tag != STATUS_DETAILS) continue;
    if (!ends_with(field_of(field.value, ANY_TYPE_URL), "/google.rpc.ErrorInfo")) continue;
    struct pubsub_view info = field_of(field.value, ANY_VALUE);
    const uint8_t *at = info.ptr, *info_end = at + info.len;
    while (at && at < info_end) {
      at = pubsub_wire_field_read(at, info_end, &field);
      if (at && field.tag == INFO_METADATA) read_entry(outcomes, field.value, &count);
    }
  }
  return count;
}

static int compare(struct pubsub_view a, struct pubsub_view b) {
  size_t len = a.len < b.len ? a.len : b.len;
  int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;
  return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_ack_id(const void *a, const void *b) {
  const struct pubsub_ack_outcome_entry *left = a, *right = b;
  return compare(left->ack_id, right->ack_id);
}

enum pubsub_status pubsub_ack_outcomes_read(struct pubsub_ack_outcomes *outcomes,
                                            struct pubsub_view details) {
  *outcomes = (struct pubsub_ack_outcomes){0};
  size_t count = details.len > 0 ? scan(details, NULL) : 0;
  if (count == 0) return PUBSUB_OK;
  outcomes->entries = pubsub_alloc(count * sizeof *outcomes->entries);
  if (!outcomes->entries) return PUBSUB_E_NOMEM;
  outcomes->count = scan(details, outcomes);
  qsort(outcomes->entries, count, sizeof *outcomes->entries, by_ack_id);
  return PUBSUB_OK;
}

enum pubsub_ack_outcome pubsub_ack_outcomes_find(const struct pubsub_ack_outcomes *outcomes,
                                                 struct pubsub_view ack_id) {
  size_t low = 0, high = outcomes->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = compare(ack_id, outcomes->entries[middle].ack_id);
    if (order == 0) return outcomes->entries[middle].outcome;
    if (order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return PUBSUB_ACK_OUTCOME_GOOD;
}

void pubsub_ack_outcomes_clear(struct pubsub_ack_outcomes *outcomes) {
  pubsub_free(outcomes->entries);
  *outcomes = (struct pubsub_ack_outcomes){0};
}
