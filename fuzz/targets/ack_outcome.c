/*
 * What a service says of single ack ids (the details of a call), against the generated code.
 *
 * Input: google.rpc.Status; or, where its first byte says so, the metadata of one
 * google.rpc.ErrorInfo in it.
 */
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "proto/ack_outcome.h"
#include "support/fuzz.h"
#include <stdlib.h>

static enum pubsub_ack_outcome outcome_of(const char *reason) {
  if (strncmp(reason, "TRANSIENT_FAILURE_", 18) == 0) return PUBSUB_ACK_OUTCOME_TRANSIENT;
  if (strncmp(reason, "PERMANENT_FAILURE_", 18) == 0) return PUBSUB_ACK_OUTCOME_PERMANENT;
  return PUBSUB_ACK_OUTCOME_GOOD;
}

static bool is_info(const char *type_url) {
  static const char name[] = "/google.rpc.ErrorInfo";
  size_t len = strlen(type_url);
  return len >= sizeof name - 1 && strcmp(type_url + len - (sizeof name - 1), name) == 0;
}

/* An id may be listed twice with different outcomes: either is an answer. Returns how many entries
 * speak of ids. */
static size_t check_info(const Google__Rpc__ErrorInfo *info,
                         const struct pubsub_ack_outcomes *outcomes) {
  size_t count = 0;
  for (size_t i = 0; i < info->n_metadata; i++) {
    const char *key = info->metadata[i]->key;
    enum pubsub_ack_outcome expected = outcome_of(info->metadata[i]->value);
    if (expected == PUBSUB_ACK_OUTCOME_GOOD) continue;
    count++;
    bool found = false;
    for (size_t k = 0; k < outcomes->count; k++) {
      found = found || (outcomes->entries[k].outcome == expected &&
                        pubsub_view_equal(outcomes->entries[k].ack_id, pubsub_view_str(key)));
    }
    FUZZ_CHECK(found);
    FUZZ_CHECK(pubsub_ack_outcomes_find(outcomes, pubsub_view_str(key)) != PUBSUB_ACK_OUTCOME_GOOD);
  }
  return count;
}

/* The details written anew by the generated code say what it says. */
static void compare_generated(struct pubsub_view details) {
  struct pubsub_ack_outcomes outcomes;
  Google__Rpc__Status *status = google__rpc__status__unpack(NULL, details.len, details.ptr);
  if (!status) return;
  size_t count = 0, bytes = google__rpc__status__get_packed_size(status);
  bool whole = true;
  uint8_t *packed = fuzz_alloc(bytes + 1);
  google__rpc__status__pack(status, packed);
  FUZZ_CHECK(pubsub_ack_outcomes_read(&outcomes, pubsub_view_of(packed, bytes)) == PUBSUB_OK);
  for (size_t i = 0; i < status->n_details; i++) {
    const Google__Protobuf__Any *any = status->details[i];
    if (!is_info(any->type_url)) continue;
    Google__Rpc__ErrorInfo *info =
        google__rpc__error_info__unpack(NULL, any->value.len, any->value.data);
    whole = whole && info;
    if (!info) continue;
    /* Texts with a NUL in them are not the same on both sides. */
    bool comparable = any->value.len == 0 || !memchr(any->value.data, 0, any->value.len);
    whole = whole && comparable;
    if (comparable) count += check_info(info, &outcomes);
    google__rpc__error_info__free_unpacked(info, NULL);
  }
  FUZZ_CHECK(!whole || count == outcomes.count);
  pubsub_ack_outcomes_clear(&outcomes);
  free(packed);
  google__rpc__status__free_unpacked(status, NULL);
}

static void check_own(struct pubsub_view details) {
  struct pubsub_ack_outcomes outcomes;
  FUZZ_CHECK(pubsub_ack_outcomes_read(&outcomes, details) == PUBSUB_OK);
  for (size_t i = 0; i < outcomes.count; i++) {
    struct pubsub_view id = outcomes.entries[i].ack_id;
    FUZZ_CHECK(pubsub_ack_outcomes_find(&outcomes, id) != PUBSUB_ACK_OUTCOME_GOOD);
    FUZZ_CHECK(id.len == 0 ||
               (id.ptr >= details.ptr && id.ptr + id.len <= details.ptr + details.len));
  }
  pubsub_ack_outcomes_find(&outcomes, pubsub_view_str("projects/p/subscriptions/s:7"));
  pubsub_ack_outcomes_clear(&outcomes);
}

/* Metadata alone, put into a status. */
static uint8_t *wrap(struct pubsub_view metadata, size_t *out_bytes) {
  Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
  Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT, *details = &any;
  any.type_url = "type.googleapis.com/google.rpc.ErrorInfo";
  any.value.data = (uint8_t *)metadata.ptr;
  any.value.len = metadata.len;
  status.details = &details;
  status.n_details = 1;
  uint8_t *packed = fuzz_alloc(google__rpc__status__get_packed_size(&status));
  *out_bytes = google__rpc__status__pack(&status, packed);
  return packed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  uint8_t mode = fuzz_u8(&input);
  struct pubsub_view details = fuzz_rest(&input);
  uint8_t *copy;
  if (mode & 1) {
    copy = wrap(details, &details.len);
  } else {
    copy = fuzz_copy(details);
  }
  details.ptr = copy;
  check_own(details);
  compare_generated(details);
  free(copy);
  return 0;
}
