/* What the methods share: the resource that a request names, or the call's failure; failures
 * that many have. */
#ifndef EMULATOR_API_RESOURCES_H
#define EMULATOR_API_RESOURCES_H

#include "google/protobuf/field_mask.pb-c.h"
#include "model/broker.h"
#include "model/schema.h"
#include "rpc/call.h"

/* NULL: the call was failed, with INVALID_ARGUMENT (the name) or NOT_FOUND. A subscription is
 * active by being asked for. */
struct topic *require_topic(struct call *call, const char *name);
struct subscription *require_subscription(struct call *call, const char *name);
struct snapshot *require_snapshot(struct call *call, const char *name);
struct schema *require_schema(struct call *call, const char *name);
/* "projects/P/KIND/NAME" with a permitted NAME; "projects/P"; otherwise fails the call. */
bool require_name(struct call *call, const char *name, const char *kind);
bool require_project(struct call *call, const char *project);

/* Takes the fields of the mask over from `update` into `config`, of one type, which error texts
 * call `what` ("Topic"). `fixed`: names that may not change, ended by NULL. False: the call was
 * failed, nothing was changed. Doing it again undoes it. */
bool require_update(struct call *call, const char *what, ProtobufCMessage *config,
                    ProtobufCMessage *update, const Google__Protobuf__FieldMask *mask,
                    const char *const *fixed);

/* A store has room for a change of so many messages; otherwise fails the call. */
bool require_room(struct call *call, size_t messages);

/* NOT_FOUND, or INVALID_ARGUMENT where the name is none. */
void fail_not_found(struct call *call, struct pubsub_view name, const char *kind);
void fail_exists(struct call *call, const char *name);
void fail_no_memory(struct call *call);
/* INVALID: INVALID_ARGUMENT; NOMEM: RESOURCE_EXHAUSTED. */
void fail_error(struct call *call, const struct pubsub_error *error);

#endif
