#include "server.h"

#include "base/alloc.h"
#include "base/error.h"
#include "faults.h"
#include "services.h"

struct server {
  struct pubsub_loop *loop;
  struct broker broker;
  struct faults faults;
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
#define SCHEMAS "/google.pubsub.v1.SchemaService/"
#define IAM "/google.iam.v1.IAMPolicy/"
#define CONTROL "/pubsub.emulator.v1.Control/"

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
    {.path = PUBLISHER "ListTopicSnapshots", .on_message = list_topic_snapshots_on_message},
    {.path = PUBLISHER "DeleteTopic", .on_message = delete_topic_on_message},
    {.path = SUBSCRIBER "CreateSubscription", .on_message = create_subscription_on_message},
    {.path = SUBSCRIBER "UpdateSubscription", .on_message = update_subscription_on_message},
    {.path = SUBSCRIBER "GetSubscription", .on_message = get_subscription_on_message},
    {.path = SUBSCRIBER "ListSubscriptions", .on_message = list_subscriptions_on_message},
    {.path = SUBSCRIBER "DeleteSubscription", .on_message = delete_subscription_on_message},
    {.path = SUBSCRIBER "ModifyPushConfig", .on_message = modify_push_config_on_message},
    {.path = SUBSCRIBER "Seek", .on_message = seek_on_message},
    {.path = SUBSCRIBER "CreateSnapshot", .on_message = create_snapshot_on_message},
    {.path = SUBSCRIBER "UpdateSnapshot", .on_message = update_snapshot_on_message},
    {.path = SUBSCRIBER "GetSnapshot", .on_message = get_snapshot_on_message},
    {.path = SUBSCRIBER "ListSnapshots", .on_message = list_snapshots_on_message},
    {.path = SUBSCRIBER "DeleteSnapshot", .on_message = delete_snapshot_on_message},
    {.path = SCHEMAS "CreateSchema", .on_message = create_schema_on_message},
    {.path = SCHEMAS "GetSchema", .on_message = get_schema_on_message},
    {.path = SCHEMAS "ListSchemas", .on_message = list_schemas_on_message},
    {.path = SCHEMAS "ListSchemaRevisions", .on_message = list_schema_revisions_on_message},
    {.path = SCHEMAS "CommitSchema", .on_message = commit_schema_on_message},
    {.path = SCHEMAS "RollbackSchema", .on_message = rollback_schema_on_message},
    {.path = SCHEMAS "DeleteSchemaRevision", .on_message = delete_schema_revision_on_message},
    {.path = SCHEMAS "DeleteSchema", .on_message = delete_schema_on_message},
    {.path = SCHEMAS "ValidateSchema", .on_message = validate_schema_on_message},
    {.path = SCHEMAS "ValidateMessage", .on_message = validate_message_on_message},
    {.path = IAM "GetIamPolicy", .on_message = get_iam_policy_on_message},
    {.path = IAM "SetIamPolicy", .on_message = set_iam_policy_on_message},
    {.path = IAM "TestIamPermissions", .on_message = test_iam_permissions_on_message},
    {.path = CONTROL "Command", .on_message = control_command_on_message},
    {.path = CONTROL "Record",
     .on_message = control_record_on_message,
     .on_drained = control_record_on_drained,
     .on_closed = control_record_on_closed},
    {.path = "/grpc.health.v1.Health/Check", .on_message = health_on_message},
    {0},
};

/* FNV-1a: tells requests apart in the record. */
static uint64_t hash(const struct pubsub_buf *bytes) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < bytes->len; i++)
    hash = (hash ^ bytes->ptr[i]) * 1099511628211u;
  return hash;
}

static void note(struct broker *broker, struct rpc *rpc, int code) {
  if (!broker->record.on) return;
  record_add(&broker->record, broker_wall_us(broker), RECORD_FAULT,
             record_name(&broker->record, rpc->method->path), hash(&rpc->request), (uint32_t)code);
}

/* The faults that come before a call's method. */
static bool on_intercept(struct rpc *rpc) {
  struct broker *broker = rpc->server;
  struct faults *faults = broker->faults;
  const char *path = rpc->method->path;
  const struct fault *fault;
  if (faults->count == 0 || strncmp(path, CONTROL, strlen(CONTROL)) == 0) return true;
  if ((fault = faults_draw(faults, path, FAULT_STATUS))) {
    note(broker, rpc, fault->code);
    rpc_fail(rpc, fault->code, "%s", fault->message);
    return false;
  }
  if (faults_draw(faults, path, FAULT_RESET)) {
    note(broker, rpc, 0);
    rpc_reset(rpc);
    return false;
  }
  if (faults_draw(faults, path, FAULT_DISCONNECT)) {
    note(broker, rpc, 0);
    pubsub_h2_conn_abort(rpc->connection->h2);
    return false;
  }
  if (faults_draw(faults, path, FAULT_GOAWAY)) {
    note(broker, rpc, 0);
    pubsub_h2_conn_goaway(rpc->connection->h2, 0);
  }
  if (rpc->method->on_half_close) return true; /* a stream holds its deliveries itself */
  if (faults_draw(faults, path, FAULT_STALL)) {
    note(broker, rpc, 0);
    return false;
  }
  if ((fault = faults_draw(faults, path, FAULT_LATENCY))) {
    rpc_delay(rpc, fault->us);
    return false;
  }
  return true;
}

/* The control endpoint stays open, so that a test can change the token. */
static const char *on_admit(void *user, const struct rpc_method *method,
                            struct pubsub_view authorization) {
  const struct broker *broker = user;
  bool control = strncmp(method->path, CONTROL, strlen(CONTROL)) == 0;
  return control ? NULL : token_problem(&broker->token, authorization);
}

static void on_accept(void *user, struct pubsub_bytestream *take_stream) {
  struct server *server = user;
  struct pubsub_h2_options options = {.server = true,
                                      .stream_window_bytes = 4u << 20,
                                      .max_frame_bytes =
                                          16384, /* as the protocol's default, and the service's */
                                      .max_concurrent_streams = 10000};
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
  server->service = (struct rpc_service){
      .methods = methods, .server = &server->broker, .intercept = on_intercept, .admit = on_admit};
  pubsub_list_init(&server->connections);
  broker_init(&server->broker, loop);
  faults_init(&server->faults, options->seed);
  server->broker.faults = &server->faults;
  server->broker.record.on = options->record;
  enum pubsub_status status = PUBSUB_OK;
  if (options->require_token) {
    status = token_require(&server->broker.token, options->require_token, error);
  }
  if (status == PUBSUB_OK && options->tls_certificate) {
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

enum pubsub_status server_add_topic(struct server *server, const char *name,
                                    struct pubsub_error *error) {
  return preset_topic(&server->broker, name, error);
}

enum pubsub_status server_add_subscription(struct server *server, const char *text,
                                           struct pubsub_error *error) {
  return preset_subscription(&server->broker, text, error);
}

enum pubsub_status server_add_fault(struct server *server, const char *text,
                                    struct pubsub_error *error) {
  return faults_add(&server->faults, text, error);
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
  schemas_clear(&server->broker);
  iam_clear(&server->broker);
  broker_clear(&server->broker);
  faults_clear(&server->faults);
  token_clear(&server->broker.token);
  pubsub_tls_context_destroy(server->tls);
  pubsub_free(server);
}
