/* Snapshots: create, list, delete. Docs: pubsub/admin.h. */
#include "client/admin_call.h"
#include "client/name_list.h"
#include <pubsub/admin.h>

enum pubsub_status pubsub_client_create_snapshot(struct pubsub_client *client, const char *snapshot,
                                                 const char *subscription, uint32_t timeout_ms,
                                                 struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_SUBSCRIBER_METHOD("CreateSnapshot"),
                                                    "name", "snapshot", "pubsub.snapshots.create"};
  Google__Pubsub__V1__CreateSnapshotRequest request =
      GOOGLE__PUBSUB__V1__CREATE_SNAPSHOT_REQUEST__INIT;
  request.name = pubsub_admin_text(snapshot);
  request.subscription = pubsub_admin_text(subscription);
  struct pubsub_error cause = {0};
  enum pubsub_status status =
      pubsub_admin_call(client, &method, snapshot, &request.base, timeout_ms, NULL, &cause);
  if (status == PUBSUB_E_GRPC && cause.grpc_code == PUBSUB_GRPC_NOT_FOUND)
    pubsub_admin_set_missing(client, "subscription", subscription, &cause);
  if (status != PUBSUB_OK && error) *error = cause;
  return status;
}

enum pubsub_status pubsub_client_delete_snapshot(struct pubsub_client *client, const char *snapshot,
                                                 uint32_t timeout_ms, struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_SUBSCRIBER_METHOD("DeleteSnapshot"),
                                                    "snapshot", "snapshot",
                                                    "pubsub.snapshots.delete"};
  Google__Pubsub__V1__DeleteSnapshotRequest request =
      GOOGLE__PUBSUB__V1__DELETE_SNAPSHOT_REQUEST__INIT;
  request.snapshot = pubsub_admin_text(snapshot);
  return pubsub_admin_call(client, &method, snapshot, &request.base, timeout_ms, NULL, error);
}

static enum pubsub_status snapshot_page(struct pubsub_client *client, const char *project,
                                        const char *page_token, uint32_t timeout_ms,
                                        struct pubsub_name_page *out, struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_SUBSCRIBER_METHOD("ListSnapshots"),
                                                    "project", "project", "pubsub.snapshots.list"};
  Google__Pubsub__V1__ListSnapshotsRequest request =
      GOOGLE__PUBSUB__V1__LIST_SNAPSHOTS_REQUEST__INIT;
  struct pubsub_buf response;
  request.project = pubsub_admin_text(project);
  request.page_token = pubsub_admin_text(page_token);
  request.page_size = PUBSUB_NAME_PAGE_SIZE;
  enum pubsub_status status =
      pubsub_admin_call(client, &method, project, &request.base, timeout_ms, &response, error);
  struct pubsub_view bytes = pubsub_admin_answer(&response);
  Google__Pubsub__V1__ListSnapshotsResponse *answer =
      status == PUBSUB_OK
          ? google__pubsub__v1__list_snapshots_response__unpack(NULL, bytes.len, bytes.ptr)
          : NULL;
  if (status == PUBSUB_OK && !answer) status = pubsub_admin_unreadable(error);
  for (size_t i = 0; answer && i < answer->n_snapshots && status == PUBSUB_OK; i++)
    status = pubsub_name_page_add(out, answer->snapshots[i]->name, error);
  if (answer && status == PUBSUB_OK)
    status = pubsub_name_page_end(out, answer->next_page_token, error);
  if (answer) google__pubsub__v1__list_snapshots_response__free_unpacked(answer, NULL);
  pubsub_buf_clear(&response);
  return status;
}

enum pubsub_status pubsub_client_list_snapshots(struct pubsub_client *client, const char *project,
                                                pubsub_name_fn *on_name, void *user,
                                                uint32_t timeout_ms, struct pubsub_error *error) {
  return pubsub_name_list(client, project, snapshot_page, on_name, user, timeout_ms, error);
}
