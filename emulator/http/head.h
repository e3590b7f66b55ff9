/*
 * The head of a request of HTTP/1.1, as a parser hands it over in pieces, and that of an answer.
 * Bounded, and stricter than the parser: what two readers may read in two ways is refused. Pure but
 * for the date; called by http1. Each step returns 0, or the HTTP status of what is wrong.
 */
#ifndef EMULATOR_HTTP_HEAD_H
#define EMULATOR_HTTP_HEAD_H

#include "http/exchange.h"

/* Between two pieces. Zeroed; `bytes` and `count` are zeroed for each request. */
struct head {
  struct pubsub_buf name; /* of the header that is being read, lower case */
  enum http_field field;
  bool in_value, in_target;
  size_t bytes, count;
};

int head_method(struct head *head, struct http_request *request, struct pubsub_view piece);
int head_target(struct head *head, struct http_request *request, struct pubsub_view piece);
int head_name(struct head *head, struct pubsub_view piece);
/* trailer: counted, and not kept. */
int head_value(struct head *head, struct http_request *request, struct pubsub_view piece,
               bool trailer);
int head_value_end(struct head *head, struct http_request *request, bool trailer);
/* All has come: judges it as a whole, and makes of an absolute target ("http://host/path") a path
 * and a host. */
int head_end(struct http_request *request, int major, int minor);
void head_clear(struct head *head);

/* What an errno of the parser is answered with. */
int head_status_of(int parser_errno);

/* Status line, headers, empty line. Errors: NOMEM. */
enum pubsub_status head_write(struct pubsub_buf *out, const struct http_response *response,
                              bool close);

#endif
