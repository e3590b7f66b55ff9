#include "services.h"

#include "base/alloc.h"
#include "lists.h"
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

static void *topic_config(struct pubsub_map_entry *entry) {
  return PUBSUB_CONTAINER_OF(entry, struct topic, entry)->config;
}

void list_topics_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  struct broker *broker = rpc->server;
  Google__Pubsub__V1__ListTopicsRequest *request =
      unpack_request(rpc, &google__pubsub__v1__list_topics_request__descriptor, take_request);
  struct listing listing = {0};
  char prefix[600];
  if (!request) return;
  snprintf(prefix, sizeof prefix, "%s/topics/", request->project);
  listing_add_all(&listing, &broker->topics, prefix, topic_config);
  listing_reply(rpc, &listing, &google__pubsub__v1__list_topics_response__descriptor, prefix,
                request->page_size, request->page_token);
  google__pubsub__v1__list_topics_request__free_unpacked(request, NULL);
}

void list_topic_snapshots_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__ListTopicSnapshotsRequest *request = unpack_request(
      rpc, &google__pubsub__v1__list_topic_snapshots_request__descriptor, take_request);
  struct listing listing = {0};
  if (!request) return;
  struct topic *topic = require_topic(rpc, request->topic);
  if (topic) {
    struct pubsub_list *link = topic->snapshots.next;
    for (; link != &topic->snapshots; link = link->next) {
      char *name = PUBSUB_CONTAINER_OF(link, struct snapshot, topic_link)->config->name;
      listing_add(&listing, name, name);
    }
    listing_reply(rpc, &listing, &google__pubsub__v1__list_topic_snapshots_response__descriptor,
                  "projects/", request->page_size, request->page_token);
  }
  google__pubsub__v1__list_topic_snapshots_request__free_unpacked(request, NULL);
}

void list_topic_subscriptions_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__ListTopicSubscriptionsRequest *request = unpack_request(
      rpc, &google__pubsub__v1__list_topic_subscriptions_request__descriptor, take_request);
  struct listing listing = {0};
  if (!request) return;
  struct topic *topic = require_topic(rpc, request->topic);
  if (topic) {
    struct pubsub_list *link = topic->subscriptions.next;
    for (; link != &topic->subscriptions; link = link->next) {
      const Google__Pubsub__V1__Subscription *config =
          PUBSUB_CONTAINER_OF(link, struct subscription, topic_link)->config;
      if (!config->detached) listing_add(&listing, config->name, config->name);
    }
    listing_reply(rpc, &listing, &google__pubsub__v1__list_topic_subscriptions_response__descriptor,
                  "projects/", request->page_size, request->page_token);
  }
  google__pubsub__v1__list_topic_subscriptions_request__free_unpacked(request, NULL);
}
