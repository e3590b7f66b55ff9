/* Schemas are stored and returned, with their revisions; nothing is validated against them. */
#include "api/lists.h"
#include "api/methods.h"
#include "api/resources.h"
#include <stdio.h>
#include <stdlib.h>

typedef Google__Pubsub__V1__Schema Schema;

static bool check_definition(struct call *call, const Schema *schema) {
  const char *problem = NULL;
  if (!schema || schema->definition[0] == '\0') {
    problem = "The schema must have a definition.";
  } else if (strlen(schema->definition) > 300 * 1024) {
    problem = "A definition has at most 300 KB.";
  } else if (schema->type == GOOGLE__PUBSUB__V1__SCHEMA__TYPE__TYPE_UNSPECIFIED) {
    problem = "The schema must have a type.";
  }
  if (problem) call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "%s", problem);
  return problem == NULL;
}

static void reply_added(struct call *call, const Schema *added) {
  if (added) {
    call_reply(call, &added->base);
  } else {
    fail_no_memory(call);
  }
}

static void fail_no_revision(struct call *call, const char *id) {
  call_fail(call, PUBSUB_GRPC_NOT_FOUND, "Revision not found (revision=%.100s).", id);
}

static void create_schema(struct call *call, void *message) {
  const Google__Pubsub__V1__CreateSchemaRequest *request = message;
  struct broker *broker = call->broker;
  char name[800];
  if (!require_project(call, request->parent)) return;
  snprintf(name, sizeof name, "%s/schemas/%s", request->parent, request->schema_id);
  if (!require_name(call, name, "schemas") || !check_definition(call, request->schema)) return;
  if (schema_find(&broker->schemas, name)) {
    fail_exists(call, name);
    return;
  }
  const struct schema *schema = schema_add(&broker->world, &broker->schemas, name, request->schema);
  reply_added(call, schema ? schema->revisions[0] : NULL);
}

static void get_schema(struct call *call, void *message) {
  const Google__Pubsub__V1__GetSchemaRequest *request = message;
  struct schema *schema = require_schema(call, request->name);
  if (!schema) return;
  const char *at = strchr(request->name, '@');
  size_t i = at ? schema_revision(schema, at + 1) : schema->count - 1;
  if (i == SIZE_MAX) {
    fail_no_revision(call, at + 1);
    return;
  }
  Schema shown = *schema->revisions[i];
  if (request->view == GOOGLE__PUBSUB__V1__SCHEMA_VIEW__BASIC) {
    shown.definition = (char *)(uintptr_t)protobuf_c_empty_string;
  }
  call_reply(call, &shown.base);
}

static void commit_schema(struct call *call, void *message) {
  const Google__Pubsub__V1__CommitSchemaRequest *request = message;
  struct schema *schema = require_schema(call, request->name);
  if (!schema || !check_definition(call, request->schema)) return;
  if (request->schema->type != schema->revisions[0]->type) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "A schema keeps its type.");
  } else {
    reply_added(call, schema_commit(&call->broker->world, schema, request->schema));
  }
}

static void rollback_schema(struct call *call, void *message) {
  const Google__Pubsub__V1__RollbackSchemaRequest *request = message;
  struct schema *schema = require_schema(call, request->name);
  if (!schema) return;
  size_t i = schema_revision(schema, request->revision_id);
  if (i == SIZE_MAX) {
    fail_no_revision(call, request->revision_id);
  } else {
    reply_added(call, schema_commit(&call->broker->world, schema, schema->revisions[i]));
  }
}

static void delete_schema_revision(struct call *call, void *message) {
  const Google__Pubsub__V1__DeleteSchemaRevisionRequest *request = message;
  struct schema *schema = require_schema(call, request->name);
  if (!schema) return;
  const char *at = strchr(request->name, '@');
  size_t i = schema_revision(schema, at ? at + 1 : request->revision_id);
  if (i == SIZE_MAX) {
    fail_no_revision(call, at ? at + 1 : request->revision_id);
  } else if (schema->count == 1) {
    call_fail(call, PUBSUB_GRPC_FAILED_PRECONDITION, "The only revision cannot be deleted.");
  } else {
    Schema *deleted = schema_take_revision(&call->broker->world, schema, i);
    call_reply(call, &deleted->base);
    google__pubsub__v1__schema__free_unpacked(deleted, NULL);
  }
}

static void list_schema_revisions(struct call *call, void *message) {
  const Google__Pubsub__V1__ListSchemaRevisionsRequest *request = message;
  struct listing listing = {0};
  struct schema *schema = require_schema(call, request->name);
  if (!schema) return;
  for (size_t i = 0; i < schema->count; i++)
    listing_add(&listing, schema->revisions[i]->revision_id, schema->revisions[i]);
  listing_reply(call, &listing, "", request->page_size, request->page_token);
}

static void *newest_revision(struct pubsub_map_entry *entry) {
  const struct schema *schema = PUBSUB_CONTAINER_OF(entry, struct schema, entry);
  return schema->revisions[schema->count - 1];
}

static void list_schemas(struct call *call, void *message) {
  const Google__Pubsub__V1__ListSchemasRequest *request = message;
  struct listing listing = {0};
  char prefix[600];
  if (!require_project(call, request->parent)) return;
  snprintf(prefix, sizeof prefix, "%s/schemas/", request->parent);
  listing_add_all(&listing, &call->broker->schemas, prefix, newest_revision);
  listing_reply(call, &listing, prefix, request->page_size, request->page_token);
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

static void delete_schema(struct call *call, void *message) {
  const Google__Pubsub__V1__DeleteSchemaRequest *request = message;
  struct schema *schema = require_schema(call, request->name);
  if (!schema) return;
  forget_schema(call->broker, schema->name);
  schema_remove(&call->broker->world, &call->broker->schemas, schema);
  call_reply_empty(call);
}

static void validate_schema(struct call *call, void *message) {
  const Google__Pubsub__V1__ValidateSchemaRequest *request = message;
  if (check_definition(call, request->schema)) call_reply_empty(call);
}

static void validate_message(struct call *call, void *message) {
  (void)message;
  call_fail(call, PUBSUB_GRPC_UNIMPLEMENTED, "messages are not validated against schemas");
}

const struct method schema_methods[] = {
    METHOD(SCHEMAS, "CreateSchema", google__pubsub__v1__create_schema_request,
           google__pubsub__v1__schema, create_schema),
    METHOD(SCHEMAS, "GetSchema", google__pubsub__v1__get_schema_request, google__pubsub__v1__schema,
           get_schema),
    METHOD(SCHEMAS, "ListSchemas", google__pubsub__v1__list_schemas_request,
           google__pubsub__v1__list_schemas_response, list_schemas),
    METHOD(SCHEMAS, "ListSchemaRevisions", google__pubsub__v1__list_schema_revisions_request,
           google__pubsub__v1__list_schema_revisions_response, list_schema_revisions),
    METHOD(SCHEMAS, "CommitSchema", google__pubsub__v1__commit_schema_request,
           google__pubsub__v1__schema, commit_schema),
    METHOD(SCHEMAS, "RollbackSchema", google__pubsub__v1__rollback_schema_request,
           google__pubsub__v1__schema, rollback_schema),
    METHOD(SCHEMAS, "DeleteSchemaRevision", google__pubsub__v1__delete_schema_revision_request,
           google__pubsub__v1__schema, delete_schema_revision),
    METHOD(SCHEMAS, "DeleteSchema", google__pubsub__v1__delete_schema_request,
           google__protobuf__empty, delete_schema),
    METHOD(SCHEMAS, "ValidateSchema", google__pubsub__v1__validate_schema_request,
           google__pubsub__v1__validate_schema_response, validate_schema),
    METHOD(SCHEMAS, "ValidateMessage", google__pubsub__v1__validate_message_request,
           google__pubsub__v1__validate_message_response, validate_message),
    {0},
};
