#include "scenario.h"

#include "parts.h"
#include "services.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

/* ---- what happens ---- */

static void work_client(struct world *world, enum fault_mode mode) {
  (void)mode;
  work_connect(world);
}

static void work_administration(struct world *world, enum fault_mode mode) {
  (void)mode;
  if (work_connect(world)) work_admin(world);
}

static void recover_administration(struct world *world) {
  recover_connect(world);
  recover_admin(world);
}

static void work_publishing(struct world *world, enum fault_mode mode) {
  (void)mode;
  if (work_connect(world)) work_write(world);
}

static void recover_publishing(struct world *world) {
  recover_connect(world);
  recover_write(world);
}

static void work_reading(struct world *world, enum fault_mode mode) {
  (void)mode;
  if (work_connect(world)) work_read(world);
}

static void recover_reading(struct world *world) {
  recover_connect(world);
  recover_read(world);
}

static void work_both(struct world *world, enum fault_mode mode) {
  (void)mode;
  if (!work_connect(world)) return;
  work_write(world);
  work_read(world);
}

static void recover_both(struct world *world) {
  recover_connect(world);
  recover_write(world);
  recover_read(world);
}

static void command(struct world *world, const char *text) {
  struct raw_answer answer;
  world_command(world, text, 300, &answer);
}

/* Cut, told to go away, and started anew while a stream and a publisher live. */
static void work_reconnecting(struct world *world, enum fault_mode mode) {
  struct pubsub_publisher *first;
  struct pubsub_error error;
  uint16_t port = world_port(world);
  work_both(world, mode);
  command(world, "disconnect");
  first = world->publisher;
  world->publisher = NULL;
  work_write(world);
  pubsub_publisher_destroy(first);
  command(world, "goaway");
  world_stop_server(world);
  if (!worked(world, world_start_server(world, port, &error), &error, "start again")) return;
  if (world->subscriber) {
    uint64_t generation = 0;
    pubsub_subscriber_wait(world->subscriber, &generation, 50);
  }
}

static void recover_reconnecting(struct world *world) {
  struct pubsub_error error;
  uint16_t port = (uint16_t)atoi(strrchr(world->endpoint, ':') + 1);
  if (!world->server)
    must_work(world, world_start_server(world, port, &error), &error, "start again at last");
  if (world->server) recover_both(world);
}

/* Every method, and then the clients'. */
static void work_all_services(struct world *world, enum fault_mode mode) {
  work_services(world, mode == FAULT_ONCE);
}

/* Only the start is of interest. */
static void work_start(struct world *world, enum fault_mode mode) {
  (void)world;
  (void)mode;
}

static void nothing(struct world *world) {
  (void)world;
}

static void make_exactly_once(struct world *world) {
  struct pubsub_subscription_info info = {
      .topic = TOPIC, .ack_deadline_s = 10, .exactly_once = true};
  struct pubsub_client *client = NULL;
  struct pubsub_error error;
  enum side side = side_enter(SIDE_NONE);
  must_work(world, world_connect(world, &client, &error), &error, "connect to set up");
  if (client) {
    must_work(world, pubsub_client_delete_subscription(client, SUBSCRIPTION, 5000, &error), &error,
              "delete");
    must_work(world, pubsub_client_create_subscription(client, SUBSCRIPTION, &info, 5000, &error),
              &error, "create");
    pubsub_client_destroy(client);
  }
  side_enter(side);
  fill(world);
}

const struct scenario scenarios[] = {
    {"client",
     {.tls = true, .token = true},
     true,
     false,
     false,
     nothing,
     work_client,
     recover_connect},
    {"roots",
     {.tls = true, .token = true, .system_roots = true},
     true,
     false,
     false,
     nothing,
     work_publishing,
     recover_publishing},
    {"admin", {0}, true, true, false, nothing, work_administration, recover_administration},
    {"write", {0}, true, true, false, nothing, work_publishing, recover_publishing},
    {"read", {0}, true, true, false, fill, work_reading, recover_reading},
    {"exactly-once",
     {.exactly_once = true},
     true,
     true,
     false,
     make_exactly_once,
     work_reading,
     recover_reading},
    {"reconnect", {0}, true, true, false, nothing, work_reconnecting, recover_reconnecting},
    {"tls", {.tls = true, .token = true}, true, true, false, nothing, work_both, recover_both},
    {"proxy",
     {.tls = true, .token = true, .proxy = true},
     true,
     false,
     false,
     nothing,
     work_both,
     recover_both},
    {"start", {.tls = true, .token = true}, false, true, true, nothing, work_start, recover_both},
    {"services", {0}, false, true, false, nothing, work_all_services, recover_services},
};
const size_t scenario_count = sizeof scenarios / sizeof *scenarios;

const struct scenario *scenario_find(const char *name) {
  for (size_t i = 0; i < scenario_count; i++) {
    if (strcmp(scenarios[i].name, name) == 0) return &scenarios[i];
  }
  return NULL;
}

/* ---- one run ---- */

/* False: there is no emulator, and nothing more to do. */
static bool start(struct world *world, const struct scenario *scenario,
                  const struct fault_plan *plan) {
  struct pubsub_error error;
  if (scenario->arm_first) {
    fault_arm(plan);
    if (worked(world, world_start_server(world, 0, &error), &error, "start")) return true;
    if (plan->mode == FAULT_END) return false;
    fault_disarm();
  }
  must_work(world, world_start_server(world, 0, &error), &error, "the emulator");
  if (world->server && world->options.proxy && world_start_proxy(world) != PUBSUB_OK)
    complain(world, "there is no proxy");
  return world->server != NULL;
}

static void check_blocks(struct world *world) {
  uint64_t left = pubsub_live_allocations();
  if (left) complain(world, "%llu blocks are left", (unsigned long long)left);
}

bool scenario_leaks(void) {
#ifdef __SANITIZE_ADDRESS__
  return __lsan_do_recoverable_leak_check() != 0;
#else
  return false;
#endif
}

unsigned scenario_run(const struct scenario *scenario, const struct fault_plan *plan,
                      uint64_t *out_calls) {
  struct world world = {.options = scenario->options};
  if (start(&world, scenario, plan)) {
    scenario->set_up(&world);
    side_enter(plan->side == SIDE_SERVER ? SIDE_NONE : plan->side);
    if (!scenario->arm_first) fault_arm(plan);
    scenario->work(&world, plan->mode);
    if (plan->mode != FAULT_END) {
      fault_disarm();
      scenario->recover(&world);
    }
    end_all(&world);
  }
  world_stop_server(&world);
  fault_disarm();
  side_enter(SIDE_NONE);
  world_stop_proxy(&world);
  *out_calls = fault_count();
  check_blocks(&world);
  return world.complaints;
}
