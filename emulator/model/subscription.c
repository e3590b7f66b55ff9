#include "model/subscription.h"

#include "base/alloc.h"
#include "model/backlog.h"
#include "model/contents.h"
#include "model/times.h"

static void on_expire(struct alarm *alarm) {
  backlog_expire(PUBSUB_CONTAINER_OF(alarm, struct subscription, expire));
}

static void init_lists(struct subscription *subscription) {
  pubsub_list_init(&subscription->topic_link);
  pubsub_list_init(&subscription->free_keys);
  pubsub_list_init(&subscription->ready);
  pubsub_list_init(&subscription->waiting);
  pubsub_list_init(&subscription->retained);
  pubsub_list_init(&subscription->streams);
  pubsub_list_init(&subscription->pulls);
  pubsub_list_init(&subscription->stirred);
}

struct subscription *subscription_new(struct world *world,
                                      Google__Pubsub__V1__Subscription *take_config,
                                      struct filter *take_filter) {
  struct subscription *subscription = pubsub_alloc_zero(1, sizeof *subscription);
  if (!subscription) return NULL;
  subscription->config = take_config;
  subscription->filter = take_filter;
  subscription->world = world;
  subscription->serial = world->next_serial++;
  subscription->record_name = record_name(&world->record, take_config->name);
  subscription->expire.run = on_expire;
  pubsub_map_init(&subscription->keys);
  pubsub_map_init(&subscription->dues.buckets);
  init_lists(subscription);
  subscription_touch(subscription);
  return subscription;
}

void subscription_free(struct subscription *subscription) {
  contents_clear(subscription);
  clock_alarm_cancel(&subscription->world->clock, &subscription->expire);
  pubsub_list_remove(&subscription->stirred);
  pubsub_map_clear(&subscription->keys);
  google__pubsub__v1__subscription__free_unpacked(subscription->config, NULL);
  filter_free(subscription->filter);
  dues_clear(&subscription->dues);
  pubsub_free(subscription->slots);
  pubsub_free(subscription->free_slots);
  pubsub_free(subscription);
}

void subscription_touch(struct subscription *subscription) {
  subscription->active_us = clock_now_us(&subscription->world->clock);
}

bool subscription_is_over(struct subscription *subscription) {
  const Google__Pubsub__V1__ExpirationPolicy *policy = subscription->config->expiration_policy;
  int64_t life = policy ? times_duration_us(policy->ttl, 0) : 0;
  if (!pubsub_list_empty(&subscription->streams) || !pubsub_list_empty(&subscription->pulls)) {
    subscription_touch(subscription);
  }
  uint64_t idle = clock_now_us(&subscription->world->clock) - subscription->active_us;
  return life > 0 && idle >= (uint64_t)life;
}

bool subscription_wants(const struct subscription *subscription, struct pubsub_view message) {
  return !subscription->filter || filter_matches(subscription->filter, message);
}
