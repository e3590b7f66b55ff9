#include "rpc/connection.h"

#include "base/alloc.h"
#include "base/container.h"
#include "http/http2.h"
#include "rpc/grpc.h"
#include "rpc/refusal.h"

/* What the front needs of a request's headers; borrowed. */
struct head {
  struct pubsub_view path, type, method, authorization, encoding, timeout, origin;
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
                {"grpc-timeout", &head.timeout},
                {"origin", &head.origin}};
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < sizeof wanted / sizeof *wanted; j++) {
      if (pubsub_view_equal(headers[i].name, pubsub_view_str(wanted[j].name))) {
        *wanted[j].value = headers[i].value;
      }
    }
  }
  return head;
}

/* A browser, which alone sends an Origin, has no business with gRPC. */
static bool is_grpc(const struct head *head) {
  return head->type.len >= 16 && memcmp(head->type.ptr, "application/grpc", 16) == 0 &&
         head->origin.len == 0 && pubsub_view_equal(head->method, pubsub_view_str("POST"));
}

static void on_request(void *user, struct pubsub_h2_conn *conn, struct pubsub_h2_stream *stream,
                       const struct pubsub_h2_header *headers, size_t count) {
  struct connection *connection = user;
  const struct service *service = connection->service;
  struct head head = read_head(headers, count);
  if (!is_grpc(&head)) {
    http2_open(connection->site, conn, stream, headers, count, connection->local,
               &connection->streams);
    return;
  }
  const struct method *method = method_find(service->tables, head.path);
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
  http2_destroy_all(&connection->streams);
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
                                  const struct service *service, struct site *site,
                                  struct pubsub_list *list) {
  struct connection *connection = pubsub_alloc_zero(1, sizeof *connection);
  if (!connection) return NULL;
  pubsub_list_init(&connection->calls);
  pubsub_list_init(&connection->streams);
  connection->loop = loop;
  connection->service = service;
  connection->site = site;
  connection->local = take_stream->local;
  connection->all = list;
  if (pubsub_h2_conn_new(loop, take_stream, options, &conn_handler, connection, &connection->h2,
                         NULL) != PUBSUB_OK) {
    pubsub_free(connection);
    return NULL;
  }
  pubsub_list_push_back(list, &connection->link);
  return connection;
}
