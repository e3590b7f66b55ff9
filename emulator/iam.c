/* IAM: every permission is granted; policies are kept as they were sent. */
#include "faults.h"
#include "services.h"

#include "base/alloc.h"
#include "google/iam/v1/iam_policy.pb-c.h"
#include "proto/wire.h"
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

static bool exists(struct rpc *rpc, const char *resource) {
  struct broker *broker = rpc->server;
  if (broker_topic(broker, resource) || broker_subscription(broker, resource) ||
      broker_snapshot(broker, resource) ||
      pubsub_map_find(&broker->schemas, pubsub_view_str(resource))) {
    return true;
  }
  rpc_fail(rpc, PUBSUB_GRPC_NOT_FOUND, "Resource not found (resource=%.300s).", resource);
  return false;
}

static struct policy *find(struct broker *broker, const char *resource) {
  struct pubsub_map_entry *entry = pubsub_map_find(&broker->policies, pubsub_view_str(resource));
  return entry ? PUBSUB_CONTAINER_OF(entry, struct policy, entry) : NULL;
}

static void policy_free(struct policy *policy) {
  google__iam__v1__policy__free_unpacked(policy->policy, NULL);
  pubsub_free(policy->resource);
  pubsub_free(policy);
}

void get_iam_policy_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Iam__V1__GetIamPolicyRequest *request =
      unpack_request(rpc, &google__iam__v1__get_iam_policy_request__descriptor, take_request);
  if (!request) return;
  if (exists(rpc, request->resource)) {
    struct policy *policy = find(rpc->server, request->resource);
    reply_message(rpc, policy ? &policy->policy->base : &empty.base);
  }
  google__iam__v1__get_iam_policy_request__free_unpacked(request, NULL);
}

static struct policy *add(struct broker *broker, const char *resource) {
  struct policy *policy = pubsub_alloc_zero(1, sizeof *policy);
  size_t len = strlen(resource);
  if (policy) policy->resource = pubsub_alloc(len + 1);
  if (!policy || !policy->resource) goto no_memory;
  memcpy(policy->resource, resource, len + 1);
  if (pubsub_map_insert(&broker->policies, &policy->entry, pubsub_view_str(policy->resource)) ==
      PUBSUB_OK) {
    return policy;
  }
no_memory:
  if (policy) pubsub_free(policy->resource);
  pubsub_free(policy);
  return NULL;
}

/* An etag that was sent, and is another than the present one. */
static bool is_stale(const Google__Iam__V1__Policy *now, const Google__Iam__V1__Policy *sent) {
  return sent->etag.len > 0 && (sent->etag.len != now->etag.len ||
                                memcmp(sent->etag.data, now->etag.data, now->etag.len));
}

/* False: no memory. */
static bool set_etag(struct broker *broker, Google__Iam__V1__Policy *policy) {
  uint64_t serial = ++broker->next_serial;
  uint8_t *etag = malloc(sizeof serial);
  if (!etag) return false;
  memcpy(etag, &serial, sizeof serial);
  free(policy->etag.data);
  policy->etag = (ProtobufCBinaryData){sizeof serial, etag};
  return true;
}

void set_iam_policy_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Iam__V1__SetIamPolicyRequest *request =
      unpack_request(rpc, &google__iam__v1__set_iam_policy_request__descriptor, take_request);
  if (!request) return;
  if (!exists(rpc, request->resource)) goto done;
  if (!request->policy) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "A policy must be given.");
    goto done;
  }
  struct policy *policy = find(rpc->server, request->resource);
  if (policy ? is_stale(policy->policy, request->policy) : is_stale(&empty, request->policy)) {
    rpc_fail(rpc, PUBSUB_GRPC_ABORTED, "The policy was changed since it was read.");
    goto done;
  }
  bool ok = set_etag(rpc->server, request->policy);
  if (ok && !policy) policy = add(rpc->server, request->resource);
  if (!ok || !policy) {
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    goto done;
  }
  google__iam__v1__policy__free_unpacked(policy->policy, NULL);
  policy->policy = request->policy;
  request->policy = NULL;
  reply_message(rpc, &policy->policy->base);
done:
  google__iam__v1__set_iam_policy_request__free_unpacked(request, NULL);
}

void test_iam_permissions_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Iam__V1__TestIamPermissionsRequest *request =
      unpack_request(rpc, &google__iam__v1__test_iam_permissions_request__descriptor, take_request);
  if (!request) return;
  Google__Iam__V1__TestIamPermissionsResponse response =
      GOOGLE__IAM__V1__TEST_IAM_PERMISSIONS_RESPONSE__INIT;
  struct broker *broker = rpc->server;
  bool denied = faults_draw(broker->faults, rpc->method->path, FAULT_DENY) != NULL;
  response.n_permissions = denied ? 0 : request->n_permissions;
  response.permissions = request->permissions;
  if (exists(rpc, request->resource)) reply_message(rpc, &response.base);
  google__iam__v1__test_iam_permissions_request__free_unpacked(request, NULL);
}

void iam_clear(struct broker *broker) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->policies, &it))) {
    pubsub_map_remove(&broker->policies, entry);
    policy_free(PUBSUB_CONTAINER_OF(entry, struct policy, entry));
  }
  pubsub_map_clear(&broker->policies);
}
