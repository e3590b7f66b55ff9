/* Subscriptions: create, look at, list, change, seek, detach, delete. Docs: pubsub/admin.h. */
#include "client/admin_call.h"
#include "client/name_list.h"
#include <pubsub/admin.h>
#include <stdio.h>

/* What a subscription is, as the request has it; borrows `info` and the parts in `store`. */
struct store {
  Google__Protobuf__Duration retention;
};

static void fill(Google__Pubsub__V1__Subscription *out, struct store *store, const char *name,
                 const struct pubsub_subscription_info *info) {
  google__protobuf__duration__init(&store->retention);
  store->retention.seconds = (int64_t)info->retention_s;
  out->name = pubsub_admin_text(name);
  out->topic = pubsub_admin_text(info->topic);
  out->ack_deadline_seconds = (int32_t)info->ack_deadline_s;
  out->enable_exactly_once_delivery = info->exactly_once;
  out->enable_message_ordering = info->ordering;
  out->retain_acked_messages = info->retain_acked;
  out->filter = pubsub_admin_text(info->filter);
  if (info->retention_s > 0) out->message_retention_duration = &store->retention;
}

enum pubsub_status pubsub_client_create_subscription(struct pubsub_client *client,
                                                     const char *subscription,
                                                     const struct pubsub_subscription_info *info,
                                                     uint32_t timeout_ms,
                                                     struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_SUBSCRIBER_METHOD("CreateSubscription"),
                                                    "name", "subscription",
                                                    "pubsub.subscriptions.create"};
  Google__Pubsub__V1__Subscription request = GOOGLE__PUBSUB__V1__SUBSCRIPTION__INIT;
  struct store store;
  struct pubsub_error cause = {0};
  fill(&request, &store, subscription, info);
  enum pubsub_status status =
      pubsub_admin_call(client, &method, subscription, &request.base, timeout_ms, NULL, &cause);
  if (status == PUBSUB_E_GRPC && cause.grpc_code == PUBSUB_GRPC_NOT_FOUND)
    pubsub_admin_set_missing(client, "topic", info->topic, &cause);
  if (status != PUBSUB_OK && error) *error = cause;
  return status;
}

static void read_info(const Google__Pubsub__V1__Subscription *from,
                      struct pubsub_subscription_info *out) {
  *out = (struct pubsub_subscription_info){.ack_deadline_s = (uint32_t)from->ack_deadline_seconds,
                                           .exactly_once = from->enable_exactly_once_delivery,
                                           .ordering = from->enable_message_ordering,
                                           .retain_acked = from->retain_acked_messages,
                                           .detached = from->detached};
  if (from->message_retention_duration)
    out->retention_s = (uint64_t)from->message_retention_duration->seconds;
  snprintf(out->topic, sizeof out->topic, "%s", from->topic);
  snprintf(out->filter, sizeof out->filter, "%s", from->filter);
}

enum pubsub_status pubsub_client_get_subscription(struct pubsub_client *client,
                                                  const char *subscription,
                                                  struct pubsub_subscription_info *info,
                                                  uint32_t timeout_ms, struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_SUBSCRIBER_METHOD("GetSubscription"),
                                                    "subscription", "subscription",
                                                    "pubsub.subscriptions.get"};
  Google__Pubsub__V1__GetSubscriptionRequest request =
      GOOGLE__PUBSUB__V1__GET_SUBSCRIPTION_REQUEST__INIT;
  struct pubsub_buf response;
  request.subscription = pubsub_admin_text(subscription);
  enum pubsub_status status =
      pubsub_admin_call(client, &method, subscription, &request.base, timeout_ms, &response, error);
  if (status == PUBSUB_OK && info) {
    struct pubsub_view bytes = pubsub_admin_answer(&response);
    Google__Pubsub__V1__Subscription *answer =
        google__pubsub__v1__subscription__unpack(NULL, bytes.len, bytes.ptr);
    if (answer) read_info(answer, info);
    if (answer) google__pubsub__v1__subscription__free_unpacked(answer, NULL);
    if (!answer) status = pubsub_admin_unreadable(error);
  }
  pubsub_buf_clear(&response);
  return status;
}

enum pubsub_status pubsub_client_update_subscription(struct pubsub_client *client,
                                                     const char *subscription,
                                                     const struct pubsub_subscription_info *info,
                                                     uint32_t fields, uint32_t timeout_ms,
                                                     struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_SUBSCRIBER_METHOD("UpdateSubscription"),
                                                    "subscription.name", "subscription",
                                                    "pubsub.subscriptions.update"};
  static char *const paths[] = {"ack_deadline_seconds", "message_retention_duration",
                                "enable_exactly_once_delivery", "retain_acked_messages"};
  Google__Pubsub__V1__UpdateSubscriptionRequest request =
      GOOGLE__PUBSUB__V1__UPDATE_SUBSCRIPTION_REQUEST__INIT;
  Google__Pubsub__V1__Subscription wanted = GOOGLE__PUBSUB__V1__SUBSCRIPTION__INIT;
  Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
  char *chosen[sizeof paths / sizeof *paths];
  struct store store;
  fill(&wanted, &store, subscription, info);
  mask.paths = chosen;
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    if (fields & 1u << i) chosen[mask.n_paths++] = paths[i];
  }
  request.subscription = &wanted;
  request.update_mask = &mask;
  return pubsub_admin_call(client, &method, subscription, &request.base, timeout_ms, NULL, error);
}

enum pubsub_status pubsub_client_delete_subscription(struct pubsub_client *client,
                                                     const char *subscription, uint32_t timeout_ms,
                                                     struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_SUBSCRIBER_METHOD("DeleteSubscription"),
                                                    "subscription", "subscription",
                                                    "pubsub.subscriptions.delete"};
  Google__Pubsub__V1__DeleteSubscriptionRequest request =
      GOOGLE__PUBSUB__V1__DELETE_SUBSCRIPTION_REQUEST__INIT;
  request.subscription = pubsub_admin_text(subscription);
  return pubsub_admin_call(client, &method, subscription, &request.base, timeout_ms, NULL, error);
}

enum pubsub_status pubsub_client_detach_subscription(struct pubsub_client *client,
                                                     const char *subscription, uint32_t timeout_ms,
                                                     struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_PUBLISHER_METHOD("DetachSubscription"),
                                                    "subscription", "subscription",
                                                    "pubsub.topics.detachSubscription"};
  Google__Pubsub__V1__DetachSubscriptionRequest request =
      GOOGLE__PUBSUB__V1__DETACH_SUBSCRIPTION_REQUEST__INIT;
  request.subscription = pubsub_admin_text(subscription);
  return pubsub_admin_call(client, &method, subscription, &request.base, timeout_ms, NULL, error);
}

static enum pubsub_status seek(struct pubsub_client *client,
                               const Google__Pubsub__V1__SeekRequest *request, uint32_t timeout_ms,
                               struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_SUBSCRIBER_METHOD("Seek"),
                                                    "subscription", "subscription",
                                                    "pubsub.subscriptions.consume"};
  return pubsub_admin_call(client, &method, request->subscription, &request->base, timeout_ms, NULL,
                           error);
}

enum pubsub_status pubsub_client_seek(struct pubsub_client *client, const char *subscription,
                                      int64_t time_us, uint32_t timeout_ms,
                                      struct pubsub_error *error) {
  Google__Pubsub__V1__SeekRequest request = GOOGLE__PUBSUB__V1__SEEK_REQUEST__INIT;
  Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
  int64_t below_us = time_us % 1000000 < 0 ? time_us % 1000000 + 1000000 : time_us % 1000000;
  time.seconds = (time_us - below_us) / 1000000;
  time.nanos = (int32_t)(below_us * 1000);
  request.subscription = pubsub_admin_text(subscription);
  request.target_case = GOOGLE__PUBSUB__V1__SEEK_REQUEST__TARGET_TIME;
  request.time = &time;
  return seek(client, &request, timeout_ms, error);
}

enum pubsub_status pubsub_client_seek_to_snapshot(struct pubsub_client *client,
                                                  const char *subscription, const char *snapshot,
                                                  uint32_t timeout_ms, struct pubsub_error *error) {
  Google__Pubsub__V1__SeekRequest request = GOOGLE__PUBSUB__V1__SEEK_REQUEST__INIT;
  request.subscription = pubsub_admin_text(subscription);
  request.target_case = GOOGLE__PUBSUB__V1__SEEK_REQUEST__TARGET_SNAPSHOT;
  request.snapshot = pubsub_admin_text(snapshot);
  return seek(client, &request, timeout_ms, error);
}

static enum pubsub_status page_of_project(struct pubsub_client *client, const char *project,
                                          const char *page_token, uint32_t timeout_ms,
                                          struct pubsub_name_page *out,
                                          struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_SUBSCRIBER_METHOD("ListSubscriptions"),
                                                    "project", "project",
                                                    "pubsub.subscriptions.list"};
  Google__Pubsub__V1__ListSubscriptionsRequest request =
      GOOGLE__PUBSUB__V1__LIST_SUBSCRIPTIONS_REQUEST__INIT;
  struct pubsub_buf response;
  request.project = pubsub_admin_text(project);
  request.page_token = pubsub_admin_text(page_token);
  request.page_size = PUBSUB_NAME_PAGE_SIZE;
  enum pubsub_status status =
      pubsub_admin_call(client, &method, project, &request.base, timeout_ms, &response, error);
  struct pubsub_view bytes = pubsub_admin_answer(&response);
  Google__Pubsub__V1__ListSubscriptionsResponse *answer =
      status == PUBSUB_OK
          ? google__pubsub__v1__list_subscriptions_response__unpack(NULL, bytes.len, bytes.ptr)
          : NULL;
  if (status == PUBSUB_OK && !answer) status = pubsub_admin_unreadable(error);
  for (size_t i = 0; answer && i < answer->n_subscriptions && status == PUBSUB_OK; i++)
    status = pubsub_name_page_add(out, answer->subscriptions[i]->name, error);
  if (answer && status == PUBSUB_OK)
    status = pubsub_name_page_end(out, answer->next_page_token, error);
  if (answer) google__pubsub__v1__list_subscriptions_response__free_unpacked(answer, NULL);
  pubsub_buf_clear(&response);
  return status;
}

static enum pubsub_status page_of_topic(struct pubsub_client *client, const char *topic,
                                        const char *page_token, uint32_t timeout_ms,
                                        struct pubsub_name_page *out, struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {
      PUBSUB_PUBLISHER_METHOD("ListTopicSubscriptions"), "topic", "topic",
      "pubsub.topics.attachSubscription"};
  Google__Pubsub__V1__ListTopicSubscriptionsRequest request =
      GOOGLE__PUBSUB__V1__LIST_TOPIC_SUBSCRIPTIONS_REQUEST__INIT;
  struct pubsub_buf response;
  request.topic = pubsub_admin_text(topic);
  request.page_token = pubsub_admin_text(page_token);
  request.page_size = PUBSUB_NAME_PAGE_SIZE;
  enum pubsub_status status =
      pubsub_admin_call(client, &method, topic, &request.base, timeout_ms, &response, error);
  struct pubsub_view bytes = pubsub_admin_answer(&response);
  Google__Pubsub__V1__ListTopicSubscriptionsResponse *answer =
      status == PUBSUB_OK ? google__pubsub__v1__list_topic_subscriptions_response__unpack(
                                NULL, bytes.len, bytes.ptr)
                          : NULL;
  if (status == PUBSUB_OK && !answer) status = pubsub_admin_unreadable(error);
  for (size_t i = 0; answer && i < answer->n_subscriptions && status == PUBSUB_OK; i++)
    status = pubsub_name_page_add(out, answer->subscriptions[i], error);
  if (answer && status == PUBSUB_OK)
    status = pubsub_name_page_end(out, answer->next_page_token, error);
  if (answer) google__pubsub__v1__list_topic_subscriptions_response__free_unpacked(answer, NULL);
  pubsub_buf_clear(&response);
  return status;
}

enum pubsub_status pubsub_client_list_subscriptions(struct pubsub_client *client,
                                                    const char *parent, pubsub_name_fn *on_name,
                                                    void *user, uint32_t timeout_ms,
                                                    struct pubsub_error *error) {
  bool of_topic = strstr(parent, "/topics/") != NULL;
  return pubsub_name_list(client, parent, of_topic ? page_of_topic : page_of_project, on_name, user,
                          timeout_ms, error);
}
