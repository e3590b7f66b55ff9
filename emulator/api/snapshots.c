#include "api/lists.h"
#include "api/methods.h"
#include "api/resources.h"
#include <stdio.h>
#include <stdlib.h>

#define LIFE_S (7 * 86400)

static const char *const fixed[] = {"name", "topic", NULL};

/* Entries of the two maps have one layout. */
static void move_labels(Google__Pubsub__V1__CreateSnapshotRequest *from,
                        Google__Pubsub__V1__Snapshot *to) {
  for (size_t i = 0; i < from->n_labels; i++) {
    from->labels[i]->base.descriptor = &google__pubsub__v1__snapshot__labels_entry__descriptor;
  }
  to->labels = (Google__Pubsub__V1__Snapshot__LabelsEntry **)from->labels;
  to->n_labels = from->n_labels;
  from->labels = NULL;
  from->n_labels = 0;
}

/* The generated code frees what it holds with the system's allocator. NULL: no memory. */
static Google__Pubsub__V1__Snapshot *new_config(Google__Pubsub__V1__CreateSnapshotRequest *request,
                                                const char *topic, int64_t expires_s) {
  Google__Pubsub__V1__Snapshot *config = malloc(sizeof *config);
  if (!config) return NULL;
  google__pubsub__v1__snapshot__init(config);
  config->name = strdup(request->name);
  config->topic = strdup(topic);
  config->expire_time = malloc(sizeof *config->expire_time);
  if (!config->name || !config->topic || !config->expire_time) {
    google__pubsub__v1__snapshot__free_unpacked(config, NULL);
    return NULL;
  }
  google__protobuf__timestamp__init(config->expire_time);
  config->expire_time->seconds = expires_s;
  move_labels(request, config);
  return config;
}

static void create_snapshot(struct call *call, void *message) {
  Google__Pubsub__V1__CreateSnapshotRequest *request = message;
  struct broker *broker = call->broker;
  if (!require_name(call, request->name, "snapshots")) return;
  if (broker_snapshot(broker, request->name)) {
    fail_exists(call, request->name);
    return;
  }
  struct subscription *subscription = require_subscription(call, request->subscription);
  if (!subscription) return;
  if (!subscription->topic || subscription->detached) {
    call_fail(call, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription has no topic");
    return;
  }
  int64_t now_s = clock_wall_us(&broker->world.clock) / 1000000;
  Google__Pubsub__V1__Snapshot *config =
      new_config(request, subscription->config->topic, now_s + LIFE_S);
  if (config && broker_add_snapshot(broker, subscription, config)) {
    call_reply(call, &config->base);
  } else {
    if (config) google__pubsub__v1__snapshot__free_unpacked(config, NULL);
    fail_no_memory(call);
  }
}

/* What a snapshot cannot be without. */
static bool lacks_expiry(const Google__Pubsub__V1__UpdateSnapshotRequest *request) {
  size_t count = request->update_mask ? request->update_mask->n_paths : 0;
  for (size_t i = 0; i < count; i++) {
    const char *path = request->update_mask->paths[i];
    if (strncmp(path, "expire_time", 11) == 0 && !request->snapshot->expire_time) return true;
  }
  return false;
}

static void update_snapshot(struct call *call, void *message) {
  Google__Pubsub__V1__UpdateSnapshotRequest *request = message;
  Google__Pubsub__V1__Snapshot *update = request->snapshot;
  struct snapshot *snapshot = require_snapshot(call, update ? update->name : "");
  if (!snapshot) return;
  if (lacks_expiry(request)) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "The expire_time of a snapshot must be given.");
  } else if (require_update(call, "Snapshot", &snapshot->config->base, &update->base,
                            request->update_mask, fixed)) {
    call_reply(call, &snapshot->config->base);
  }
}

static void get_snapshot(struct call *call, void *message) {
  const Google__Pubsub__V1__GetSnapshotRequest *request = message;
  struct snapshot *snapshot = require_snapshot(call, request->snapshot);
  if (snapshot) call_reply(call, &snapshot->config->base);
}

static void delete_snapshot(struct call *call, void *message) {
  const Google__Pubsub__V1__DeleteSnapshotRequest *request = message;
  struct snapshot *snapshot = require_snapshot(call, request->snapshot);
  if (!snapshot) return;
  broker_remove_snapshot(call->broker, snapshot);
  call_reply_empty(call);
}

static void *snapshot_config(struct pubsub_map_entry *entry) {
  return PUBSUB_CONTAINER_OF(entry, struct snapshot, entry)->config;
}

static void list_snapshots(struct call *call, void *message) {
  const Google__Pubsub__V1__ListSnapshotsRequest *request = message;
  struct listing listing = {0};
  char prefix[600];
  snprintf(prefix, sizeof prefix, "%s/snapshots/", request->project);
  listing_add_all(&listing, &call->broker->snapshots, prefix, snapshot_config);
  listing_reply(call, &listing, prefix, request->page_size, request->page_token);
}

const struct method snapshot_methods[] = {
    METHOD(SUBSCRIBER, "CreateSnapshot", google__pubsub__v1__create_snapshot_request,
           google__pubsub__v1__snapshot, create_snapshot),
    METHOD(SUBSCRIBER, "UpdateSnapshot", google__pubsub__v1__update_snapshot_request,
           google__pubsub__v1__snapshot, update_snapshot),
    METHOD(SUBSCRIBER, "GetSnapshot", google__pubsub__v1__get_snapshot_request,
           google__pubsub__v1__snapshot, get_snapshot),
    METHOD(SUBSCRIBER, "DeleteSnapshot", google__pubsub__v1__delete_snapshot_request,
           google__protobuf__empty, delete_snapshot),
    METHOD(SUBSCRIBER, "ListSnapshots", google__pubsub__v1__list_snapshots_request,
           google__pubsub__v1__list_snapshots_response, list_snapshots),
    {0},
};
