/* IAM policies, by resource: kept as they were sent, with an etag of ours. */
#ifndef EMULATOR_MODEL_POLICY_H
#define EMULATOR_MODEL_POLICY_H

#include "base/map.h"
#include "google/iam/v1/policy.pb-c.h"
#include "model/world.h"

/* Of a resource: never NULL; the one without bindings where none was set. Borrowed until it is
 * set. */
const Google__Iam__V1__Policy *policy_of(const struct pubsub_map *policies, const char *resource);
/* Whether a policy that was sent carries an etag that is not the present one's. */
bool policy_is_stale(const Google__Iam__V1__Policy *now, const Google__Iam__V1__Policy *sent);
/* Gives it a new etag and keeps it. Takes it on success. Errors: NOMEM. */
enum pubsub_status policy_set(struct world *world, struct pubsub_map *policies,
                              const char *resource, Google__Iam__V1__Policy *take_policy);
/* One that was there before a restart, with the etag it has. Takes it on success. Errors: NOMEM. */
enum pubsub_status policy_restore(struct pubsub_map *policies, const char *resource,
                                  Google__Iam__V1__Policy *take_policy);
void policies_visit(const struct pubsub_map *policies,
                    void (*visit)(void *user, const char *resource,
                                  const Google__Iam__V1__Policy *policy),
                    void *user);
void policies_clear(struct world *world, struct pubsub_map *policies);

#endif
