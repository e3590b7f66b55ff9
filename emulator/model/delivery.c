#include "model/delivery.h"

#include <stdint.h>

static struct consumer *consumer_at(struct pubsub_list *link) {
  return PUBSUB_CONTAINER_OF(link, struct consumer, link);
}

void delivery_wake(struct subscription *subscription) {
  struct world *world = subscription->world;
  bool first = pubsub_list_empty(&world->stirred);
  if (!pubsub_list_empty(&subscription->stirred)) return;
  pubsub_list_push_back(&world->stirred, &subscription->stirred);
  if (first) world->callbacks.on_stirred(world->callbacks.user);
}

static void serve_pulls(struct subscription *subscription) {
  while (!pubsub_list_empty(&subscription->pulls)) {
    struct consumer *first = consumer_at(subscription->pulls.next);
    if (!first->ops->serve(first, SIZE_MAX)) break;
  }
}

/* What each stream may have of this round, so that idle ones share. 0: none takes anything. */
static size_t share_of(const struct subscription *subscription, size_t *streams) {
  size_t able = 0;
  *streams = 0;
  for (struct pubsub_list *link = subscription->streams.next; link != &subscription->streams;
       link = link->next) {
    const struct consumer *consumer = consumer_at(link);
    ++*streams;
    if (consumer->ops->has_room(consumer)) able++;
  }
  return able > 0 ? (subscription->ready_count + able - 1) / able : 0;
}

/* A round of turns. False: nobody took anything. */
static bool serve_round(struct subscription *subscription) {
  size_t streams, share = share_of(subscription, &streams);
  bool served = false;
  if (share == 0) return false;
  while (streams-- > 0 && subscription->ready_count > 0) {
    struct pubsub_list *link = subscription->streams.next;
    struct consumer *consumer = consumer_at(link);
    pubsub_list_remove(link);
    pubsub_list_push_back(&subscription->streams, link);
    if (consumer->ops->serve(consumer, share)) served = true;
  }
  return served;
}

/* What is stirred meanwhile has its turn after others of the loop. */
void delivery_run(struct world *world) {
  struct pubsub_list now;
  pubsub_list_init(&now);
  while (!pubsub_list_empty(&world->stirred)) {
    struct pubsub_list *link = world->stirred.next;
    pubsub_list_remove(link);
    pubsub_list_push_back(&now, link);
  }
  while (!pubsub_list_empty(&now)) {
    struct subscription *subscription = PUBSUB_CONTAINER_OF(now.next, struct subscription, stirred);
    pubsub_list_remove(&subscription->stirred);
    serve_pulls(subscription);
    while (subscription->ready_count > 0 && serve_round(subscription)) {}
  }
}

void delivery_end(struct pubsub_list *consumers, int grpc_code, const char *why) {
  while (!pubsub_list_empty(consumers)) {
    struct consumer *first = consumer_at(consumers->next);
    first->ops->end(first, grpc_code, why);
  }
}

void delivery_end_all(struct subscription *subscription, int grpc_code, const char *why) {
  delivery_end(&subscription->streams, grpc_code, why);
  delivery_end(&subscription->pulls, grpc_code, why);
}
