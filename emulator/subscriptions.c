#include "services.h"

#include "base/alloc.h"
#include "lists.h"
#include "settings.h"
#include "update.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void deliver(struct pubsub_deferred *deferred) {
  struct subscription *subscription = PUBSUB_CONTAINER_OF(deferred, struct subscription, deliver);
  pull_serve(subscription);
  stream_serve(subscription);
}

void subscription_start(struct subscription *subscription) {
  subscription->deliver.run = deliver;
  backlog_wake(subscription);
}

static bool check(struct rpc *rpc, Google__Pubsub__V1__Subscription *config) {
  if (!require_name(rpc, config->name, "subscriptions")) return false;
  if (broker_subscription(rpc->server, config->name)) {
    rpc_fail(rpc, PUBSUB_GRPC_ALREADY_EXISTS,
             "Resource already exists in the project (resource=%s).",
             strrchr(config->name, '/') + 1);
    return false;
  }
  return settings_check_subscription(rpc, config);
}

/* topic_message_retention_duration is the topic's, shown. */
static void show_topic_retention(struct subscription *subscription) {
  const Google__Protobuf__Duration *of =
      subscription->topic ? subscription->topic->config->message_retention_duration : NULL;
  Google__Protobuf__Duration **shown = &subscription->config->topic_message_retention_duration;
  if (*shown) google__protobuf__duration__free_unpacked(*shown, NULL);
  *shown = of ? malloc(sizeof **shown) : NULL;
  if (*shown) {
    google__protobuf__duration__init(*shown);
    (*shown)->seconds = of->seconds;
    (*shown)->nanos = of->nanos;
  }
}

void create_subscription_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__Subscription *config =
      unpack_request(rpc, &google__pubsub__v1__subscription__descriptor, take_request);
  if (!config) return;
  if (!check(rpc, config)) goto drop;
  struct topic *topic = require_topic(rpc, config->topic);
  if (!topic) goto drop;
  const char *problem;
  struct filter *filter = filter_parse(config->filter, &problem);
  struct subscription *subscription =
      problem ? NULL : broker_add_subscription(rpc->server, topic, config, filter);
  if (!subscription) {
    filter_free(filter);
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    goto drop;
  }
  subscription_start(subscription);
  show_topic_retention(subscription);
  config->state = GOOGLE__PUBSUB__V1__SUBSCRIPTION__STATE__ACTIVE;
  reply_message(rpc, &config->base);
  return;
drop:
  google__pubsub__v1__subscription__free_unpacked(config, NULL);
}

void update_subscription_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  static const char *const fixed[] = {
      "name", "topic", "enable_message_ordering", "filter", "state", "detached", NULL};
  Google__Pubsub__V1__UpdateSubscriptionRequest *request = unpack_request(
      rpc, &google__pubsub__v1__update_subscription_request__descriptor, take_request);
  const char *problem;
  if (!request) return;
  Google__Pubsub__V1__Subscription *update = request->subscription;
  struct subscription *subscription = require_subscription(rpc, update ? update->name : "");
  if (!subscription) goto done;
  if (!request->update_mask || request->update_mask->n_paths == 0) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
             "The update_mask in the UpdateSubscriptionRequest must be set, and must contain a "
             "non-empty paths list.");
    goto done;
  }
  if (!update_apply(&subscription->config->base, &update->base, request->update_mask, fixed,
                    &problem)) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
             "Invalid update_mask provided in the UpdateSubscriptionRequest: '%.100s' is not a "
             "known or mutable Subscription field.",
             problem);
    goto done;
  }
  if (!settings_check_subscription(rpc, subscription->config)) {
    /* The request holds the old values now: exchanges them again. */
    update_apply(&subscription->config->base, &update->base, request->update_mask, fixed, &problem);
    goto done;
  }
  show_topic_retention(subscription);
  backlog_wake(subscription);
  reply_message(rpc, &subscription->config->base);
done:
  google__pubsub__v1__update_subscription_request__free_unpacked(request, NULL);
}

/* The subscription stays, without its topic and its messages. */
void detach_subscription_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__DetachSubscriptionRequest *request = unpack_request(
      rpc, &google__pubsub__v1__detach_subscription_request__descriptor, take_request);
  if (!request) return;
  struct subscription *subscription = require_subscription(rpc, request->subscription);
  if (subscription) {
    stream_end_all(subscription, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription is detached");
    pull_end_all(subscription, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription is detached");
    subscription->config->detached = 1;
    subscription->detached = true;
    backlog_clear(subscription);
    reply_empty(rpc);
  }
  google__pubsub__v1__detach_subscription_request__free_unpacked(request, NULL);
}

/* Push is kept, not done. */
void modify_push_config_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__ModifyPushConfigRequest *request = unpack_request(
      rpc, &google__pubsub__v1__modify_push_config_request__descriptor, take_request);
  if (!request) return;
  struct subscription *subscription = require_subscription(rpc, request->subscription);
  if (subscription) {
    Google__Pubsub__V1__PushConfig *old = subscription->config->push_config;
    subscription->config->push_config = request->push_config;
    request->push_config = old;
    reply_empty(rpc);
  }
  google__pubsub__v1__modify_push_config_request__free_unpacked(request, NULL);
}

void get_subscription_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__GetSubscriptionRequest *request =
      unpack_request(rpc, &google__pubsub__v1__get_subscription_request__descriptor, take_request);
  if (!request) return;
  struct subscription *subscription = require_subscription(rpc, request->subscription);
  if (subscription) {
    show_topic_retention(subscription);
    reply_message(rpc, &subscription->config->base);
  }
  google__pubsub__v1__get_subscription_request__free_unpacked(request, NULL);
}

void delete_subscription_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__DeleteSubscriptionRequest *request = unpack_request(
      rpc, &google__pubsub__v1__delete_subscription_request__descriptor, take_request);
  if (!request) return;
  struct subscription *subscription = require_subscription(rpc, request->subscription);
  if (subscription) {
    stream_end_all(subscription, PUBSUB_GRPC_NOT_FOUND, "the subscription was deleted");
    pull_end_all(subscription, PUBSUB_GRPC_NOT_FOUND, "the subscription was deleted");
    broker_remove_subscription(rpc->server, subscription);
    reply_empty(rpc);
  }
  google__pubsub__v1__delete_subscription_request__free_unpacked(request, NULL);
}

static void *subscription_config(struct pubsub_map_entry *entry) {
  return PUBSUB_CONTAINER_OF(entry, struct subscription, entry)->config;
}

void list_subscriptions_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  struct broker *broker = rpc->server;
  Google__Pubsub__V1__ListSubscriptionsRequest *request = unpack_request(
      rpc, &google__pubsub__v1__list_subscriptions_request__descriptor, take_request);
  struct listing listing = {0};
  char prefix[600];
  if (!request) return;
  snprintf(prefix, sizeof prefix, "%s/subscriptions/", request->project);
  listing_add_all(&listing, &broker->subscriptions, prefix, subscription_config);
  listing_reply(rpc, &listing, &google__pubsub__v1__list_subscriptions_response__descriptor, prefix,
                request->page_size, request->page_token);
  google__pubsub__v1__list_subscriptions_request__free_unpacked(request, NULL);
}
