/* Topics: create, look for, list, delete. Docs: pubsub/admin.h. */
#include "client/admin_call.h"
#include "client/name_list.h"
#include <pubsub/admin.h>

enum pubsub_status pubsub_client_create_topic(struct pubsub_client *client, const char *topic,
                                              uint32_t timeout_ms, struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_PUBLISHER_METHOD("CreateTopic"), "name",
                                                    "topic", "pubsub.topics.create"};
  Google__Pubsub__V1__Topic request = GOOGLE__PUBSUB__V1__TOPIC__INIT;
  request.name = pubsub_admin_text(topic);
  return pubsub_admin_call(client, &method, topic, &request.base, timeout_ms, NULL, error);
}

enum pubsub_status pubsub_client_get_topic(struct pubsub_client *client, const char *topic,
                                           uint32_t timeout_ms, struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_PUBLISHER_METHOD("GetTopic"), "topic",
                                                    "topic", "pubsub.topics.get"};
  Google__Pubsub__V1__GetTopicRequest request = GOOGLE__PUBSUB__V1__GET_TOPIC_REQUEST__INIT;
  request.topic = pubsub_admin_text(topic);
  return pubsub_admin_call(client, &method, topic, &request.base, timeout_ms, NULL, error);
}

enum pubsub_status pubsub_client_delete_topic(struct pubsub_client *client, const char *topic,
                                              uint32_t timeout_ms, struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_PUBLISHER_METHOD("DeleteTopic"), "topic",
                                                    "topic", "pubsub.topics.delete"};
  Google__Pubsub__V1__DeleteTopicRequest request = GOOGLE__PUBSUB__V1__DELETE_TOPIC_REQUEST__INIT;
  request.topic = pubsub_admin_text(topic);
  return pubsub_admin_call(client, &method, topic, &request.base, timeout_ms, NULL, error);
}

static enum pubsub_status topic_page(struct pubsub_client *client, const char *project,
                                     const char *page_token, uint32_t timeout_ms,
                                     struct pubsub_name_page *out, struct pubsub_error *error) {
  static const struct pubsub_admin_method method = {PUBSUB_PUBLISHER_METHOD("ListTopics"),
                                                    "project", "project", "pubsub.topics.list"};
  Google__Pubsub__V1__ListTopicsRequest request = GOOGLE__PUBSUB__V1__LIST_TOPICS_REQUEST__INIT;
  struct pubsub_buf response;
  request.project = pubsub_admin_text(project);
  request.page_token = pubsub_admin_text(page_token);
  request.page_size = PUBSUB_NAME_PAGE_SIZE;
  enum pubsub_status status =
      pubsub_admin_call(client, &method, project, &request.base, timeout_ms, &response, error);
  struct pubsub_view bytes = pubsub_admin_answer(&response);
  Google__Pubsub__V1__ListTopicsResponse *answer =
      status == PUBSUB_OK
          ? google__pubsub__v1__list_topics_response__unpack(NULL, bytes.len, bytes.ptr)
          : NULL;
  if (status == PUBSUB_OK && !answer) status = pubsub_admin_unreadable(error);
  for (size_t i = 0; answer && i < answer->n_topics && status == PUBSUB_OK; i++)
    status = pubsub_name_page_add(out, answer->topics[i]->name, error);
  if (answer && status == PUBSUB_OK)
    status = pubsub_name_page_end(out, answer->next_page_token, error);
  if (answer) google__pubsub__v1__list_topics_response__free_unpacked(answer, NULL);
  pubsub_buf_clear(&response);
  return status;
}

enum pubsub_status pubsub_client_list_topics(struct pubsub_client *client, const char *project,
                                             pubsub_name_fn *on_name, void *user,
                                             uint32_t timeout_ms, struct pubsub_error *error) {
  return pubsub_name_list(client, project, topic_page, on_name, user, timeout_ms, error);
}
