#include "model/policy.h"

#include "base/alloc.h"
#include "model/journal.h"
#include <stdlib.h>
#include <string.h>

struct policy {
  struct pubsub_map_entry entry; /* key: resource */
  char *resource;
  Google__Iam__V1__Policy *policy; /* owned */
};

/* Of a resource without one. */
static const Google__Iam__V1__Policy empty = {
    .base = PROTOBUF_C_MESSAGE_INIT(&google__iam__v1__policy__descriptor),
    .etag = {4, (uint8_t *)"\0\0\0\1"}};

static struct policy *find(const struct pubsub_map *policies, const char *resource) {
  struct pubsub_map_entry *entry = pubsub_map_find(policies, pubsub_view_str(resource));
  return entry ? PUBSUB_CONTAINER_OF(entry, struct policy, entry) : NULL;
}

const Google__Iam__V1__Policy *policy_of(const struct pubsub_map *policies, const char *resource) {
  const struct policy *policy = find(policies, resource);
  return policy ? policy->policy : &empty;
}

bool policy_is_stale(const Google__Iam__V1__Policy *now, const Google__Iam__V1__Policy *sent) {
  return sent->etag.len > 0 && (sent->etag.len != now->etag.len ||
                                memcmp(sent->etag.data, now->etag.data, now->etag.len));
}

static struct policy *add(struct pubsub_map *policies, const char *resource) {
  struct policy *policy = pubsub_alloc_zero(1, sizeof *policy);
  size_t len = strlen(resource);
  if (policy) policy->resource = pubsub_alloc(len + 1);
  if (!policy || !policy->resource) goto no_memory;
  memcpy(policy->resource, resource, len + 1);
  if (pubsub_map_insert(policies, &policy->entry, pubsub_view_str(policy->resource)) == PUBSUB_OK) {
    return policy;
  }
no_memory:
  if (policy) pubsub_free(policy->resource);
  pubsub_free(policy);
  return NULL;
}

/* Generated code frees with the system's allocator. False: no memory. */
static bool set_etag(struct world *world, Google__Iam__V1__Policy *policy) {
  uint64_t serial = ++world->next_serial;
  uint8_t *etag = malloc(sizeof serial);
  if (!etag) return false;
  memcpy(etag, &serial, sizeof serial);
  free(policy->etag.data);
  policy->etag = (ProtobufCBinaryData){sizeof serial, etag};
  return true;
}

enum pubsub_status policy_restore(struct pubsub_map *policies, const char *resource,
                                  Google__Iam__V1__Policy *take_policy) {
  struct policy *policy = find(policies, resource);
  if (!policy) policy = add(policies, resource);
  if (!policy) return PUBSUB_E_NOMEM;
  google__iam__v1__policy__free_unpacked(policy->policy, NULL);
  policy->policy = take_policy;
  return PUBSUB_OK;
}

enum pubsub_status policy_set(struct world *world, struct pubsub_map *policies,
                              const char *resource, Google__Iam__V1__Policy *take_policy) {
  if (!set_etag(world, take_policy)) return PUBSUB_E_NOMEM;
  enum pubsub_status status = policy_restore(policies, resource, take_policy);
  if (status == PUBSUB_OK) JOURNAL(world, policy, resource, take_policy);
  return status;
}

void policies_visit(const struct pubsub_map *policies,
                    void (*visit)(void *user, const char *resource,
                                  const Google__Iam__V1__Policy *policy),
                    void *user) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(policies, &it))) {
    const struct policy *policy = PUBSUB_CONTAINER_OF(entry, struct policy, entry);
    visit(user, policy->resource, policy->policy);
  }
}

void policies_clear(struct world *world, struct pubsub_map *policies) {
  const Google__Iam__V1__Policy none = GOOGLE__IAM__V1__POLICY__INIT;
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(policies, &it))) {
    struct policy *policy = PUBSUB_CONTAINER_OF(entry, struct policy, entry);
    JOURNAL(world, policy, policy->resource, &none);
    pubsub_map_remove(policies, entry);
    google__iam__v1__policy__free_unpacked(policy->policy, NULL);
    pubsub_free(policy->resource);
    pubsub_free(policy);
  }
  pubsub_map_clear(policies);
}
