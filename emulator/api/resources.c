#include "api/resources.h"

#include "api/names.h"
#include "api/update.h"
#include "model/journal.h"

bool require_name(struct call *call, const char *name, const char *kind) {
  const char *problem = name_problem(name, kind);
  if (!problem) return true;
  call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "Invalid [%s] name: (name=%.300s): %s.", kind, name,
            problem);
  return false;
}

bool require_project(struct call *call, const char *project) {
  const char *problem = project_problem(project);
  if (!problem) return true;
  call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "Invalid project: (name=%.300s): %s.", project,
            problem);
  return false;
}

void fail_not_found(struct call *call, struct pubsub_view name, const char *kind) {
  char text[700];
  size_t len = name.len < sizeof text ? name.len : sizeof text - 1;
  if (len > 0) memcpy(text, name.ptr, len);
  text[len] = '\0';
  if (!require_name(call, text, kind)) return;
  call_fail(call, PUBSUB_GRPC_NOT_FOUND, "Resource not found (resource=%s).", name_last(text));
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

struct topic *require_topic(struct call *call, const char *name) {
  struct topic *topic = broker_topic(call->broker, name);
  if (!topic) fail_not_found(call, pubsub_view_str(name), "topics");
  return topic;
}

struct subscription *require_subscription(struct call *call, const char *name) {
  struct subscription *subscription = broker_subscription(call->broker, name);
  if (subscription) {
    subscription_touch(subscription);
  } else {
    fail_not_found(call, pubsub_view_str(name), "subscriptions");
  }
  return subscription;
}

struct snapshot *require_snapshot(struct call *call, const char *name) {
  struct snapshot *snapshot = broker_snapshot(call->broker, name);
  if (!snapshot) fail_not_found(call, pubsub_view_str(name), "snapshots");
  return snapshot;
}

struct schema *require_schema(struct call *call, const char *name) {
  struct schema *schema = schema_find(&call->broker->schemas, name);
  if (!schema) fail_not_found(call, pubsub_view_of(name, strcspn(name, "@")), "schemas");
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

bool require_room(struct call *call, size_t messages) {
  const struct world *world = &call->broker->world;
  if (journal_reserve(world, messages * JOURNAL_MESSAGE_BYTES)) return true;
  call_fail(call, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "nothing can be kept: %s",
            world->journal->problem);
  return false;
}
