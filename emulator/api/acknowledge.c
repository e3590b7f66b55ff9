/* Acknowledge and ModifyAckDeadline. Requests of thousands of ids: read by hand. */
#include "api/methods.h"
#include "api/outcome.h"
#include "api/resources.h"
#include "faults/faults.h"
#include "proto/wire.h"

enum {
  SUBSCRIPTION = 1 << 3 | 2,
  ACK_IDS = 2 << 3 | 2,
  MODIFY_ACK_IDS = 4 << 3 | 2,
  SECONDS = 3 << 3
};

#define MAX_REQUEST_BYTES 524288

struct request {
  struct pubsub_view subscription;
  int64_t seconds;
};

struct settling {
  struct call *call;
  struct subscription *subscription;
  uint64_t ids_tag;
  struct outcome outcome;
};

static void settle(struct settling *settling, const struct request *request,
                   struct pubsub_view ack_id) {
  struct subscription *subscription = settling->subscription;
  if (!outcome_check(&settling->outcome, subscription, settling->call, ack_id)) return;
  struct message *message = lending_find(subscription, ack_id);
  if (settling->ids_tag == ACK_IDS) {
    backlog_acknowledge(subscription, message);
  } else {
    backlog_set_deadline(subscription, message, (uint32_t)request->seconds);
  }
}

/* What the ids are, seen before any is settled. */
struct ids {
  size_t count;
  bool empty;                   /* one of them is */
  struct pubsub_view malformed; /* the first that no subscription can have given out; len 0: none */
};

static struct ids look_at_ids(const struct pubsub_buf *bytes, uint64_t ids_tag) {
  const uint8_t *ptr = bytes->ptr, *end = ptr + bytes->len;
  struct pubsub_wire_field field;
  struct ids ids = {0};
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (!ptr || field.tag != ids_tag) continue;
    ids.count++;
    if (field.value.len == 0) ids.empty = true;
    if (field.value.len != ACK_ID_BYTES && ids.malformed.len == 0) ids.malformed = field.value;
  }
  return ids;
}

/* False: the call was failed. Under exactly-once delivery the outcome tells of each id. */
static bool check_ids(struct call *call, const struct subscription *subscription,
                      const struct ids *ids) {
  if (ids->count == 0) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "No ack ids specified.");
  } else if (ids->empty) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "An ack id is empty.");
  } else if (ids->malformed.len > 0 && !subscription->config->enable_exactly_once_delivery) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT,
              "You have passed an invalid ack ID to the service (ack_id=%.*s).",
              (int)(ids->malformed.len < 200 ? ids->malformed.len : 200),
              (const char *)ids->malformed.ptr);
  } else {
    return true;
  }
  return false;
}

/* Visits the fields; ids are settled where there is `settling`. False: malformed. */
static bool scan(const struct pubsub_buf *bytes, struct request *out, struct settling *settling) {
  const uint8_t *ptr = bytes->ptr, *end = ptr + bytes->len;
  struct pubsub_wire_field field;
  while (ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (!ptr) return false;
    if (field.tag == SECONDS) out->seconds = (int32_t)field.number;
    if (field.tag == SUBSCRIPTION) out->subscription = field.value;
    if (settling && field.tag == settling->ids_tag) settle(settling, out, field.value);
  }
  return true;
}

static struct subscription *find(struct call *call, const struct pubsub_buf *bytes,
                                 struct request *out) {
  if (bytes->len > MAX_REQUEST_BYTES) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT,
              "Request payload size exceeds the limit: %d bytes.", MAX_REQUEST_BYTES);
    return NULL;
  }
  if (!scan(bytes, out, NULL)) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "the request cannot be parsed");
    return NULL;
  }
  struct pubsub_map_entry *entry = pubsub_map_find(&call->broker->subscriptions, out->subscription);
  if (!entry) {
    fail_not_found(call, out->subscription, "subscriptions");
    return NULL;
  }
  struct subscription *subscription = PUBSUB_CONTAINER_OF(entry, struct subscription, entry);
  subscription_touch(subscription);
  return subscription;
}

static void settle_all(struct call *call, struct subscription *subscription,
                       const struct pubsub_buf *bytes, struct request *request, uint64_t ids_tag) {
  struct settling settling = {.call = call, .subscription = subscription, .ids_tag = ids_tag};
  struct ids ids = look_at_ids(bytes, ids_tag);
  if (!check_ids(call, subscription, &ids)) return;
  struct faults *faults = call->broker->faults;
  bool lost = faults->count > 0 && faults_draw(faults, call->method->path, FAULT_DROP_ACKS) != NULL;
  if (!lost) scan(bytes, request, &settling);
  if (outcome_failed(&settling.outcome)) {
    outcome_fail(&settling.outcome, call);
  } else {
    call_reply_empty(call);
  }
  outcome_clear(&settling.outcome);
}

static void acknowledge(struct call *call, struct pubsub_buf *take_request) {
  struct request request = {0};
  struct subscription *subscription = find(call, take_request, &request);
  if (subscription) settle_all(call, subscription, take_request, &request, ACK_IDS);
}

static void modify_ack_deadline(struct call *call, struct pubsub_buf *take_request) {
  struct request request = {0};
  struct subscription *subscription = find(call, take_request, &request);
  if (!subscription) return;
  if (request.seconds < 0 || request.seconds > 600) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT,
              "Invalid ack deadline given: %lld. Must be between 0 and 600 seconds.",
              (long long)request.seconds);
    return;
  }
  settle_all(call, subscription, take_request, &request, MODIFY_ACK_IDS);
}

const struct method acknowledge_methods[] = {
    {.path = SUBSCRIBER "Acknowledge",
     .request = &google__pubsub__v1__acknowledge_request__descriptor,
     .response = &google__protobuf__empty__descriptor,
     .on_bytes = acknowledge},
    {.path = SUBSCRIBER "ModifyAckDeadline",
     .request = &google__pubsub__v1__modify_ack_deadline_request__descriptor,
     .response = &google__protobuf__empty__descriptor,
     .on_bytes = modify_ack_deadline},
    {0},
};
