#include "api/outcome.h"

#include "api/resources.h"
#include "base/alloc.h"
#include "faults/faults.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

static const char problem[] =
    "Some acknowledgement ids in the request were invalid. This could be because the "
    "acknowledgement ids have expired or the acknowledgement ids were malformed.";

static void add(struct pubsub_buf *list, struct pubsub_view ack_id) {
  pubsub_buf_append(list, &ack_id, sizeof ack_id);
}

static size_t count(const struct pubsub_buf *list) {
  return list->len / sizeof(struct pubsub_view);
}

bool outcome_check(struct outcome *outcome, struct subscription *subscription,
                   const struct call *call, struct pubsub_view ack_id) {
  struct faults *faults = call->broker->faults;
  struct message *message = lending_find(subscription, ack_id);
  if (!message) {
    subscription_note(subscription, RECORD_STALE_ACK, 0, lending_knows(subscription, ack_id));
  }
  if (!subscription->config->enable_exactly_once_delivery) return message != NULL;
  if (!message) {
    add(&outcome->invalid, ack_id);
    return false;
  }
  if (faults->count > 0 && faults_draw(faults, call->method->path, FAULT_TRANSIENT_ACKS)) {
    add(&outcome->transient, ack_id);
    return false;
  }
  add(&outcome->good, ack_id);
  return true;
}

bool outcome_failed(const struct outcome *outcome) {
  return outcome->invalid.len > 0 || outcome->transient.len > 0;
}

struct info {
  Google__Rpc__ErrorInfo__MetadataEntry *entries, **pointers;
  char *keys; /* of ACK_ID_BYTES + 1 or more */
  size_t used, key_bytes;
};

static void fill(struct info *info, const struct pubsub_buf *list, const char *reason) {
  const struct pubsub_view *ids = (const struct pubsub_view *)(const void *)list->ptr;
  for (size_t i = 0; i < count(list); i++) {
    Google__Rpc__ErrorInfo__MetadataEntry *entry = &info->entries[info->used];
    char *key = info->keys + info->key_bytes;
    memcpy(key, ids[i].ptr, ids[i].len);
    key[ids[i].len] = '\0';
    info->key_bytes += ids[i].len + 1;
    google__rpc__error_info__metadata_entry__init(entry);
    entry->key = key;
    entry->value = (char *)(uintptr_t)reason;
    info->pointers[info->used++] = entry;
  }
}

static size_t key_bytes(const struct pubsub_buf *list) {
  const struct pubsub_view *ids = (const struct pubsub_view *)(const void *)list->ptr;
  size_t bytes = 0;
  for (size_t i = 0; i < count(list); i++)
    bytes += ids[i].len + 1;
  return bytes;
}

static void send(struct call *call, Google__Rpc__ErrorInfo *info) {
  Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT, *details = &any;
  Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
  struct pubsub_buf bytes = {0};
  size_t info_bytes = google__rpc__error_info__get_packed_size(info);
  any.type_url = (char *)(uintptr_t) "type.googleapis.com/google.rpc.ErrorInfo";
  any.value.data = pubsub_alloc(info_bytes);
  if (!any.value.data) goto no_memory;
  any.value.len = google__rpc__error_info__pack(info, any.value.data);
  status.code = PUBSUB_GRPC_FAILED_PRECONDITION;
  status.message = (char *)(uintptr_t)problem;
  status.n_details = 1;
  status.details = &details;
  if (pubsub_buf_reserve(&bytes, google__rpc__status__get_packed_size(&status)) != PUBSUB_OK) {
    goto no_memory;
  }
  bytes.len = google__rpc__status__pack(&status, bytes.ptr);
  call_fail_with(call, PUBSUB_GRPC_FAILED_PRECONDITION, problem,
                 pubsub_view_of(bytes.ptr, bytes.len));
no_memory:
  pubsub_free(any.value.data);
  pubsub_buf_clear(&bytes);
  fail_no_memory(call); /* nothing, if answered */
}

void outcome_fail(const struct outcome *outcome, struct call *call) {
  size_t failed = count(&outcome->invalid) + count(&outcome->transient);
  struct info info = {
      .entries = pubsub_alloc_zero(failed, sizeof *info.entries),
      .pointers = pubsub_alloc_zero(failed, sizeof *info.pointers),
      .keys = pubsub_alloc(key_bytes(&outcome->invalid) + key_bytes(&outcome->transient)),
  };
  Google__Rpc__ErrorInfo message = GOOGLE__RPC__ERROR_INFO__INIT;
  if (info.entries && info.pointers && info.keys) {
    fill(&info, &outcome->invalid, "PERMANENT_FAILURE_INVALID_ACK_ID");
    fill(&info, &outcome->transient, "TRANSIENT_FAILURE_OTHER");
    message.reason = (char *)(uintptr_t) "EXACTLY_ONCE_ACKID_FAILURE";
    message.domain = (char *)(uintptr_t) "pubsub.googleapis.com";
    message.n_metadata = info.used;
    message.metadata = info.pointers;
    send(call, &message);
  } else {
    fail_no_memory(call);
  }
  pubsub_free(info.entries);
  pubsub_free(info.pointers);
  pubsub_free(info.keys);
}

void outcome_clear(struct outcome *outcome) {
  pubsub_buf_clear(&outcome->good);
  pubsub_buf_clear(&outcome->invalid);
  pubsub_buf_clear(&outcome->transient);
}
