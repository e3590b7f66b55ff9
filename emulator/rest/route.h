/*
 * Which method an HTTP request is for: the table that is generated from the google.api.http
 * annotations (tools/generate_routes.py), and the search in it. Pure.
 */
#ifndef EMULATOR_REST_ROUTE_H
#define EMULATOR_REST_ROUTE_H

#include "base/bytes.h"

#define ROUTE_VARIABLES 2

struct route {
  const char *verb;    /* "POST" */
  const char *pattern; /* segments: words, * for any one, ** at the end for the rest */
  const char *custom;  /* after a colon, behind the last segment; "" */
  const char *body;    /* the field that the body is; "*": the whole request; "": none */
  const char *path;    /* the method's, as gRPC has it */
  struct {
    const char *field; /* "topic.name"; NULL: no more */
    int first, count;  /* segments; the last of a ** reaches to the end */
  } variables[ROUTE_VARIABLES];
};

extern const struct route rest_routes[]; /* ended by verb NULL */

enum route_outcome {
  ROUTE_FOUND,
  ROUTE_OTHER_VERB, /* the path is one, and not with this verb */
  ROUTE_NONE,
};

/* `path`: without its query, as it was sent. */
enum route_outcome route_find(const struct route *routes, struct pubsub_view verb,
                              struct pubsub_view path, const struct route **out);
/* The text of a variable in such a path, decoded; in several segments %2F stays (google/api/http).
 * False: a % without two digits, a NUL, or no memory. */
bool route_variable(const struct route *route, int index, struct pubsub_view path,
                    struct pubsub_buf *out);

#endif
