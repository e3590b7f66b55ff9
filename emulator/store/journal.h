/* Entries of a store's log out of what the model tells (model/journal.h). */
#ifndef EMULATOR_STORE_JOURNAL_H
#define EMULATOR_STORE_JOURNAL_H

#include "store/store.h"

extern const struct journal_ops store_journal_ops;

/* Of a checkpoint too: into `out`, which is given room. Errors: NOMEM. */
enum pubsub_status journal_write_counters(const struct store *store, struct pubsub_buf *out);
enum pubsub_status journal_write_topic(const struct topic *topic, struct pubsub_buf *out);
enum pubsub_status journal_write_subscription(const struct subscription *subscription,
                                              struct pubsub_buf *out);
enum pubsub_status journal_write_snapshot(const struct snapshot *snapshot, struct pubsub_buf *out);
enum pubsub_status journal_write_schema(const struct schema *schema, struct pubsub_buf *out);
enum pubsub_status journal_write_policy(const char *resource,
                                        const struct Google__Iam__V1__Policy *policy,
                                        struct pubsub_buf *out);

/* The contents of a subscription, of a list of messages (a topic's, a snapshot's). */
enum pubsub_status journal_write_contents(const struct subscription *subscription,
                                          struct pubsub_buf *out);
enum pubsub_status journal_write_list(uint64_t number, const struct pubsub_list *messages,
                                      struct pubsub_buf *out);

#endif
