#include "services.h"

#include "base/alloc.h"
#include "settings.h"
#include "update.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void create_topic_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__Topic *config =
      unpack_request(rpc, &google__pubsub__v1__topic__descriptor, take_request);
  if (!config) return;
  if (!require_name(rpc, config->name, "topics")) goto drop;
  if (broker_topic(rpc->server, config->name)) {
    rpc_fail(rpc, PUBSUB_GRPC_ALREADY_EXISTS,
             "Resource already exists in the project (resource=%s).",
             strrchr(config->name, '/') + 1);
    goto drop;
  }
  if (!settings_check_topic(rpc, config)) goto drop;
  if (!broker_add_topic(rpc->server, config)) {
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    goto drop;
  }
  reply_message(rpc, &config->base);
  return;
drop:
  google__pubsub__v1__topic__free_unpacked(config, NULL);
}

void update_topic_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  static const char *const fixed[] = {"name", "kms_key_name", NULL};
  Google__Pubsub__V1__UpdateTopicRequest *request =
      unpack_request(rpc, &google__pubsub__v1__update_topic_request__descriptor, take_request);
  const char *problem;
  if (!request) return;
  struct topic *topic = require_topic(rpc, request->topic ? request->topic->name : "");
  if (topic) {
    if (!request->update_mask || request->update_mask->n_paths == 0) {
      rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
               "The update_mask in the UpdateTopicRequest must be set, and must contain a "
               "non-empty paths list.");
    } else if (!update_apply(&topic->config->base, &request->topic->base, request->update_mask,
                             fixed, &problem)) {
      rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
               "Invalid update_mask provided in the UpdateTopicRequest: '%.100s' is not a known or "
               "mutable Topic field.",
               problem);
    } else if (!settings_check_topic(rpc, topic->config)) {
      update_apply(&topic->config->base, &request->topic->base, request->update_mask, fixed,
                   &problem);
    } else {
      if (!topic->config->message_retention_duration) messages_free(&topic->retained);
      reply_message(rpc, &topic->config->base);
    }
  }
  google__pubsub__v1__update_topic_request__free_unpacked(request, NULL);
}

void get_topic_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__GetTopicRequest *request =
      unpack_request(rpc, &google__pubsub__v1__get_topic_request__descriptor, take_request);
  if (!request) return;
  struct topic *topic = require_topic(rpc, request->topic);
  if (topic) reply_message(rpc, &topic->config->base);
  google__pubsub__v1__get_topic_request__free_unpacked(request, NULL);
}

void delete_topic_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__DeleteTopicRequest *request =
      unpack_request(rpc, &google__pubsub__v1__delete_topic_request__descriptor, take_request);
  if (!request) return;
  struct topic *topic = require_topic(rpc, request->topic);
  if (topic) {
    struct pubsub_list *link = topic->subscriptions.next;
    for (; link != &topic->subscriptions; link = link->next) {
      struct subscription *subscription =
          PUBSUB_CONTAINER_OF(link, struct subscription, topic_link);
      char *deleted = strdup("_deleted-topic_");
      if (!deleted) continue;
      free(subscription->config->topic);
      subscription->config->topic = deleted;
    }
    broker_remove_topic(rpc->server, topic);
    reply_empty(rpc);
  }
  google__pubsub__v1__delete_topic_request__free_unpacked(request, NULL);
}

void list_topics_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  struct broker *broker = rpc->server;
  Google__Pubsub__V1__ListTopicsRequest *request =
      unpack_request(rpc, &google__pubsub__v1__list_topics_request__descriptor, take_request);
  if (!request) return;
  char prefix[600];
  struct named *page;
  bool more;
  snprintf(prefix, sizeof prefix, "%s/topics/", request->project);
  size_t count =
      page_of(&broker->topics, prefix, request->page_size, request->page_token, &page, &more);
  Google__Pubsub__V1__ListTopicsResponse response = GOOGLE__PUBSUB__V1__LIST_TOPICS_RESPONSE__INIT;
  response.topics = pubsub_alloc_zero(count + 1, sizeof *response.topics);
  for (size_t i = 0; i < count && response.topics; i++) {
    response.topics[i] = PUBSUB_CONTAINER_OF(page[i].object, struct topic, entry)->config;
    response.n_topics++;
  }
  if (more) response.next_page_token = (char *)(uintptr_t)page[count - 1].name;
  reply_message(rpc, &response.base);
  pubsub_free(response.topics);
  pubsub_free(page);
  google__pubsub__v1__list_topics_request__free_unpacked(request, NULL);
}

void list_topic_snapshots_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__ListTopicSnapshotsRequest *request = unpack_request(
      rpc, &google__pubsub__v1__list_topic_snapshots_request__descriptor, take_request);
  if (!request) return;
  struct topic *topic = require_topic(rpc, request->topic);
  if (topic) {
    Google__Pubsub__V1__ListTopicSnapshotsResponse response =
        GOOGLE__PUBSUB__V1__LIST_TOPIC_SNAPSHOTS_RESPONSE__INIT;
    struct broker *broker = rpc->server;
    struct pubsub_list *link;
    response.snapshots = pubsub_alloc_zero(broker->snapshots.count + 1, sizeof *response.snapshots);
    for (link = topic->snapshots.next; response.snapshots && link != &topic->snapshots;
         link = link->next) {
      response.snapshots[response.n_snapshots++] =
          PUBSUB_CONTAINER_OF(link, struct snapshot, topic_link)->config->name;
    }
    reply_message(rpc, &response.base);
    pubsub_free(response.snapshots);
  }
  google__pubsub__v1__list_topic_snapshots_request__free_unpacked(request, NULL);
}

void list_topic_subscriptions_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__ListTopicSubscriptionsRequest *request = unpack_request(
      rpc, &google__pubsub__v1__list_topic_subscriptions_request__descriptor, take_request);
  if (!request) return;
  struct topic *topic = require_topic(rpc, request->topic);
  if (topic) {
    Google__Pubsub__V1__ListTopicSubscriptionsResponse response =
        GOOGLE__PUBSUB__V1__LIST_TOPIC_SUBSCRIPTIONS_RESPONSE__INIT;
    size_t count = 0;
    struct pubsub_list *link;
    for (link = topic->subscriptions.next; link != &topic->subscriptions; link = link->next) {
      count++;
    }
    response.subscriptions = pubsub_alloc_zero(count + 1, sizeof *response.subscriptions);
    for (link = topic->subscriptions.next; response.subscriptions && link != &topic->subscriptions;
         link = link->next) {
      response.subscriptions[response.n_subscriptions++] =
          PUBSUB_CONTAINER_OF(link, struct subscription, topic_link)->config->name;
    }
    reply_message(rpc, &response.base);
    pubsub_free(response.subscriptions);
  }
  google__pubsub__v1__list_topic_subscriptions_request__free_unpacked(request, NULL);
}
