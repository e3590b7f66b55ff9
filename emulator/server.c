#include "server.h"

#include "base/alloc.h"
#include "base/error.h"
#include "services.h"

struct server {
  struct pubsub_loop *loop;
  struct broker broker;
  struct rpc_service service;
  struct pubsub_tls_context *tls;
  struct pubsub_listener *listener;
  struct pubsub_list connections;
};

/* grpc.health.v1.Health/Check: SERVING. */
static void health_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  struct pubsub_buf response = {0};
  (void)take_request;
  if (pubsub_buf_append(&response, "\x08\x01", 2) == PUBSUB_OK) rpc_reply(rpc, &response);
}

#define PUBLISHER "/google.pubsub.v1.Publisher/"
#define SUBSCRIBER "/google.pubsub.v1.Subscriber/"

static const struct rpc_method methods[] = {
    {.path = PUBLISHER "Publish", .on_message = publish_on_message},
    {.path = SUBSCRIBER "Acknowledge", .on_message = acknowledge_on_message},
    {.path = SUBSCRIBER "ModifyAckDeadline", .on_message = modify_ack_deadline_on_message},
    {.path = SUBSCRIBER "StreamingPull",
     .on_message = stream_on_message,
     .on_half_close = stream_on_half_close,
     .on_drained = stream_on_drained,
     .on_closed = stream_on_closed},
    {.path = SUBSCRIBER "Pull", .on_message = pull_on_message, .on_closed = pull_on_closed},
    {.path = PUBLISHER "CreateTopic", .on_message = create_topic_on_message},
    {.path = PUBLISHER "UpdateTopic", .on_message = update_topic_on_message},
    {.path = PUBLISHER "DetachSubscription", .on_message = detach_subscription_on_message},
    {.path = PUBLISHER "GetTopic", .on_message = get_topic_on_message},
    {.path = PUBLISHER "ListTopics", .on_message = list_topics_on_message},
    {.path = PUBLISHER "ListTopicSubscriptions", .on_message = list_topic_subscriptions_on_message},
    {.path = PUBLISHER "DeleteTopic", .on_message = delete_topic_on_message},
    {.path = SUBSCRIBER "CreateSubscription", .on_message = create_subscription_on_message},
    {.path = SUBSCRIBER "UpdateSubscription", .on_message = update_subscription_on_message},
    {.path = SUBSCRIBER "GetSubscription", .on_message = get_subscription_on_message},
    {.path = SUBSCRIBER "ListSubscriptions", .on_message = list_subscriptions_on_message},
    {.path = SUBSCRIBER "DeleteSubscription", .on_message = delete_subscription_on_message},
    {.path = "/grpc.health.v1.Health/Check", .on_message = health_on_message},
    {0},
};

static void on_accept(void *user, struct pubsub_bytestream *take_stream) {
  struct server *server = user;
  struct pubsub_h2_options options = {
      .server = true, .stream_window_bytes = 4u << 20, .max_concurrent_streams = 10000};
  if (!rpc_connection_new(server->loop, take_stream, &options, &server->service,
                          &server->connections)) {
    take_stream->ops->destroy(take_stream);
  }
}

enum pubsub_status server_new(struct pubsub_loop *loop, const struct server_options *options,
                              struct server **out, struct pubsub_error *error) {
  struct server *server = pubsub_alloc_zero(1, sizeof *server);
  if (!server) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  server->loop = loop;
  server->service = (struct rpc_service){methods, &server->broker};
  pubsub_list_init(&server->connections);
  broker_init(&server->broker, loop);
  enum pubsub_status status = PUBSUB_OK;
  if (options->tls_certificate) {
    status = pubsub_tls_context_new_server(options->tls_certificate, options->tls_key, &server->tls,
                                           error);
  }
  if (status == PUBSUB_OK) {
    status = pubsub_listener_new(loop, options->address, options->port, server->tls, on_accept,
                                 server, &server->listener, error);
  }
  if (status != PUBSUB_OK) {
    server_destroy(server);
    return status;
  }
  *out = server;
  return PUBSUB_OK;
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
    stream_end_all(subscription, PUBSUB_GRPC_UNAVAILABLE, "the server is shutting down");
    pull_end_all(subscription, PUBSUB_GRPC_UNAVAILABLE, "the server is shutting down");
  }
  while (!pubsub_list_empty(&server->connections)) {
    rpc_connection_destroy((struct rpc_connection *)server->connections.next);
  }
  broker_clear(&server->broker);
  pubsub_tls_context_destroy(server->tls);
  pubsub_free(server);
}
