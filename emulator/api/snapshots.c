#include "api/lists.h"
#include "api/methods.h"
#include "api/names.h"
#include "api/resources.h"
#include "model/contents.h"
#include "model/journal.h"
#include <stdio.h>
#include <stdlib.h>

#define HOUR_US INT64_C(3600000000)
#define LIFE_US (7 * 24 * HOUR_US)
#define LEAST_LIFE_US HOUR_US

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
                                                const char *name, const char *topic,
                                                int64_t expires_us) {
  Google__Pubsub__V1__Snapshot *config = malloc(sizeof *config);
  if (!config) return NULL;
  google__pubsub__v1__snapshot__init(config);
  config->name = strdup(name);
  config->topic = strdup(topic);
  config->expire_time = malloc(sizeof *config->expire_time);
  if (config->expire_time) google__protobuf__timestamp__init(config->expire_time);
  if (!config->name || !config->topic || !config->expire_time) {
    google__pubsub__v1__snapshot__free_unpacked(config, NULL);
    return NULL;
  }
  config->expire_time->seconds = expires_us / 1000000;
  config->expire_time->nanos = (int32_t)(expires_us % 1000000 * 1000);
  move_labels(request, config);
  return config;
}

/* The subscription of a new snapshot. NULL: the call was failed. */
static struct subscription *check_new(struct call *call,
                                      const Google__Pubsub__V1__CreateSnapshotRequest *request) {
  if (request->name[0] && !require_name(call, request->name, "snapshots")) return NULL;
  struct subscription *subscription = require_subscription(call, request->subscription);
  if (!subscription) return NULL;
  if (broker_snapshot(call->broker, request->name)) {
    fail_exists(call, request->name);
    return NULL;
  }
  if (!subscription->topic || subscription->detached) {
    call_fail(call, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription has no topic");
    return NULL;
  }
  return subscription;
}

/* A week, less the age of the oldest message that is not acknowledged. */
static int64_t life_us(const struct subscription *subscription, int64_t now_us) {
  int64_t oldest_us = contents_oldest_us(subscription);
  return LIFE_US - (oldest_us < now_us ? now_us - oldest_us : 0);
}

static void create_snapshot(struct call *call, void *message) {
  Google__Pubsub__V1__CreateSnapshotRequest *request = message;
  struct world *world = &call->broker->world;
  struct subscription *subscription = check_new(call, request);
  if (!subscription) return;
  char name[700];
  int64_t now_us = clock_wall_us(&world->clock), life = life_us(subscription, now_us);
  if (life < LEAST_LIFE_US) {
    call_fail(call, PUBSUB_GRPC_FAILED_PRECONDITION,
              "The subscription's backlog is too old: the snapshot would live for less than an "
              "hour.");
    return;
  }
  if (!require_room(call, contents_count(subscription))) return;
  do {
    name_assign(name, sizeof name, request->subscription, "snapshots",
                (unsigned long long)now_us + world->next_serial++);
  } while (broker_snapshot(call->broker, name));
  Google__Pubsub__V1__Snapshot *config = new_config(
      request, request->name[0] ? request->name : name, subscription->config->topic, now_us + life);
  if (config && broker_add_snapshot(call->broker, subscription, config)) {
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
    JOURNAL(&call->broker->world, snapshot, snapshot);
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
  if (!require_project(call, request->project)) return;
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
