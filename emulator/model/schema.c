#include "model/schema.h"

#include "base/alloc.h"
#include "model/journal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Google__Pubsub__V1__Schema Schema;

struct schema *schema_find(const struct pubsub_map *schemas, const char *name) {
  struct pubsub_map_entry *entry =
      pubsub_map_find(schemas, pubsub_view_of(name, strcspn(name, "@")));
  return entry ? PUBSUB_CONTAINER_OF(entry, struct schema, entry) : NULL;
}

size_t schema_revision(const struct schema *schema, const char *id) {
  for (size_t i = 0; i < schema->count; i++) {
    if (strcmp(schema->revisions[i]->revision_id, id) == 0) return i;
  }
  return SIZE_MAX;
}

static void schema_free(struct schema *schema) {
  for (size_t i = 0; i < schema->count; i++)
    google__pubsub__v1__schema__free_unpacked(schema->revisions[i], NULL);
  pubsub_free(schema->revisions);
  pubsub_free(schema->name);
  pubsub_free(schema);
}

/* Generated code frees with the system's allocator. NULL: no memory. */
static Schema *copy_of(const Schema *from, const char *name, const char *revision, int64_t now_s) {
  Schema *copy = malloc(sizeof *copy);
  if (!copy) return NULL;
  google__pubsub__v1__schema__init(copy);
  copy->type = from->type;
  copy->name = strdup(name);
  copy->definition = strdup(from->definition);
  copy->revision_id = strdup(revision);
  copy->revision_create_time = malloc(sizeof *copy->revision_create_time);
  if (copy->revision_create_time) google__protobuf__timestamp__init(copy->revision_create_time);
  if (!copy->name || !copy->definition || !copy->revision_id || !copy->revision_create_time) {
    google__pubsub__v1__schema__free_unpacked(copy, NULL);
    return NULL;
  }
  copy->revision_create_time->seconds = now_s;
  return copy;
}

Schema *schema_commit(struct world *world, struct schema *schema, const Schema *from) {
  char id[24];
  void *revisions =
      pubsub_realloc(schema->revisions, (schema->count + 1) * sizeof *schema->revisions);
  if (!revisions) return NULL;
  schema->revisions = revisions;
  do {
    snprintf(id, sizeof id, "%08x", (unsigned)world->next_serial++);
  } while (schema_revision(schema, id) != SIZE_MAX);
  Schema *copy = copy_of(from, schema->name, id, clock_wall_us(&world->clock) / 1000000);
  if (!copy) return NULL;
  schema->revisions[schema->count++] = copy;
  JOURNAL(world, schema, schema);
  return copy;
}

static struct schema *schema_new(const char *name) {
  struct schema *schema = pubsub_alloc_zero(1, sizeof *schema);
  size_t len = strlen(name);
  if (schema) schema->name = pubsub_alloc(len + 1);
  if (schema && schema->name) {
    memcpy(schema->name, name, len + 1);
    return schema;
  }
  pubsub_free(schema);
  return NULL;
}

struct schema *schema_add(struct world *world, struct pubsub_map *schemas, const char *name,
                          const Schema *from) {
  struct schema *schema = schema_new(name);
  if (!schema) return NULL;
  if (!schema_commit(world, schema, from) ||
      pubsub_map_insert(schemas, &schema->entry, pubsub_view_str(schema->name)) != PUBSUB_OK) {
    schema_free(schema);
    return NULL;
  }
  return schema;
}

struct schema *schema_restore(struct pubsub_map *schemas, Schema **take_revisions, size_t count) {
  struct schema *schema = schema_new(take_revisions[0]->name);
  if (!schema) return NULL;
  if (pubsub_map_insert(schemas, &schema->entry, pubsub_view_str(schema->name)) != PUBSUB_OK) {
    schema_free(schema);
    return NULL;
  }
  schema->revisions = take_revisions;
  schema->count = count;
  return schema;
}

Schema *schema_take_revision(struct world *world, struct schema *schema, size_t i) {
  Schema *taken = schema->revisions[i];
  memmove(&schema->revisions[i], &schema->revisions[i + 1],
          (--schema->count - i) * sizeof *schema->revisions);
  JOURNAL(world, schema, schema);
  return taken;
}

static void drop(struct pubsub_map *schemas, struct schema *schema) {
  pubsub_map_remove(schemas, &schema->entry);
  schema_free(schema);
}

void schema_remove(struct world *world, struct pubsub_map *schemas, struct schema *schema) {
  JOURNAL(world, schema_removed, schema->name);
  drop(schemas, schema);
}

void schemas_clear(struct world *world, struct pubsub_map *schemas) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(schemas, &it))) {
    schema_remove(world, schemas, PUBSUB_CONTAINER_OF(entry, struct schema, entry));
  }
  pubsub_map_clear(schemas);
}
