#include "rpc/connection.h"

#include "base/alloc.h"
#include "base/container.h"
#include "rpc/grpc.h"
#include "rpc/http.h"

/* What the front needs of a request's headers; borrowed. */
struct head {
  struct pubsub_view path, type, method, authorization, encoding, timeout;
};

static struct head read_head(const struct pubsub_h2_header *headers, size_t count) {
  struct head head = {0};
  const struct {
    const char *name;
    struct pubsub_view *value;
  } wanted[] = {{":path", &head.path},
                {":method", &head.method},
                {"content-type", &head.type},
                {"authorization", &head.authorization},
                {"grpc-encoding", &head.encoding},
                {"grpc-timeout", &head.timeout}};
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < sizeof wanted / sizeof *wanted; j++) {
      if (pubsub_view_equal(headers[i].name, pubsub_view_str(wanted[j].name))) {
        *wanted[j].value = headers[i].value;
      }
    }
  }
  return head;
}

static const struct method *find_method(const struct service *service, struct pubsub_view path) {
  for (const struct method *const *table = service->tables; *table; table++) {
    for (const struct method *method = *table; method->path; method++) {
      if (pubsub_view_equal(path, pubsub_view_str(method->path))) return method;
    }
  }
  return NULL;
}

static const struct refusal healthy = {"200", "Ok\n"},
                            no_grpc = {"415", "The content type must be application/grpc.\n"},
                            no_post = {"405", "The method must be POST.\n"};

/* NULL: it is for gRPC. */
static const struct refusal *refusal_of(const struct head *head) {
  bool grpc = head->type.len >= 16 && memcmp(head->type.ptr, "application/grpc", 16) == 0;
  if (pubsub_view_equal(head->method, pubsub_view_str("GET"))) return &healthy;
  if (!grpc) return &no_grpc;
  return pubsub_view_equal(head->method, pubsub_view_str("POST")) ? NULL : &no_post;
}

static void on_request(void *user, struct pubsub_h2_conn *conn, struct pubsub_h2_stream *stream,
                       const struct pubsub_h2_header *headers, size_t count) {
  struct connection *connection = user;
  const struct service *service = connection->service;
  struct head head = read_head(headers, count);
  const struct refusal *refusal = refusal_of(&head);
  (void)conn;
  if (refusal) {
    refuse_http(stream, refusal);
    return;
  }
  const struct method *method = find_method(service, head.path);
  if (!method) {
    refuse_grpc(stream, "12", "the method is not implemented");
    return;
  }
  const char *problem =
      service->admit ? service->admit(service->broker, method, head.authorization) : NULL;
  if (problem) {
    refuse_grpc(stream, "16", problem);
    return;
  }
  grpc_open(connection, stream, method, head.encoding, head.timeout);
}

void connection_destroy(struct connection *connection) {
  grpc_destroy_all(&connection->calls);
  pubsub_list_remove(&connection->link);
  pubsub_h2_conn_destroy(connection->h2);
  pubsub_free(connection);
}

static void on_conn_closed(void *user, struct pubsub_h2_conn *conn,
                           const struct pubsub_error *why) {
  struct connection *connection = user;
  (void)conn;
  (void)why;
  pubsub_list_remove(&connection->link);
  pubsub_free(connection);
}

static const struct pubsub_h2_conn_handler conn_handler = {.on_request = on_request,
                                                           .on_closed = on_conn_closed};

struct connection *connection_new(struct pubsub_loop *loop, struct pubsub_bytestream *take_stream,
                                  const struct pubsub_h2_options *options,
                                  const struct service *service, struct pubsub_list *list) {
  struct connection *connection = pubsub_alloc_zero(1, sizeof *connection);
  if (!connection) return NULL;
  pubsub_list_init(&connection->calls);
  connection->loop = loop;
  connection->service = service;
  connection->all = list;
  if (pubsub_h2_conn_new(loop, take_stream, options, &conn_handler, connection, &connection->h2,
                         NULL) != PUBSUB_OK) {
    pubsub_free(connection);
    return NULL;
  }
  pubsub_list_push_back(list, &connection->link);
  return connection;
}
