#include "api/lists.h"
#include "api/methods.h"
#include "api/resources.h"
#include "api/settings.h"
#include "model/contents.h"
#include "model/delivery.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const fixed[] = {
    "name", "topic", "enable_message_ordering", "filter", "state", "detached", NULL};

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

static void reply_subscription(struct call *call, struct subscription *subscription) {
  show_topic_retention(subscription);
  call_reply(call, &subscription->config->base);
}

/* False: the call was failed. */
static bool check_new(struct call *call, Google__Pubsub__V1__Subscription *config) {
  struct pubsub_error error = {0};
  if (!require_name(call, config->name, "subscriptions")) return false;
  if (broker_subscription(call->broker, config->name)) {
    fail_exists(call, config->name);
    return false;
  }
  if (settings_check_subscription(config, &error) == PUBSUB_OK) return true;
  fail_error(call, &error);
  return false;
}

static void create_subscription(struct call *call, void *message) {
  Google__Pubsub__V1__Subscription *config = message;
  const char *problem;
  if (!check_new(call, config)) return;
  struct topic *topic = require_topic(call, config->topic);
  if (!topic) return;
  struct filter *filter = filter_parse(config->filter, &problem);
  struct subscription *subscription =
      problem ? NULL : broker_add_subscription(call->broker, topic, config, filter);
  if (!subscription) {
    filter_free(filter);
    fail_no_memory(call);
    return;
  }
  call_take_request(call);
  config->state = GOOGLE__PUBSUB__V1__SUBSCRIPTION__STATE__ACTIVE;
  reply_subscription(call, subscription);
}

static void update_subscription(struct call *call, void *message) {
  Google__Pubsub__V1__UpdateSubscriptionRequest *request = message;
  Google__Pubsub__V1__Subscription *update = request->subscription;
  struct pubsub_error error = {0};
  struct subscription *subscription = require_subscription(call, update ? update->name : "");
  if (!subscription || !require_update(call, "Subscription", &subscription->config->base,
                                       &update->base, request->update_mask, fixed)) {
    return;
  }
  if (settings_check_subscription(subscription->config, &error) != PUBSUB_OK) {
    /* The request holds the old values now: exchanges them again. */
    require_update(call, "Subscription", &subscription->config->base, &update->base,
                   request->update_mask, fixed);
    fail_error(call, &error);
    return;
  }
  delivery_wake(subscription);
  reply_subscription(call, subscription);
}

/* The subscription stays, without its topic and its messages. */
static void detach_subscription(struct call *call, void *message) {
  const Google__Pubsub__V1__DetachSubscriptionRequest *request = message;
  struct subscription *subscription = require_subscription(call, request->subscription);
  if (!subscription) return;
  delivery_end_all(subscription, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription is detached");
  subscription->config->detached = 1;
  subscription->detached = true;
  contents_clear(subscription);
  call_reply_empty(call);
}

/* Push is kept, not done. */
static void modify_push_config(struct call *call, void *message) {
  Google__Pubsub__V1__ModifyPushConfigRequest *request = message;
  struct subscription *subscription = require_subscription(call, request->subscription);
  if (!subscription) return;
  Google__Pubsub__V1__PushConfig *old = subscription->config->push_config;
  subscription->config->push_config = request->push_config;
  request->push_config = old;
  call_reply_empty(call);
}

static void get_subscription(struct call *call, void *message) {
  const Google__Pubsub__V1__GetSubscriptionRequest *request = message;
  struct subscription *subscription = require_subscription(call, request->subscription);
  if (subscription) reply_subscription(call, subscription);
}

static void delete_subscription(struct call *call, void *message) {
  const Google__Pubsub__V1__DeleteSubscriptionRequest *request = message;
  struct subscription *subscription = require_subscription(call, request->subscription);
  if (!subscription) return;
  delivery_end_all(subscription, PUBSUB_GRPC_NOT_FOUND, "the subscription was deleted");
  broker_remove_subscription(call->broker, subscription);
  call_reply_empty(call);
}

static void *subscription_config(struct pubsub_map_entry *entry) {
  return PUBSUB_CONTAINER_OF(entry, struct subscription, entry)->config;
}

static void list_subscriptions(struct call *call, void *message) {
  const Google__Pubsub__V1__ListSubscriptionsRequest *request = message;
  struct listing listing = {0};
  char prefix[600];
  snprintf(prefix, sizeof prefix, "%s/subscriptions/", request->project);
  listing_add_all(&listing, &call->broker->subscriptions, prefix, subscription_config);
  listing_reply(call, &listing, prefix, request->page_size, request->page_token);
}

const struct method subscription_methods[] = {
    METHOD(SUBSCRIBER, "CreateSubscription", google__pubsub__v1__subscription,
           google__pubsub__v1__subscription, create_subscription),
    METHOD(SUBSCRIBER, "UpdateSubscription", google__pubsub__v1__update_subscription_request,
           google__pubsub__v1__subscription, update_subscription),
    METHOD(SUBSCRIBER, "GetSubscription", google__pubsub__v1__get_subscription_request,
           google__pubsub__v1__subscription, get_subscription),
    METHOD(SUBSCRIBER, "ListSubscriptions", google__pubsub__v1__list_subscriptions_request,
           google__pubsub__v1__list_subscriptions_response, list_subscriptions),
    METHOD(SUBSCRIBER, "DeleteSubscription", google__pubsub__v1__delete_subscription_request,
           google__protobuf__empty, delete_subscription),
    METHOD(SUBSCRIBER, "ModifyPushConfig", google__pubsub__v1__modify_push_config_request,
           google__protobuf__empty, modify_push_config),
    METHOD(PUBLISHER, "DetachSubscription", google__pubsub__v1__detach_subscription_request,
           google__pubsub__v1__detach_subscription_response, detach_subscription),
    {0},
};
