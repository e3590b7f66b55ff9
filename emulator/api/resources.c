#include "api/resources.h"

#include "api/names.h"
#include "api/update.h"

void fail_not_found(struct call *call, struct pubsub_view name) {
  size_t skip = name.len;
  while (skip > 0 && name.ptr[skip - 1] != '/')
    skip--;
  size_t len = name.len - skip;
  call_fail(call, PUBSUB_GRPC_NOT_FOUND, "Resource not found (resource=%.*s).",
            (int)(len < 300 ? len : 300), name.ptr ? (const char *)name.ptr + skip : "");
}

void fail_exists(struct call *call, const char *name) {
  call_fail(call, PUBSUB_GRPC_ALREADY_EXISTS,
            "Resource already exists in the project (resource=%s).", name_last(name));
}

void fail_no_memory(struct call *call) {
  call_fail(call, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
}

void fail_error(struct call *call, const struct pubsub_error *error) {
  bool memory = error->status == PUBSUB_E_NOMEM;
  call_fail(call, memory ? PUBSUB_GRPC_RESOURCE_EXHAUSTED : PUBSUB_GRPC_INVALID_ARGUMENT, "%s",
            error->text);
}

bool require_name(struct call *call, const char *name, const char *kind) {
  if (name_is_good(name, kind)) return true;
  call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "Invalid [%s] name: (name=%.300s)", kind, name);
  return false;
}

struct topic *require_topic(struct call *call, const char *name) {
  if (!require_name(call, name, "topics")) return NULL;
  struct topic *topic = broker_topic(call->broker, name);
  if (!topic) fail_not_found(call, pubsub_view_str(name));
  return topic;
}

struct subscription *require_subscription(struct call *call, const char *name) {
  if (!require_name(call, name, "subscriptions")) return NULL;
  struct subscription *subscription = broker_subscription(call->broker, name);
  if (!subscription) fail_not_found(call, pubsub_view_str(name));
  return subscription;
}

struct snapshot *require_snapshot(struct call *call, const char *name) {
  struct snapshot *snapshot = broker_snapshot(call->broker, name);
  if (!snapshot) fail_not_found(call, pubsub_view_str(name));
  return snapshot;
}

struct schema *require_schema(struct call *call, const char *name) {
  struct schema *schema = schema_find(&call->broker->schemas, name);
  if (!schema) fail_not_found(call, pubsub_view_str(name));
  return schema;
}

bool require_update(struct call *call, const char *what, ProtobufCMessage *config,
                    ProtobufCMessage *update, const Google__Protobuf__FieldMask *mask,
                    const char *const *fixed) {
  const char *problem;
  if (!mask || mask->n_paths == 0) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT,
              "The update_mask in the Update%sRequest must be set, and must contain a non-empty "
              "paths list.",
              what);
    return false;
  }
  if (update_apply(config, update, mask, fixed, &problem)) return true;
  call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT,
            "Invalid update_mask provided in the Update%sRequest: '%.100s' is not a known or "
            "mutable %s field.",
            what, problem, what);
  return false;
}
