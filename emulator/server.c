#include "server.h"

#include "api/methods.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "faults/faults.h"
#include "faults/intercept.h"
#include "front.h"
#include "http/arrival.h"
#include "http/http1.h"
#include "model/deadletter.h"
#include "model/delivery.h"
#include "net/listener.h"
#include "config.h"
#include "keeper.h"
#include "local.h"
#include "preset.h"
#include "push/pusher.h"
#include "rpc/connection.h"
#include "rpc/token.h"
#include <stdio.h>
#include <string.h>

struct server {
  struct pubsub_loop *loop;
  struct broker broker;
  struct faults faults;
  struct token token;
  struct service service;
  struct keeper keeper;
  struct pushers pushers;
  struct pubsub_error notice, why;
  bool failed;
  struct pubsub_timer wake;        /* the clock's */
  struct pubsub_deferred delivery; /* the model's */
  struct pubsub_tls_context *tls;
  struct pubsub_listener *listener;
  struct pubsub_list arrivals, connections;
  struct front front;
};

/* The hottest come first. */
static const struct method *const tables[] = {publish_methods,    acknowledge_methods,
                                              stream_methods,     pull_methods,
                                              topic_methods,      subscription_methods,
                                              seek_methods,       snapshot_methods,
                                              schema_methods,     iam_methods,
                                              control_methods,    health_methods,
                                              reflection_methods, NULL};

/* ---- the model's time, and its wishes ---- */

static uint64_t now_us(void *user) {
  const struct server *server = user;
  return pubsub_loop_now_us(server->loop);
}

static int64_t wall_us(void *user) {
  (void)user;
  return pubsub_clock_wall_us();
}

static void wake(void *user, uint64_t due_us) {
  struct server *server = user;
  pubsub_loop_timer_set(server->loop, &server->wake, due_us);
}

static const struct clock_source clock_source = {now_us, wall_us, wake};

static void on_wake(struct pubsub_timer *timer) {
  clock_run(&PUBSUB_CONTAINER_OF(timer, struct server, wake)->broker.world.clock);
}

static void on_stirred(void *user) {
  struct server *server = user;
  pubsub_loop_defer(server->loop, &server->delivery);
}

static void on_delivery(struct pubsub_deferred *deferred) {
  delivery_run(&PUBSUB_CONTAINER_OF(deferred, struct server, delivery)->broker.world);
}

static bool on_dead(void *user, const struct subscription *subscription,
                    const struct message *message) {
  struct server *server = user;
  return deadletter_publish(&server->broker, subscription, message);
}

static void on_settings(void *user, struct subscription *subscription) {
  struct server *server = user;
  pushers_look(&server->pushers, subscription);
}

static const char *push_key(void *user) {
  struct server *server = user;
  return identity_public_key(&server->pushers.identity);
}

static void on_warning(void *user, const char *text) {
  (void)user;
  fprintf(stderr, "pubsub-emulator: warning: %s\n", text);
}

/* ---- calls ---- */

/* The control endpoint stays open, so that a test can change the token. */
static const char *on_admit(struct broker *broker, const struct method *method,
                            struct pubsub_view authorization) {
  return faults_spare(method->path) ? NULL : token_problem(broker->token, authorization);
}

static struct server *server_of(struct call *call) {
  return PUBSUB_CONTAINER_OF(call->broker, struct server, broker);
}

static bool on_intercept(struct call *call, struct pubsub_view request) {
  return intercept(call, request) && keeper_admit(&server_of(call)->keeper, call, request);
}

static bool start_http2(struct server *server, struct pubsub_bytestream *take_stream,
                        struct pubsub_view early) {
  struct pubsub_h2_options options = {.server = true,
                                      .stream_window_bytes = 4u << 20,
                                      .max_frame_bytes =
                                          16384, /* as the protocol's default, and the service's */
                                      .max_concurrent_streams = 10000,
                                      .early = early};
  return connection_new(server->loop, take_stream, &options, &server->service, &server->front.site,
                        &server->connections) != NULL;
}

static void on_known(void *user, struct pubsub_bytestream *take_stream, bool http2,
                     struct pubsub_view early) {
  struct server *server = user;
  bool taken = http2 ? start_http2(server, take_stream, early)
                     : http1_new(server->loop, take_stream, &server->front.site, early) != NULL;
  if (!taken) take_stream->ops->destroy(take_stream);
}

static void on_accept(void *user, struct pubsub_bytestream *take_stream) {
  struct server *server = user;
  struct pubsub_bytestream *stream = keeper_guard(&server->keeper, take_stream);
  if (!stream) {
    take_stream->ops->destroy(take_stream);
    return;
  }
  arrival_start(server->loop, stream, on_known, server, &server->arrivals);
}

static enum pubsub_status start_listening(struct server *server,
                                          const struct server_options *options,
                                          struct pubsub_error *error) {
  if (options->listen_fd > 0) {
    return pubsub_listener_adopt(server->loop, options->listen_fd, server->tls, on_accept, server,
                                 &server->listener, error);
  }
  return pubsub_listener_new(server->loop, options->address, options->port, server->tls, on_accept,
                             server, &server->listener, error);
}

static enum pubsub_status open_folder(struct server *server, const struct server_options *options,
                                      struct pubsub_error *error) {
  enum store_sync sync = options->sync_interval ? STORE_SYNC_INTERVAL : STORE_SYNC_ALWAYS;
  server->keeper.failed = &server->failed;
  server->keeper.why = &server->why;
  return keeper_open(&server->keeper, server->loop, options->data_dir, sync, &server->broker,
                     &server->notice, error);
}

static void furnish(struct server *server, const struct server_options *options) {
  struct world_callbacks callbacks = {
      .user = server, .on_stirred = on_stirred, .on_dead = on_dead, .on_settings = on_settings};
  pushers_init(&server->pushers, server->loop, options->push_anywhere, on_warning, server);
  broker_init(&server->broker, &clock_source, server, &callbacks);
  faults_init(&server->faults, options->seed);
  server->broker.faults = &server->faults;
  server->broker.token = &server->token;
  server->broker.push_key = push_key;
  server->broker.world.record.on = options->record;
}

enum pubsub_status server_new(struct pubsub_loop *loop, const struct server_options *options,
                              struct server **out, struct pubsub_error *error) {
  struct server *server = pubsub_alloc_zero(1, sizeof *server);
  if (!server) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  server->loop = loop;
  server->service = (struct service){
      .tables = tables, .broker = &server->broker, .intercept = on_intercept, .admit = on_admit};
  server->wake.run = on_wake;
  server->delivery.run = on_delivery;
  pubsub_list_init(&server->delivery.link);
  pubsub_list_init(&server->arrivals);
  pubsub_list_init(&server->connections);
  front_init(&server->front, loop, &server->service, options->address);
  furnish(server, options);
  enum pubsub_status status = PUBSUB_OK;
  if (options->require_token) {
    status = token_require(&server->token, options->require_token, error);
  }
  if (status == PUBSUB_OK && options->data_dir) status = open_folder(server, options, error);
  if (status == PUBSUB_OK && options->tls_certificate) {
    status = pubsub_tls_context_new_server(options->tls_certificate, options->tls_key, &server->tls,
                                           error);
  }
  if (status == PUBSUB_OK) {
    status = start_listening(server, options, error);
  }
  if (status != PUBSUB_OK) {
    server_destroy(server);
    return status;
  }
  *out = server;
  return PUBSUB_OK;
}

enum pubsub_status server_add_topic(struct server *server, const char *name,
                                    struct pubsub_error *error) {
  return preset_topic(&server->broker, name, error);
}

enum pubsub_status server_add_subscription(struct server *server, const char *text,
                                           struct pubsub_error *error) {
  char name[600];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
  if (keeper_has_before(&server->keeper) && broker_subscription(&server->broker, name)) {
    return PUBSUB_OK;
  }
  return preset_subscription(&server->broker, text, error);
}

enum pubsub_status server_add_project(struct server *server, const char *text,
                                      struct pubsub_error *error) {
  return preset_project(&server->broker, text, error);
}

enum pubsub_status server_add_config(struct server *server, const char *path,
                                     struct pubsub_error *error) {
  return config_load(&server->broker, tables, path, keeper_has_before(&server->keeper), error);
}

enum pubsub_status server_add_fault(struct server *server, const char *text,
                                    struct pubsub_error *error) {
  return faults_add(&server->faults, text, error);
}

enum pubsub_status server_commit(struct server *server, struct pubsub_error *error) {
  return keeper_commit(&server->keeper, error);
}

enum pubsub_status server_command(struct server *server, const char *text, struct pubsub_buf *out,
                                  struct pubsub_error *error) {
  return local_command(&server->broker, &control_methods[0], text, out, error);
}

const char *server_notice(const struct server *server) {
  return server->notice.text;
}

bool server_failed(const struct server *server, struct pubsub_error *why) {
  *why = server->why;
  return server->failed;
}

void server_on_reset(struct server *server,
                     bool (*on_reset)(void *user, struct pubsub_error *error), void *user) {
  server->front.on_reset = on_reset;
  server->front.reset_user = user;
}

uint16_t server_port(const struct server *server) {
  return pubsub_listener_port(server->listener);
}

void server_destroy(struct server *server) {
  if (!server) return;
  pubsub_listener_destroy(server->listener);
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&server->broker.subscriptions, &it))) {
    struct subscription *subscription = PUBSUB_CONTAINER_OF(entry, struct subscription, entry);
    delivery_end_all(subscription, PUBSUB_GRPC_UNAVAILABLE, "the server is shutting down");
  }
  arrival_destroy_all(&server->arrivals);
  while (!pubsub_list_empty(&server->connections)) {
    connection_destroy((struct connection *)server->connections.next); /* its first member */
  }
  while (!pubsub_list_empty(&server->front.site.connections)) {
    http1_destroy((struct http1 *)server->front.site.connections.next); /* its first member */
  }
  front_clear(&server->front);
  pushers_clear(&server->pushers);
  keeper_close(&server->keeper);
  broker_clear(&server->broker);
  faults_clear(&server->faults);
  token_clear(&server->token);
  pubsub_loop_timer_cancel(server->loop, &server->wake);
  pubsub_loop_defer_cancel(server->loop, &server->delivery);
  pubsub_tls_context_destroy(server->tls);
  pubsub_free(server);
}
