/* Acknowledge and ModifyAckDeadline. Requests of thousands of ids: read by hand. */
#include "services.h"

#include "proto/wire.h"

enum {
  SUBSCRIPTION = 1 << 3 | 2,
  ACK_IDS = 2 << 3 | 2,
  MODIFY_ACK_IDS = 4 << 3 | 2,
  SECONDS = 3 << 3
};

struct request {
  struct pubsub_view subscription;
  int64_t seconds;
};

/* Visits the fields; ids of `ids_tag` go to `found` once there is one. False: malformed. */
static bool scan(const struct pubsub_buf *request, struct request *out, uint64_t ids_tag,
                 void (*found)(struct subscription *, struct message *, uint32_t),
                 struct subscription *subscription) {
  const uint8_t *ptr = request->ptr, *end = ptr + request->len;
  while (ptr < end) {
    uint64_t tag, value;
    ptr = pubsub_varint_read(ptr, end, &tag);
    if (!ptr || ((tag & 7) != PUBSUB_WIRE_LEN && (tag & 7) != PUBSUB_WIRE_VARINT)) return false;
    ptr = pubsub_varint_read(ptr, end, &value);
    if (!ptr) return false;
    if (tag == SECONDS) out->seconds = (int32_t)value;
    if ((tag & 7) == PUBSUB_WIRE_VARINT) continue;
    if (value > (uint64_t)(end - ptr)) return false;
    struct pubsub_view view = pubsub_view_of(ptr, (size_t)value);
    ptr += value;
    if (tag == SUBSCRIPTION) out->subscription = view;
    if (tag == ids_tag && found) {
      struct message *message = subscription_find(subscription, view);
      if (message) found(subscription, message, (uint32_t)out->seconds);
    }
  }
  return true;
}

static void acknowledge(struct subscription *subscription, struct message *message,
                        uint32_t seconds) {
  (void)seconds;
  subscription_acknowledge(subscription, message);
}

static struct subscription *find(struct rpc *rpc, const struct pubsub_buf *request,
                                 struct request *out) {
  struct broker *broker = rpc->server;
  if (!scan(request, out, 0, NULL, NULL)) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "the request cannot be parsed");
    return NULL;
  }
  struct pubsub_map_entry *entry = pubsub_map_find(&broker->subscriptions, out->subscription);
  if (entry) return PUBSUB_CONTAINER_OF(entry, struct subscription, entry);
  rpc_fail(rpc, PUBSUB_GRPC_NOT_FOUND, "Resource not found (resource=%.*s).",
           (int)out->subscription.len,
           out->subscription.ptr ? (const char *)out->subscription.ptr : "");
  return NULL;
}

void acknowledge_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  struct request request = {0};
  struct subscription *subscription = find(rpc, take_request, &request);
  if (!subscription) return;
  scan(take_request, &request, ACK_IDS, acknowledge, subscription);
  reply_empty(rpc);
}

void modify_ack_deadline_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  struct request request = {0};
  struct subscription *subscription = find(rpc, take_request, &request);
  if (!subscription) return;
  if (request.seconds < 0 || request.seconds > 600) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
             "Invalid ack deadline given: %lld. Must be between 0 and 600 seconds.",
             (long long)request.seconds);
    return;
  }
  scan(take_request, &request, MODIFY_ACK_IDS, subscription_set_deadline, subscription);
  reply_empty(rpc);
}
