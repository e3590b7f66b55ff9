#include "parts.h"

#include <string.h>

#define TIMEOUT_MS 300
#define RECOVER_MS 10000
#define TOPIC_2 "projects/p/topics/second"
#define SUBSCRIPTION_2 "projects/p/subscriptions/second"
#define SNAPSHOT_2 "projects/p/snapshots/second"

bool work_connect(struct world *world) {
  struct pubsub_error error;
  if (worked(world, world_connect(world, &world->client, &error), &error, "client_new")) {
    pubsub_client_unauthenticated_count(world->client);
    return true;
  }
  pubsub_client_destroy(world->client); /* made, but for its token */
  world->client = NULL;
  return false;
}

void recover_connect(struct world *world) {
  struct pubsub_error error;
  if (!world->client)
    must_work(world, world_connect(world, &world->client, &error), &error, "a new client");
}

struct administration {
  struct world *world;
  uint32_t timeout_ms;
  struct pubsub_error error;
  int failed;
};

/* `there`: what the call makes may be there already, or be gone already. */
static void judge(struct administration *run, enum pubsub_status status, bool there,
                  const char *what) {
  if (worked(run->world, status, &run->error, what)) return;
  int code = run->error.grpc_code;
  if (there && (code == PUBSUB_GRPC_ALREADY_EXISTS || code == PUBSUB_GRPC_NOT_FOUND)) return;
  run->failed++;
  if (run->timeout_ms == RECOVER_MS)
    complain(run->world, "%s again: %s: %s", what, pubsub_status_name(status), run->error.text);
}

static void make(struct administration *run) {
  struct pubsub_client *client = run->world->client;
  struct pubsub_subscription_info info = {.topic = TOPIC_2,
                                          .ack_deadline_s = 30,
                                          .ordering = true,
                                          .filter = "attributes:key",
                                          .retention_s = 3600};
  judge(run, pubsub_client_create_topic(client, TOPIC_2, run->timeout_ms, &run->error), true,
        "create_topic");
  judge(run,
        pubsub_client_create_subscription(client, SUBSCRIPTION_2, &info, run->timeout_ms,
                                          &run->error),
        true, "create_subscription");
  judge(run,
        pubsub_client_create_snapshot(client, SNAPSHOT_2, SUBSCRIPTION_2, run->timeout_ms,
                                      &run->error),
        true, "create_snapshot");
}

static bool on_name(void *user, const char *name) {
  struct administration *run = user;
  if (strncmp(name, "projects/p/", 11) != 0) complain(run->world, "a list names '%s'", name);
  return true;
}

static void list(struct administration *run) {
  struct pubsub_client *client = run->world->client;
  uint32_t timeout_ms = run->timeout_ms;
  struct pubsub_error *error = &run->error;
  judge(run, pubsub_client_list_topics(client, "projects/p", on_name, run, timeout_ms, error),
        false, "list_topics");
  judge(run,
        pubsub_client_list_subscriptions(client, "projects/p", on_name, run, timeout_ms, error),
        false, "list_subscriptions");
  judge(run, pubsub_client_list_snapshots(client, "projects/p", on_name, run, timeout_ms, error),
        false, "list_snapshots");
}

static void change(struct administration *run) {
  struct pubsub_client *client = run->world->client;
  struct pubsub_subscription_info info = {.topic = TOPIC_2, .ack_deadline_s = 40};
  bool recovering = run->timeout_ms == RECOVER_MS;
  judge(run,
        pubsub_client_update_subscription(client, SUBSCRIPTION_2, &info,
                                          PUBSUB_SUBSCRIPTION_ACK_DEADLINE, run->timeout_ms,
                                          &run->error),
        !recovering, "update_subscription");
  judge(run,
        pubsub_client_seek_to_snapshot(client, SUBSCRIPTION_2, SNAPSHOT_2, run->timeout_ms,
                                       &run->error),
        !recovering, "seek_to_snapshot");
}

static void look(struct administration *run) {
  struct pubsub_client *client = run->world->client;
  struct pubsub_subscription_info info = {0};
  bool granted = false, recovering = run->timeout_ms == RECOVER_MS;
  judge(run, pubsub_client_get_topic(client, TOPIC_2, run->timeout_ms, &run->error), !recovering,
        "get_topic");
  judge(run,
        pubsub_client_get_subscription(client, SUBSCRIPTION_2, &info, run->timeout_ms, &run->error),
        !recovering, "get_subscription");
  if (recovering && strcmp(info.topic, TOPIC_2) != 0)
    complain(run->world, "the subscription is of '%s'", info.topic);
  judge(run,
        pubsub_client_test_permission(client, SUBSCRIPTION_2, "pubsub.subscriptions.consume",
                                      &granted, run->timeout_ms, &run->error),
        !recovering, "test_permission");
  judge(run, pubsub_client_seek(client, SUBSCRIPTION_2, 1000000, run->timeout_ms, &run->error),
        !recovering, "seek");
}

static void unmake(struct administration *run) {
  struct pubsub_client *client = run->world->client;
  judge(run, pubsub_client_delete_snapshot(client, SNAPSHOT_2, run->timeout_ms, &run->error), true,
        "delete_snapshot");
  judge(run,
        pubsub_client_detach_subscription(client, SUBSCRIPTION_2, run->timeout_ms, &run->error),
        true, "detach_subscription");
  judge(run,
        pubsub_client_delete_subscription(client, SUBSCRIPTION_2, run->timeout_ms, &run->error),
        true, "delete_subscription");
  judge(run, pubsub_client_delete_topic(client, TOPIC_2, run->timeout_ms, &run->error), true,
        "delete_topic");
}

static void administer(struct world *world, uint32_t timeout_ms) {
  struct administration run = {.world = world, .timeout_ms = timeout_ms};
  if (!world->client) return;
  if (timeout_ms == RECOVER_MS) unmake(&run); /* what the first half has left */
  make(&run);
  look(&run);
  if (run.failed < 3) list(&run);
  if (run.failed < 3) change(&run);
  if (run.failed < 3) unmake(&run); /* each waits for its own time otherwise */
}

void work_admin(struct world *world) {
  administer(world, TIMEOUT_MS);
}

void recover_admin(struct world *world) {
  administer(world, RECOVER_MS);
}

void end_all(struct world *world) {
  pubsub_subscriber_destroy(world->subscriber);
  pubsub_publisher_destroy(world->publisher);
  pubsub_client_destroy(world->client);
  world->subscriber = NULL;
  world->publisher = NULL;
  world->client = NULL;
}
