#include "services.h"

#include "base/alloc.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void *unpack_request(struct rpc *rpc, const ProtobufCMessageDescriptor *descriptor,
                     const struct pubsub_buf *request) {
  void *message = protobuf_c_message_unpack(descriptor, NULL, request->len,
                                            request->ptr ? request->ptr : (const uint8_t *)"");
  const char *bad = message ? times_bad_field(message) : NULL;
  if (!message) rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "the request cannot be parsed");
  if (!bad) return message;
  rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "Invalid %s: not a valid time or duration.", bad);
  protobuf_c_message_free_unpacked(message, NULL);
  return NULL;
}

void reply_message(struct rpc *rpc, const ProtobufCMessage *message) {
  struct pubsub_buf response = {0};
  if (pubsub_buf_reserve(&response, protobuf_c_message_get_packed_size(message)) != PUBSUB_OK) {
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    return;
  }
  response.len = protobuf_c_message_pack(message, response.ptr);
  rpc_reply(rpc, &response);
}

void reply_empty(struct rpc *rpc) {
  struct pubsub_buf nothing = {0};
  rpc_reply(rpc, &nothing);
}

struct subscription *require_subscription(struct rpc *rpc, const char *name) {
  if (!require_name(rpc, name, "subscriptions")) return NULL;
  struct subscription *subscription = broker_subscription(rpc->server, name);
  if (!subscription) {
    rpc_fail(rpc, PUBSUB_GRPC_NOT_FOUND, "Resource not found (resource=%.200s).",
             strrchr(name, '/') ? strrchr(name, '/') + 1 : name);
  }
  return subscription;
}

struct topic *require_topic(struct rpc *rpc, const char *name) {
  if (!require_name(rpc, name, "topics")) return NULL;
  struct topic *topic = broker_topic(rpc->server, name);
  if (!topic) {
    rpc_fail(rpc, PUBSUB_GRPC_NOT_FOUND, "Resource not found (resource=%.200s).",
             strrchr(name, '/') ? strrchr(name, '/') + 1 : name);
  }
  return topic;
}

bool name_is_good(const char *name, const char *kind) {
  if (strncmp(name, "projects/", 9) != 0) return false;
  const char *project_end = strchr(name + 9, '/');
  if (!project_end || project_end == name + 9) return false;
  size_t kind_len = strlen(kind);
  if (strncmp(project_end + 1, kind, kind_len) != 0 || project_end[1 + kind_len] != '/') {
    return false;
  }
  const char *id = project_end + kind_len + 2;
  size_t len = strlen(id);
  if (len < 3 || len > 255 || !isalpha((unsigned char)id[0]) || strncmp(id, "goog", 4) == 0) {
    return false;
  }
  return strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~+%") == len;
}

bool require_name(struct rpc *rpc, const char *name, const char *kind) {
  if (name_is_good(name, kind)) return true;
  rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "Invalid [%s] name: (name=%.300s)", kind, name);
  return false;
}
