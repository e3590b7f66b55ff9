/*
 * What stands in the payload of a frame: entries, one behind the other, each a kind and its fields
 * (numbers as varints, bytes with their length). Pure.
 */
#ifndef EMULATOR_STORE_CODEC_H
#define EMULATOR_STORE_CODEC_H

#include "base/bytes.h"
#include <stdbool.h>

enum entry_kind {
  ENTRY_COUNTERS = 1,   /* starts, next message id, next number, clock's µs ahead */
  ENTRY_TOPIC,          /* number, settings */
  ENTRY_SUBSCRIPTION,   /* number, topic's number (0: deleted), settings */
  ENTRY_SNAPSHOT,       /* number, topic's number, settings */
  ENTRY_SCHEMA,         /* count, revisions */
  ENTRY_POLICY,         /* resource, policy */
  ENTRY_REMOVED,        /* number */
  ENTRY_SCHEMA_REMOVED, /* name */
  ENTRY_PUBLISHED,      /* topic's number, first id, count, time, block */
  ENTRY_MOVED,          /* block: a checkpoint says what is in it */
  ENTRY_BLOCK,          /* log's number, offset, length, first id, count, time: of a checkpoint */
  ENTRY_ACKNOWLEDGED,   /* subscription's number, id: and retained */
  ENTRY_GONE,           /* the same, not retained */
  ENTRY_LENT,           /* subscription's number, id, attempts */
  ENTRY_CONTENTS,       /* number, count, messages: all that it holds, decided anew */
  ENTRY_SWEPT,          /* topic's number, time: what it retains of before is gone */
  ENTRY_IDS,            /* next message id: of messages that nobody holds */
  ENTRY_END             /* of a checkpoint */
};

/* The most that an entry without bytes of others takes. */
#define ENTRY_BYTES ((size_t)80)

/* Writing: the caller has made room. */
void entry_begin(struct pubsub_buf *out, enum entry_kind kind);
void entry_number(struct pubsub_buf *out, uint64_t value);
void entry_bytes(struct pubsub_buf *out, const void *ptr, size_t len);

/* Reading: `bad` once something is not there; what is read then is 0 and empty. */
struct entries {
  const uint8_t *ptr, *end;
  bool bad;
};
uint64_t entries_number(struct entries *entries);
struct pubsub_view entries_bytes(struct entries *entries);

/* A message of ENTRY_CONTENTS, by its distance from the one before. */
struct content {
  uint64_t id;
  unsigned attempts;
  bool retained;
};
void entry_content(struct pubsub_buf *out, uint64_t before, const struct content *content);
struct content entries_content(struct entries *entries, uint64_t before);

#endif
