/* What the caller may do. Docs: pubsub/admin.h. */
#include "client/admin_call.h"
#include "google/iam/v1/iam_policy.pb-c.h"
#include <pubsub/admin.h>

enum pubsub_status pubsub_client_test_permission(struct pubsub_client *client, const char *resource,
                                                 const char *permission, bool *out_granted,
                                                 uint32_t timeout_ms, struct pubsub_error *error) {
  bool is_topic = strstr(resource, "/topics/") != NULL;
  struct pubsub_admin_method method = {"/google.iam.v1.IAMPolicy/TestIamPermissions", "resource",
                                       is_topic ? "topic" : "subscription", permission};
  Google__Iam__V1__TestIamPermissionsRequest request =
      GOOGLE__IAM__V1__TEST_IAM_PERMISSIONS_REQUEST__INIT;
  struct pubsub_buf response;
  char *permissions[] = {pubsub_admin_text(permission)};
  request.resource = pubsub_admin_text(resource);
  request.n_permissions = 1;
  request.permissions = permissions;
  *out_granted = false;
  enum pubsub_status status =
      pubsub_admin_call(client, &method, resource, &request.base, timeout_ms, &response, error);
  if (status == PUBSUB_OK) {
    struct pubsub_view bytes = pubsub_admin_answer(&response);
    Google__Iam__V1__TestIamPermissionsResponse *granted =
        google__iam__v1__test_iam_permissions_response__unpack(NULL, bytes.len, bytes.ptr);
    if (granted) *out_granted = granted->n_permissions == 1;
    if (granted) google__iam__v1__test_iam_permissions_response__free_unpacked(granted, NULL);
    if (!granted) status = pubsub_admin_unreadable(error);
  }
  pubsub_buf_clear(&response);
  return status;
}
