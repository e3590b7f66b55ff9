/* Schemas are stored and returned, with their revisions; nothing is validated against them. */
#include "services.h"

#include "base/alloc.h"
#include "lists.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Google__Pubsub__V1__Schema Schema;

struct schema {
  struct pubsub_map_entry entry; /* key: name */
  char *name;
  Schema **revisions; /* owned, the newest last; at least one */
  size_t count;
};

static struct schema *find(struct rpc *rpc, const char *name) {
  struct broker *broker = rpc->server;
  size_t len = strcspn(name, "@");
  struct pubsub_map_entry *entry = pubsub_map_find(&broker->schemas, pubsub_view_of(name, len));
  if (entry) return PUBSUB_CONTAINER_OF(entry, struct schema, entry);
  rpc_fail(rpc, PUBSUB_GRPC_NOT_FOUND, "Resource not found (resource=%.300s).", name);
  return NULL;
}

/* "NAME" (the newest), or "NAME@REVISION". */
static size_t find_revision(const struct schema *schema, const char *id) {
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

/* A copy with a name, a revision and a time of its own, appended. NULL: no memory. */
static Schema *add_revision(struct broker *broker, struct schema *schema, const Schema *from) {
  void *revisions =
      pubsub_realloc(schema->revisions, (schema->count + 1) * sizeof *schema->revisions);
  if (!revisions) return NULL;
  schema->revisions = revisions;
  Schema *copy = malloc(sizeof *copy);
  if (!copy) return NULL;
  char id[24];
  snprintf(id, sizeof id, "%08llx", (unsigned long long)broker->next_serial++);
  google__pubsub__v1__schema__init(copy);
  copy->type = from->type;
  copy->name = strdup(schema->name);
  copy->definition = strdup(from->definition);
  copy->revision_id = strdup(id);
  copy->revision_create_time = malloc(sizeof *copy->revision_create_time);
  if (!copy->name || !copy->definition || !copy->revision_id || !copy->revision_create_time) {
    google__pubsub__v1__schema__free_unpacked(copy, NULL);
    return NULL;
  }
  google__protobuf__timestamp__init(copy->revision_create_time);
  copy->revision_create_time->seconds = broker_wall_us(broker) / 1000000;
  schema->revisions[schema->count++] = copy;
  return copy;
}

static bool check_definition(struct rpc *rpc, const Schema *schema) {
  if (!schema || schema->definition[0] == '\0') {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "The schema must have a definition.");
    return false;
  }
  if (strlen(schema->definition) > 300 * 1024) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "A definition has at most 300 KB.");
    return false;
  }
  if (schema->type == GOOGLE__PUBSUB__V1__SCHEMA__TYPE__TYPE_UNSPECIFIED) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "The schema must have a type.");
    return false;
  }
  return true;
}

static void reply_schema(struct rpc *rpc, const Schema *schema, int view) {
  Schema shown = *schema;
  if (view == GOOGLE__PUBSUB__V1__SCHEMA_VIEW__BASIC) {
    shown.definition = (char *)(uintptr_t)protobuf_c_empty_string;
  }
  reply_message(rpc, &shown.base);
}

static void reply_added(struct rpc *rpc, const Schema *added) {
  if (added) {
    reply_message(rpc, &added->base);
  } else {
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
  }
}

static struct schema *new_schema(struct broker *broker, const char *name) {
  struct schema *schema = pubsub_alloc_zero(1, sizeof *schema);
  size_t len = strlen(name);
  if (!schema) return NULL;
  schema->name = pubsub_alloc(len + 1);
  if (schema->name) memcpy(schema->name, name, len + 1);
  if (!schema->name || pubsub_map_insert(&broker->schemas, &schema->entry,
                                         pubsub_view_str(schema->name)) != PUBSUB_OK) {
    schema_free(schema);
    return NULL;
  }
  return schema;
}

static void remove_schema(struct broker *broker, struct schema *schema) {
  pubsub_map_remove(&broker->schemas, &schema->entry);
  schema_free(schema);
}

void create_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  struct broker *broker = rpc->server;
  Google__Pubsub__V1__CreateSchemaRequest *request =
      unpack_request(rpc, &google__pubsub__v1__create_schema_request__descriptor, take_request);
  char name[800];
  if (!request) return;
  snprintf(name, sizeof name, "%s/schemas/%s", request->parent, request->schema_id);
  if (!require_name(rpc, name, "schemas") || !check_definition(rpc, request->schema)) goto done;
  if (pubsub_map_find(&broker->schemas, pubsub_view_str(name))) {
    rpc_fail(rpc, PUBSUB_GRPC_ALREADY_EXISTS,
             "Resource already exists in the project (resource=%s).", request->schema_id);
    goto done;
  }
  struct schema *schema = new_schema(broker, name);
  Schema *added = schema ? add_revision(broker, schema, request->schema) : NULL;
  if (schema && !added) remove_schema(broker, schema);
  reply_added(rpc, added);
done:
  google__pubsub__v1__create_schema_request__free_unpacked(request, NULL);
}

void get_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__GetSchemaRequest *request =
      unpack_request(rpc, &google__pubsub__v1__get_schema_request__descriptor, take_request);
  if (!request) return;
  struct schema *schema = find(rpc, request->name);
  if (schema) {
    const char *at = strchr(request->name, '@');
    size_t i = at ? find_revision(schema, at + 1) : schema->count - 1;
    if (i == SIZE_MAX) {
      rpc_fail(rpc, PUBSUB_GRPC_NOT_FOUND, "Resource not found (resource=%.300s).", request->name);
    } else {
      reply_schema(rpc, schema->revisions[i], (int)request->view);
    }
  }
  google__pubsub__v1__get_schema_request__free_unpacked(request, NULL);
}

void commit_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__CommitSchemaRequest *request =
      unpack_request(rpc, &google__pubsub__v1__commit_schema_request__descriptor, take_request);
  if (!request) return;
  struct schema *schema = find(rpc, request->name);
  if (schema && check_definition(rpc, request->schema)) {
    if (request->schema->type != schema->revisions[0]->type) {
      rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "A schema keeps its type.");
    } else {
      reply_added(rpc, add_revision(rpc->server, schema, request->schema));
    }
  }
  google__pubsub__v1__commit_schema_request__free_unpacked(request, NULL);
}

void rollback_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__RollbackSchemaRequest *request =
      unpack_request(rpc, &google__pubsub__v1__rollback_schema_request__descriptor, take_request);
  if (!request) return;
  struct schema *schema = find(rpc, request->name);
  if (schema) {
    size_t i = find_revision(schema, request->revision_id);
    if (i == SIZE_MAX) {
      rpc_fail(rpc, PUBSUB_GRPC_NOT_FOUND, "Revision not found (revision=%.100s).",
               request->revision_id);
    } else {
      reply_added(rpc, add_revision(rpc->server, schema, schema->revisions[i]));
    }
  }
  google__pubsub__v1__rollback_schema_request__free_unpacked(request, NULL);
}

void delete_schema_revision_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__DeleteSchemaRevisionRequest *request = unpack_request(
      rpc, &google__pubsub__v1__delete_schema_revision_request__descriptor, take_request);
  if (!request) return;
  struct schema *schema = find(rpc, request->name);
  if (schema) {
    const char *at = strchr(request->name, '@');
    size_t i = find_revision(schema, at ? at + 1 : request->revision_id);
    if (i == SIZE_MAX) {
      rpc_fail(rpc, PUBSUB_GRPC_NOT_FOUND, "Resource not found (resource=%.300s).", request->name);
    } else if (schema->count == 1) {
      rpc_fail(rpc, PUBSUB_GRPC_FAILED_PRECONDITION, "The only revision cannot be deleted.");
    } else {
      Schema *deleted = schema->revisions[i];
      memmove(&schema->revisions[i], &schema->revisions[i + 1],
              (--schema->count - i) * sizeof *schema->revisions);
      reply_message(rpc, &deleted->base);
      google__pubsub__v1__schema__free_unpacked(deleted, NULL);
    }
  }
  google__pubsub__v1__delete_schema_revision_request__free_unpacked(request, NULL);
}

void list_schema_revisions_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__ListSchemaRevisionsRequest *request = unpack_request(
      rpc, &google__pubsub__v1__list_schema_revisions_request__descriptor, take_request);
  struct listing listing = {0};
  if (!request) return;
  struct schema *schema = find(rpc, request->name);
  if (schema) {
    for (size_t i = 0; i < schema->count; i++)
      listing_add(&listing, schema->revisions[i]->revision_id, schema->revisions[i]);
    listing_reply(rpc, &listing, &google__pubsub__v1__list_schema_revisions_response__descriptor,
                  "", request->page_size, request->page_token);
  }
  google__pubsub__v1__list_schema_revisions_request__free_unpacked(request, NULL);
}

static void *newest_revision(struct pubsub_map_entry *entry) {
  const struct schema *schema = PUBSUB_CONTAINER_OF(entry, struct schema, entry);
  return schema->revisions[schema->count - 1];
}

void list_schemas_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  struct broker *broker = rpc->server;
  Google__Pubsub__V1__ListSchemasRequest *request =
      unpack_request(rpc, &google__pubsub__v1__list_schemas_request__descriptor, take_request);
  struct listing listing = {0};
  char prefix[600];
  if (!request) return;
  snprintf(prefix, sizeof prefix, "%s/schemas/", request->parent);
  listing_add_all(&listing, &broker->schemas, prefix, newest_revision);
  listing_reply(rpc, &listing, &google__pubsub__v1__list_schemas_response__descriptor, prefix,
                request->page_size, request->page_token);
  google__pubsub__v1__list_schemas_request__free_unpacked(request, NULL);
}

/* Topics of a deleted schema say so. */
static void forget_schema(struct broker *broker, const char *name) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->topics, &it))) {
    Google__Pubsub__V1__SchemaSettings *settings =
        PUBSUB_CONTAINER_OF(entry, struct topic, entry)->config->schema_settings;
    if (!settings || strcmp(settings->schema, name) != 0) continue;
    char *deleted = strdup("_deleted-schema_");
    if (!deleted) continue;
    free(settings->schema);
    settings->schema = deleted;
  }
}

void delete_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__DeleteSchemaRequest *request =
      unpack_request(rpc, &google__pubsub__v1__delete_schema_request__descriptor, take_request);
  if (!request) return;
  struct schema *schema = find(rpc, request->name);
  if (schema) {
    forget_schema(rpc->server, schema->name);
    remove_schema(rpc->server, schema);
    reply_empty(rpc);
  }
  google__pubsub__v1__delete_schema_request__free_unpacked(request, NULL);
}

void validate_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__ValidateSchemaRequest *request =
      unpack_request(rpc, &google__pubsub__v1__validate_schema_request__descriptor, take_request);
  if (!request) return;
  if (check_definition(rpc, request->schema)) reply_empty(rpc);
  google__pubsub__v1__validate_schema_request__free_unpacked(request, NULL);
}

void validate_message_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  (void)take_request;
  rpc_fail(rpc, PUBSUB_GRPC_UNIMPLEMENTED, "messages are not validated against schemas");
}

void schemas_clear(struct broker *broker) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->schemas, &it))) {
    remove_schema(broker, PUBSUB_CONTAINER_OF(entry, struct schema, entry));
  }
  pubsub_map_clear(&broker->schemas);
}
