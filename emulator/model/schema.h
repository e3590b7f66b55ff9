/* Schemas with their revisions, by name. They are kept; nothing is validated against them. */
#ifndef EMULATOR_MODEL_SCHEMA_H
#define EMULATOR_MODEL_SCHEMA_H

#include "base/map.h"
#include "google/pubsub/v1/schema.pb-c.h"
#include "model/world.h"

struct schema {
  struct pubsub_map_entry entry; /* key: name */
  char *name;
  Google__Pubsub__V1__Schema **revisions; /* owned, the newest last; at least one */
  size_t count;
};

/* "NAME" or "NAME@REVISION". NULL: there is none. */
struct schema *schema_find(const struct pubsub_map *schemas, const char *name);
/* The index of a revision. SIZE_MAX: there is none. */
size_t schema_revision(const struct schema *schema, const char *id);
/* With its first revision, a copy of `from`. NULL: no memory. */
struct schema *schema_add(struct world *world, struct pubsub_map *schemas, const char *name,
                          const Google__Pubsub__V1__Schema *from);
/* A copy with a name, a revision id and a time of its own, the newest then. NULL: no memory. */
Google__Pubsub__V1__Schema *schema_commit(struct world *world, struct schema *schema,
                                          const Google__Pubsub__V1__Schema *from);
/* One that was there before a restart, with the name of its revisions; takes the array
 * (pubsub_alloc) and what it holds on success. NULL: no memory. */
struct schema *schema_restore(struct pubsub_map *schemas,
                              Google__Pubsub__V1__Schema **take_revisions, size_t count);
/* Takes a revision out; the caller frees it. It must not be the only one. */
Google__Pubsub__V1__Schema *schema_take_revision(struct world *world, struct schema *schema,
                                                 size_t i);
void schema_remove(struct world *world, struct pubsub_map *schemas, struct schema *schema);
void schemas_clear(struct world *world, struct pubsub_map *schemas);

#endif
