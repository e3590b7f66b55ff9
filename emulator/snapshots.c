#include "services.h"

#include "base/alloc.h"
#include "lists.h"
#include "update.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_S (7 * 86400)

static struct snapshot *require_snapshot(struct rpc *rpc, const char *name) {
  struct snapshot *snapshot = broker_snapshot(rpc->server, name);
  if (!snapshot) {
    rpc_fail(rpc, PUBSUB_GRPC_NOT_FOUND, "Resource not found (resource=%.200s).",
             strrchr(name, '/') ? strrchr(name, '/') + 1 : name);
  }
  return snapshot;
}

/* What a snapshot cannot be without. */
static bool lacks_expiry(const Google__Pubsub__V1__UpdateSnapshotRequest *request) {
  for (size_t i = 0; i < request->update_mask->n_paths; i++) {
    const char *path = request->update_mask->paths[i];
    if (strncmp(path, "expire_time", 11) == 0 && !request->snapshot->expire_time) return true;
  }
  return false;
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
  /* Entries of the two maps have one layout. */
  for (size_t i = 0; i < request->n_labels; i++) {
    request->labels[i]->base.descriptor = &google__pubsub__v1__snapshot__labels_entry__descriptor;
  }
  config->labels = (Google__Pubsub__V1__Snapshot__LabelsEntry **)request->labels;
  config->n_labels = request->n_labels;
  request->labels = NULL;
  request->n_labels = 0;
  return config;
}

static bool keep(struct snapshot *snapshot, const struct message *message) {
  struct message *copy = message_copy(message);
  if (copy) pubsub_list_push_back(&snapshot->messages, &copy->link);
  return copy != NULL;
}

static int by_id(const void *a, const void *b) {
  const struct message *x = *(const struct message *const *)a,
                       *y = *(const struct message *const *)b;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* What is not acknowledged, in the order of publishing. */
static bool capture(struct snapshot *snapshot, struct subscription *subscription) {
  size_t count = 0, cap = backlog_count(subscription);
  const struct message **all = pubsub_alloc((cap + 1) * sizeof *all);
  struct pubsub_list *const lists[] = {&subscription->ready, &subscription->waiting};
  struct pubsub_list *link;
  bool good = all != NULL;
  if (!all) return false;
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    for (link = lists[i]->next; link != lists[i] && count < cap; link = link->next)
      all[count++] = PUBSUB_CONTAINER_OF(link, struct message, link);
  }
  for (uint32_t i = 0; i < subscription->slot_count && count < cap; i++) {
    struct message *message = subscription->slots[i];
    if (message && !message->key) all[count++] = message;
  }
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&subscription->keys, &it))) {
    struct ordering_key *key = PUBSUB_CONTAINER_OF(entry, struct ordering_key, entry);
    for (link = key->line.next; link != &key->line && count < cap; link = link->next) {
      struct message *message = PUBSUB_CONTAINER_OF(link, struct message, link);
      if (message->state != MESSAGE_ACKNOWLEDGED) all[count++] = message;
    }
  }
  if (count > 1) qsort(all, count, sizeof *all, by_id);
  for (size_t i = 0; i < count && good; i++)
    good = keep(snapshot, all[i]);
  pubsub_free(all);
  return good;
}

void create_snapshot_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  struct broker *broker = rpc->server;
  Google__Pubsub__V1__CreateSnapshotRequest *request =
      unpack_request(rpc, &google__pubsub__v1__create_snapshot_request__descriptor, take_request);
  if (!request) return;
  if (!require_name(rpc, request->name, "snapshots")) goto done;
  if (broker_snapshot(broker, request->name)) {
    rpc_fail(rpc, PUBSUB_GRPC_ALREADY_EXISTS,
             "Resource already exists in the project (resource=%s).",
             strrchr(request->name, '/') + 1);
    goto done;
  }
  struct subscription *subscription = require_subscription(rpc, request->subscription);
  if (!subscription) goto done;
  if (!subscription->topic || subscription->detached) {
    rpc_fail(rpc, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription has no topic");
    goto done;
  }
  Google__Pubsub__V1__Snapshot *config =
      new_config(request, subscription->config->topic, broker_wall_us(broker) / 1000000 + LIFE_S);
  struct snapshot *snapshot =
      config ? broker_add_snapshot(broker, subscription->topic, config) : NULL;
  if (!snapshot) {
    if (config) google__pubsub__v1__snapshot__free_unpacked(config, NULL);
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
  } else if (!capture(snapshot, subscription)) {
    broker_remove_snapshot(broker, snapshot);
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
  } else {
    reply_message(rpc, &config->base);
  }
done:
  google__pubsub__v1__create_snapshot_request__free_unpacked(request, NULL);
}

void update_snapshot_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  static const char *const fixed[] = {"name", "topic", NULL};
  Google__Pubsub__V1__UpdateSnapshotRequest *request =
      unpack_request(rpc, &google__pubsub__v1__update_snapshot_request__descriptor, take_request);
  const char *problem;
  if (!request) return;
  struct snapshot *snapshot =
      require_snapshot(rpc, request->snapshot ? request->snapshot->name : "");
  if (snapshot) {
    if (!request->update_mask || request->update_mask->n_paths == 0) {
      rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
               "The update_mask in the UpdateSnapshotRequest must be set, and must contain a "
               "non-empty paths list.");
    } else if (lacks_expiry(request)) {
      rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "The expire_time of a snapshot must be given.");
    } else if (!update_apply(&snapshot->config->base, &request->snapshot->base,
                             request->update_mask, fixed, &problem)) {
      rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
               "Invalid update_mask provided in the UpdateSnapshotRequest: '%.100s' is not a "
               "known or mutable Snapshot field.",
               problem);
    } else {
      reply_message(rpc, &snapshot->config->base);
    }
  }
  google__pubsub__v1__update_snapshot_request__free_unpacked(request, NULL);
}

void get_snapshot_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__GetSnapshotRequest *request =
      unpack_request(rpc, &google__pubsub__v1__get_snapshot_request__descriptor, take_request);
  if (!request) return;
  struct snapshot *snapshot = require_snapshot(rpc, request->snapshot);
  if (snapshot) reply_message(rpc, &snapshot->config->base);
  google__pubsub__v1__get_snapshot_request__free_unpacked(request, NULL);
}

void delete_snapshot_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__DeleteSnapshotRequest *request =
      unpack_request(rpc, &google__pubsub__v1__delete_snapshot_request__descriptor, take_request);
  if (!request) return;
  struct snapshot *snapshot = require_snapshot(rpc, request->snapshot);
  if (snapshot) {
    broker_remove_snapshot(rpc->server, snapshot);
    reply_empty(rpc);
  }
  google__pubsub__v1__delete_snapshot_request__free_unpacked(request, NULL);
}

static void *snapshot_config(struct pubsub_map_entry *entry) {
  return PUBSUB_CONTAINER_OF(entry, struct snapshot, entry)->config;
}

void list_snapshots_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  struct broker *broker = rpc->server;
  Google__Pubsub__V1__ListSnapshotsRequest *request =
      unpack_request(rpc, &google__pubsub__v1__list_snapshots_request__descriptor, take_request);
  struct listing listing = {0};
  char prefix[600];
  if (!request) return;
  snprintf(prefix, sizeof prefix, "%s/snapshots/", request->project);
  listing_add_all(&listing, &broker->snapshots, prefix, snapshot_config);
  listing_reply(rpc, &listing, &google__pubsub__v1__list_snapshots_response__descriptor, prefix,
                request->page_size, request->page_token);
  google__pubsub__v1__list_snapshots_request__free_unpacked(request, NULL);
}
