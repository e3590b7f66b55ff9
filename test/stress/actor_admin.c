/* Topics, subscriptions, snapshots, permissions, tokens. */
#include "call.h"

#include <string.h>

static bool on_name(void *user, const char *name) {
  struct actor *actor = user;
  if (strncmp(name, "projects/p/", 11) != 0) complain("a list names '%s'", name);
  return !one_in(&actor->chance, 10);
}

static void list(struct actor *actor) {
  struct pubsub_client *client = actor->arena->client;
  struct timing timing = timing_begin("a list", 10 * ADMIN_MS);
  struct pubsub_error error;
  enum pubsub_status status;
  switch (chance_below(&actor->chance, 3)) {
  case 0:
    status = pubsub_client_list_topics(client, "projects/p", on_name, actor, ADMIN_MS, &error);
    break;
  case 1:
    status = pubsub_client_list_subscriptions(client, TOPIC, on_name, actor, ADMIN_MS, &error);
    break;
  default:
    status = pubsub_client_list_snapshots(client, "projects/p", on_name, actor, ADMIN_MS, &error);
  }
  timing_ended(timing, status, &error);
}

#define SNAPSHOT "projects/p/snapshots/stress"

static void travel(struct actor *actor) {
  struct pubsub_client *client = actor->arena->client;
  struct pubsub_subscription_info info = {.ack_deadline_s = 10};
  struct timing timing = timing_begin("seek, snapshot or update", ADMIN_MS);
  struct pubsub_error error;
  enum pubsub_status status;
  switch (chance_below(&actor->chance, 6)) {
  case 0:
    status = pubsub_client_create_snapshot(client, SNAPSHOT, SUBSCRIPTION, ADMIN_MS, &error);
    break;
  case 1:
    status = pubsub_client_delete_snapshot(client, SNAPSHOT, ADMIN_MS, &error);
    break;
  case 2:
    status = pubsub_client_seek_to_snapshot(client, SUBSCRIPTION, SNAPSHOT, ADMIN_MS, &error);
    break;
  case 3:
    status = pubsub_client_seek(client, SUBSCRIPTION, 1000000, ADMIN_MS, &error);
    break;
  case 4:
    status = pubsub_client_detach_subscription(client, EXACTLY_ONCE "-not", ADMIN_MS, &error);
    break;
  default:
    status = pubsub_client_update_subscription(client, SUBSCRIPTION, &info,
                                               PUBSUB_SUBSCRIPTION_ACK_DEADLINE, ADMIN_MS, &error);
  }
  timing_ended(timing, status, &error);
}

static void administer(struct actor *actor) {
  static const char *const topics[] = {"projects/p/topics/first", "projects/p/topics/second",
                                       TOPIC};
  struct pubsub_client *client = actor->arena->client;
  struct pubsub_subscription_info info = {.topic = TOPIC};
  struct pubsub_error error;
  const char *topic = topics[chance_below(&actor->chance, 3)];
  struct timing timing = timing_begin("administration", ADMIN_MS);
  enum pubsub_status status;
  bool granted;
  switch (chance_below(&actor->chance, 7)) {
  case 0:
    status = pubsub_client_create_topic(client, topic, ADMIN_MS, &error);
    break;
  case 1:
    status = pubsub_client_get_topic(client, topic, ADMIN_MS, &error);
    break;
  case 2:
    topic = topics[chance_below(&actor->chance, 2)];
    status = pubsub_client_delete_topic(client, topic, ADMIN_MS, &error);
    break;
  case 3:
    status =
        pubsub_client_create_subscription(client, EXACTLY_ONCE "-not", &info, ADMIN_MS, &error);
    break;
  case 4:
    status = pubsub_client_get_subscription(client, SUBSCRIPTION, &info, ADMIN_MS, &error);
    break;
  case 5:
    status = pubsub_client_test_permission(client, TOPIC, "pubsub.topics.publish", &granted,
                                           ADMIN_MS, &error);
    break;
  default:
    status = pubsub_client_delete_subscription(client, EXACTLY_ONCE "-not", ADMIN_MS, &error);
  }
  timing_ended(timing, status, &error);
}

static void set_token(struct actor *actor) {
  char token[300];
  struct pubsub_error error;
  size_t len = chance_below(&actor->chance, sizeof token);
  memset(token, 'a' + (int)chance_below(&actor->chance, 26), len);
  struct timing timing = timing_begin("set_token", 0);
  timing_ended(timing, pubsub_client_set_token(actor->arena->client, token, len, &error), &error);
  pubsub_client_unauthenticated_count(actor->arena->client);
}

void use_admin(struct actor *actor) {
  if (one_in(&actor->chance, 2)) {
    set_token(actor);
  } else if (one_in(&actor->chance, 3)) {
    list(actor);
  } else if (one_in(&actor->chance, 2)) {
    travel(actor);
  } else {
    administer(actor);
  }
}
