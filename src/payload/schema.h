/*
 * The schema of a payload: a tree of Spark's SQL types, read from SQL's words (DDL). Immutable once
 * parsed, and looked into for every field of every payload: find is a hash table of a struct's
 * names, case-sensitive, as Spark's is.
 *
 * A type that cannot be decoded is refused here, with its name: nothing further down has to know.
 */
#ifndef PUBSUB_PAYLOAD_SCHEMA_H
#define PUBSUB_PAYLOAD_SCHEMA_H

#include "base/bytes.h"

enum pubsub_type {
  PUBSUB_TYPE_BOOLEAN,
  PUBSUB_TYPE_BYTE,
  PUBSUB_TYPE_SHORT,
  PUBSUB_TYPE_INT,
  PUBSUB_TYPE_LONG,
  PUBSUB_TYPE_FLOAT,
  PUBSUB_TYPE_DOUBLE,
  PUBSUB_TYPE_DECIMAL,
  PUBSUB_TYPE_DATE,
  PUBSUB_TYPE_TIMESTAMP,
  PUBSUB_TYPE_TIMESTAMP_NTZ,
  PUBSUB_TYPE_STRING,
  PUBSUB_TYPE_BINARY,
  PUBSUB_TYPE_ARRAY,
  PUBSUB_TYPE_MAP,
  PUBSUB_TYPE_STRUCT,
};

/* Nesting and fields of a schema, at most. */
#define PUBSUB_SCHEMA_DEPTH 64
#define PUBSUB_SCHEMA_NODES 10000

struct pubsub_schema {
  enum pubsub_type type;
  uint8_t precision, scale; /* of a DECIMAL */
  bool delicate; /* an ARRAY or BINARY, or one is below: JSON that is no such value can leave its
                    reader within it */
  struct pubsub_view name; /* of a struct's field; owned */
  uint32_t count;
  struct pubsub_schema *children; /* a struct's fields; an array's element; a map's key and value */
  uint32_t *table;                /* of a struct: 1 + index by hash; table_mask + 1 of them */
  uint32_t table_mask;
};

/* Into *out, which is to be cleared in any case. Errors: INVALID, NOMEM. */
enum pubsub_status pubsub_schema_parse(struct pubsub_view ddl, struct pubsub_schema *out,
                                       struct pubsub_error *error);
void pubsub_schema_clear(struct pubsub_schema *schema);
/* Of a struct: the index of the field of that name, -1: there is none. `hint` is looked at
 * first. */
int32_t pubsub_schema_find(const struct pubsub_schema *schema, struct pubsub_view name,
                           uint32_t hint);
/* All of the tree. */
size_t pubsub_schema_nodes(const struct pubsub_schema *schema);
/* "INT", for messages; static. */
const char *pubsub_type_name(enum pubsub_type type);

#endif
