/*
 * A request of HTTP and its answer, whatever version brought it: http1 and http2 fill an exchange,
 * the site serves it. Knows nothing of Pub/Sub, nor of gRPC. Loop thread only.
 *
 *   transport: head ─▶ site.admit ─▶ body ─▶ site.serve … exchange_respond ─▶ transport
 *                                              └─ the peer goes first ─▶ exchange.on_closed
 */
#ifndef EMULATOR_HTTP_EXCHANGE_H
#define EMULATOR_HTTP_EXCHANGE_H

#include "base/bytes.h"
#include "base/list.h"

#define HTTP_MAX_BODY_BYTES ((size_t)20 << 20)
#define HTTP_MAX_HEAD_BYTES ((size_t)64 << 10)
#define HTTP_MAX_HEADERS 100
/* Of all bodies and answers that are held at a time. */
#define HTTP_MAX_HELD_BYTES ((size_t)512 << 20)

/* What is kept of a head. */
enum http_field {
  HTTP_METHOD,
  HTTP_TARGET, /* "/path?query" */
  HTTP_HOST,   /* or :authority */
  HTTP_ORIGIN,
  HTTP_FETCH_SITE,
  HTTP_FETCH_MODE,
  HTTP_FETCH_DEST,
  HTTP_CONTENT_TYPE,
  HTTP_CONTENT_ENCODING,
  HTTP_TRANSFER_ENCODING,
  HTTP_EXPECT,
  HTTP_AUTHORIZATION,
  HTTP_SERVER_TIMEOUT, /* seconds that the client waits */
  HTTP_FIELDS
};

struct http_request {
  struct pubsub_buf text; /* of all fields */
  struct {
    size_t at, len;
    unsigned times; /* given so often */
  } fields[HTTP_FIELDS];
  struct pubsub_buf body;
  bool local; /* the peer is on this host */
};

struct http_header {
  const char *name, *value; /* lower case; static */
};

struct http_response {
  int status;
  const char *content_type;
  const struct http_header *headers; /* further ones; name NULL ends them; NULL: none */
  struct pubsub_buf body;            /* taken */
};

struct site;
struct exchange;

struct exchange_ops {
  void (*respond)(struct exchange *exchange, struct http_response *take_response);
  void (*cut)(struct exchange *exchange);      /* without an answer, its connection too */
  void (*reset)(struct exchange *exchange);    /* without an answer */
  void (*farewell)(struct exchange *exchange); /* its connection takes no more requests */
};

/* Embedded in the transport's own. */
struct exchange {
  const struct exchange_ops *ops;
  struct site *site;
  struct http_request request;
  bool answered;
  /* Of who serves it and has not answered yet: the exchange is gone after it. */
  void (*on_closed)(struct exchange *exchange);
  void *state;
};

/* What is served. Its lists and counts are the transports'. */
struct site {
  void *user;
  /* Looks at a head. False: *refusal is to be answered instead. */
  bool (*admit)(void *user, const struct http_request *request, struct http_response *refusal);
  /* A request is complete. Answers now or later. */
  void (*serve)(void *user, struct exchange *exchange);
  struct pubsub_list connections; /* of struct http1 */
  size_t connection_count, held_bytes;
};

void site_init(struct site *site);

struct pubsub_view http_field(const struct http_request *request, enum http_field field);
bool http_field_is(const struct http_request *request, enum http_field field, const char *value);
/* What a header of this name (lower case) is kept as. HTTP_FIELDS: it is not. */
enum http_field http_field_named(struct pubsub_view name);
/* Replaces the value. False: no memory. */
bool http_field_set(struct http_request *request, enum http_field field, struct pubsub_view value);
/* The value grows by what follows; of the field that was set last. False: no memory. */
bool http_field_extend(struct http_request *request, enum http_field field,
                       struct pubsub_view more);

/* Adds to the body. 0, or the HTTP status of what is wrong: too large, too much held, no memory. */
int exchange_body_append(struct exchange *exchange, const uint8_t *data, size_t len);
/* Once. Takes the body of the response. */
void exchange_respond(struct exchange *exchange, struct http_response *take_response);
/* Text, with a line end. */
void exchange_respond_text(struct exchange *exchange, int status, const char *text);
/* The transport is done with it, or its peer has gone: tells who serves it, frees the request. */
void exchange_end(struct exchange *exchange);

/* A response of one line of text. */
struct http_response http_text(int status, const char *text);
const char *http_reason(int status);

#endif
