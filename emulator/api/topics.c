#include "api/lists.h"
#include "api/methods.h"
#include "api/resources.h"
#include "api/settings.h"
#include "model/journal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fixed[] = {"name", "kms_key_name", NULL};

static void create_topic(struct call *call, void *message) {
  Google__Pubsub__V1__Topic *config = message;
  struct pubsub_error error = {0};
  if (!require_name(call, config->name, "topics")) return;
  if (broker_topic(call->broker, config->name)) {
    fail_exists(call, config->name);
    return;
  }
  if (settings_check_topic(config, &error) != PUBSUB_OK) {
    fail_error(call, &error);
  } else if (!broker_add_topic(call->broker, config)) {
    fail_no_memory(call);
  } else {
    call_take_request(call);
    call_reply(call, &config->base);
  }
}

static void update_topic(struct call *call, void *message) {
  Google__Pubsub__V1__UpdateTopicRequest *request = message;
  Google__Pubsub__V1__Topic *update = request->topic;
  struct pubsub_error error = {0};
  struct topic *topic = require_topic(call, update ? update->name : "");
  if (!topic || !require_update(call, "Topic", &topic->config->base, &update->base,
                                request->update_mask, fixed)) {
    return;
  }
  if (settings_check_topic(topic->config, &error) != PUBSUB_OK) {
    /* The request holds the old values now: exchanges them again. */
    require_update(call, "Topic", &topic->config->base, &update->base, request->update_mask, fixed);
    fail_error(call, &error);
    return;
  }
  if (!topic->config->message_retention_duration) messages_free(&topic->retained);
  JOURNAL(&call->broker->world, topic, topic);
  call_reply(call, &topic->config->base);
}

static void get_topic(struct call *call, void *message) {
  const Google__Pubsub__V1__GetTopicRequest *request = message;
  struct topic *topic = require_topic(call, request->topic);
  if (topic) call_reply(call, &topic->config->base);
}

/* Without memory it goes on naming the topic that is gone. */
static void say_deleted(struct subscription *subscription) {
  char *deleted = strdup("_deleted-topic_");
  if (!deleted) return;
  free(subscription->config->topic);
  subscription->config->topic = deleted;
}

static void delete_topic(struct call *call, void *message) {
  const Google__Pubsub__V1__DeleteTopicRequest *request = message;
  struct topic *topic = require_topic(call, request->topic);
  if (!topic) return;
  struct pubsub_list *link = topic->subscriptions.next;
  for (; link != &topic->subscriptions; link = link->next) {
    say_deleted(PUBSUB_CONTAINER_OF(link, struct subscription, topic_link));
  }
  broker_remove_topic(call->broker, topic);
  call_reply_empty(call);
}

static void *topic_config(struct pubsub_map_entry *entry) {
  return PUBSUB_CONTAINER_OF(entry, struct topic, entry)->config;
}

static void list_topics(struct call *call, void *message) {
  const Google__Pubsub__V1__ListTopicsRequest *request = message;
  struct listing listing = {0};
  char prefix[600];
  if (!require_project(call, request->project)) return;
  snprintf(prefix, sizeof prefix, "%s/topics/", request->project);
  listing_add_all(&listing, &call->broker->topics, prefix, topic_config);
  listing_reply(call, &listing, prefix, request->page_size, request->page_token);
}

static void list_topic_snapshots(struct call *call, void *message) {
  const Google__Pubsub__V1__ListTopicSnapshotsRequest *request = message;
  struct listing listing = {0};
  struct topic *topic = require_topic(call, request->topic);
  if (!topic) return;
  struct pubsub_list *link = topic->snapshots.next;
  for (; link != &topic->snapshots; link = link->next) {
    char *name = PUBSUB_CONTAINER_OF(link, struct snapshot, topic_link)->config->name;
    listing_add(&listing, name, name);
  }
  listing_reply(call, &listing, "projects/", request->page_size, request->page_token);
}

static void list_topic_subscriptions(struct call *call, void *message) {
  const Google__Pubsub__V1__ListTopicSubscriptionsRequest *request = message;
  struct listing listing = {0};
  struct topic *topic = require_topic(call, request->topic);
  if (!topic) return;
  struct pubsub_list *link = topic->subscriptions.next;
  for (; link != &topic->subscriptions; link = link->next) {
    const Google__Pubsub__V1__Subscription *config =
        PUBSUB_CONTAINER_OF(link, struct subscription, topic_link)->config;
    if (!config->detached) listing_add(&listing, config->name, config->name);
  }
  listing_reply(call, &listing, "projects/", request->page_size, request->page_token);
}

const struct method topic_methods[] = {
    METHOD(PUBLISHER, "CreateTopic", google__pubsub__v1__topic, google__pubsub__v1__topic,
           create_topic),
    METHOD(PUBLISHER, "UpdateTopic", google__pubsub__v1__update_topic_request,
           google__pubsub__v1__topic, update_topic),
    METHOD(PUBLISHER, "GetTopic", google__pubsub__v1__get_topic_request, google__pubsub__v1__topic,
           get_topic),
    METHOD(PUBLISHER, "DeleteTopic", google__pubsub__v1__delete_topic_request,
           google__protobuf__empty, delete_topic),
    METHOD(PUBLISHER, "ListTopics", google__pubsub__v1__list_topics_request,
           google__pubsub__v1__list_topics_response, list_topics),
    METHOD(PUBLISHER, "ListTopicSnapshots", google__pubsub__v1__list_topic_snapshots_request,
           google__pubsub__v1__list_topic_snapshots_response, list_topic_snapshots),
    METHOD(PUBLISHER, "ListTopicSubscriptions",
           google__pubsub__v1__list_topic_subscriptions_request,
           google__pubsub__v1__list_topic_subscriptions_response, list_topic_subscriptions),
    {0},
};
