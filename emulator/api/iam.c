/* IAM: every permission is granted; policies are kept as they were sent. */
#include "api/methods.h"
#include "api/resources.h"
#include "faults/faults.h"
#include "google/iam/v1/iam_policy.pb-c.h"
#include "model/policy.h"

/* False: the call was failed. */
static bool require_any(struct call *call, const char *name) {
  struct broker *broker = call->broker;
  if (broker_topic(broker, name) || broker_subscription(broker, name) ||
      broker_snapshot(broker, name) || schema_find(&broker->schemas, name)) {
    return true;
  }
  call_fail(call, PUBSUB_GRPC_NOT_FOUND, "Resource not found (resource=%.300s).", name);
  return false;
}

static void get_iam_policy(struct call *call, void *message) {
  const Google__Iam__V1__GetIamPolicyRequest *request = message;
  if (!require_any(call, request->resource)) return;
  call_reply(call, &policy_of(&call->broker->policies, request->resource)->base);
}

static void set_iam_policy(struct call *call, void *message) {
  Google__Iam__V1__SetIamPolicyRequest *request = message;
  Google__Iam__V1__Policy *policy = request->policy;
  struct broker *broker = call->broker;
  if (!require_any(call, request->resource)) return;
  if (!policy) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "A policy must be given.");
  } else if (policy_is_stale(policy_of(&broker->policies, request->resource), policy)) {
    call_fail(call, PUBSUB_GRPC_ABORTED, "The policy was changed since it was read.");
  } else if (policy_set(&broker->world, &broker->policies, request->resource, policy) !=
             PUBSUB_OK) {
    fail_no_memory(call);
  } else {
    request->policy = NULL;
    call_reply(call, &policy->base);
  }
}

static void test_iam_permissions(struct call *call, void *message) {
  Google__Iam__V1__TestIamPermissionsRequest *request = message;
  Google__Iam__V1__TestIamPermissionsResponse response =
      GOOGLE__IAM__V1__TEST_IAM_PERMISSIONS_RESPONSE__INIT;
  bool denied = faults_draw(call->broker->faults, call->method->path, FAULT_DENY) != NULL;
  response.n_permissions = denied ? 0 : request->n_permissions;
  response.permissions = request->permissions;
  if (require_any(call, request->resource)) call_reply(call, &response.base);
}

const struct method iam_methods[] = {
    METHOD(IAM, "GetIamPolicy", google__iam__v1__get_iam_policy_request, google__iam__v1__policy,
           get_iam_policy),
    METHOD(IAM, "SetIamPolicy", google__iam__v1__set_iam_policy_request, google__iam__v1__policy,
           set_iam_policy),
    METHOD(IAM, "TestIamPermissions", google__iam__v1__test_iam_permissions_request,
           google__iam__v1__test_iam_permissions_response, test_iam_permissions),
    {0},
};
