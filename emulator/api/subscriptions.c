#include "api/lists.h"
#include "api/methods.h"
#include "api/names.h"
#include "api/resources.h"
#include "api/settings.h"
#include "model/contents.h"
#include "model/delivery.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* A name of ours in the topic's project. False: no memory. */
static bool assign_name(struct call *call, Google__Pubsub__V1__Subscription *config) {
  struct world *world = &call->broker->world;
  char name[700];
  do {
    name_assign(name, sizeof name, config->topic, "subscriptions",
                (unsigned long long)clock_wall_us(&world->clock) + world->next_serial++);
  } while (broker_subscription(call->broker, name));
  char *copy = strdup(name);
  if (!copy) return false;
  if (config->name != protobuf_c_empty_string) free(config->name);
  config->name = copy;
  return true;
}

/* False: the call was failed. */
static bool require_dead_letter_topic(struct call *call,
                                      const Google__Pubsub__V1__Subscription *config) {
  const Google__Pubsub__V1__DeadLetterPolicy *policy = config->dead_letter_policy;
  return !policy || require_topic(call, policy->dead_letter_topic) != NULL;
}

/* False: the call was failed. */
static bool check_new(struct call *call, Google__Pubsub__V1__Subscription *config) {
  struct pubsub_error error = {0};
  if (config->name[0] && !require_name(call, config->name, "subscriptions")) return false;
  if (broker_subscription(call->broker, config->name)) {
    fail_exists(call, config->name);
    return false;
  }
  if (!require_topic(call, config->topic)) return false;
  if (settings_check_subscription(config, &error) != PUBSUB_OK) {
    fail_error(call, &error);
    return false;
  }
  if (!require_dead_letter_topic(call, config)) return false;
  if (config->name[0] || assign_name(call, config)) return true;
  fail_no_memory(call);
  return false;
}

static void create_subscription(struct call *call, void *message) {
  Google__Pubsub__V1__Subscription *config = message;
  const char *problem;
  if (!check_new(call, config)) return;
  struct topic *topic = broker_topic(call->broker, config->topic);
  struct filter *filter = filter_parse(config->filter, &problem);
  config->state = GOOGLE__PUBSUB__V1__SUBSCRIPTION__STATE__ACTIVE;
  struct subscription *subscription =
      problem ? NULL : broker_add_subscription(call->broker, topic, config, filter);
  if (!subscription) {
    filter_free(filter);
    fail_no_memory(call);
    return;
  }
  call_take_request(call);
  reply_subscription(call, subscription);
}

static bool names_field(const Google__Protobuf__FieldMask *mask, const char *field) {
  size_t len = strlen(field);
  for (size_t i = 0; i < mask->n_paths; i++) {
    if (strncmp(mask->paths[i], field, len) == 0) return true;
  }
  return false;
}

/* Of an update that was applied. False: the call was failed. A dead letter topic may go once it
 * was named. */
static bool check_updated(struct call *call, Google__Pubsub__V1__Subscription *config,
                          const Google__Protobuf__FieldMask *mask) {
  struct pubsub_error error = {0};
  if (settings_check_subscription(config, &error) == PUBSUB_OK) {
    return !names_field(mask, "dead_letter_policy") || require_dead_letter_topic(call, config);
  }
  fail_error(call, &error);
  return false;
}

static void update_subscription(struct call *call, void *message) {
  Google__Pubsub__V1__UpdateSubscriptionRequest *request = message;
  Google__Pubsub__V1__Subscription *update = request->subscription;
  struct subscription *subscription = require_subscription(call, update ? update->name : "");
  if (!subscription || !require_update(call, "Subscription", &subscription->config->base,
                                       &update->base, request->update_mask, fixed)) {
    return;
  }
  if (!check_updated(call, subscription->config, request->update_mask)) {
    /* The request holds the old values now: exchanges them again. */
    require_update(call, "Subscription", &subscription->config->base, &update->base,
                   request->update_mask, fixed);
    return;
  }
  broker_settings_changed(call->broker, subscription);
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
  broker_settings_changed(call->broker, subscription);
  call_reply_empty(call);
}

/* Without a configuration: pull again. */
static void modify_push_config(struct call *call, void *message) {
  Google__Pubsub__V1__ModifyPushConfigRequest *request = message;
  Google__Pubsub__V1__PushConfig empty = GOOGLE__PUBSUB__V1__PUSH_CONFIG__INIT;
  struct pubsub_error error = {0};
  struct subscription *subscription = require_subscription(call, request->subscription);
  if (!subscription) return;
  if (settings_check_push(request->push_config ? request->push_config : &empty, &error) !=
      PUBSUB_OK) {
    fail_error(call, &error);
    return;
  }
  Google__Pubsub__V1__PushConfig *old = subscription->config->push_config;
  subscription->config->push_config = request->push_config;
  request->push_config = old;
  /* Fills in an empty one; the rest is good as it was. */
  if (settings_check_subscription(subscription->config, &error) == PUBSUB_OK) {
    broker_settings_changed(call->broker, subscription);
    call_reply_empty(call);
  } else {
    fail_error(call, &error);
  }
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
  if (!require_project(call, request->project)) return;
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
