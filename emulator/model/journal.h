/*
 * What a store that survives a restart is told of: each change of what is to be there again, after
 * it was made. The model calls it where it changes something, api/ where a request changes settings
 * in place; store/journal.c stands behind it, or nobody does. Loop thread only.
 *
 * A change that is told cannot be refused any more: who wants to answer for one asks first whether
 * there is room (journal_reserve), with nothing changed yet.
 */
#ifndef EMULATOR_MODEL_JOURNAL_H
#define EMULATOR_MODEL_JOURNAL_H

#include "model/world.h"
#include <stddef.h>

struct block;
struct schema;
struct snapshot;
struct topic;
struct Google__Iam__V1__Policy;

/* What a message takes at most where all of a subscription are told. */
#define JOURNAL_MESSAGE_BYTES ((size_t)20)

struct journal_ops {
  bool (*reserve)(struct journal *journal, size_t bytes);
  /* New, or with other settings. */
  void (*topic)(struct journal *journal, struct topic *topic);
  void (*subscription)(struct journal *journal, struct subscription *subscription);
  void (*snapshot)(struct journal *journal, struct snapshot *snapshot);
  void (*schema)(struct journal *journal, const struct schema *schema);
  void (*policy)(struct journal *journal, const char *resource,
                 const struct Google__Iam__V1__Policy *policy);
  /* A topic, subscription or snapshot, by its number (0: it was never told of); a schema. */
  void (*removed)(struct journal *journal, uint64_t number);
  void (*schema_removed)(struct journal *journal, const char *name);
  /* The messages of a block, all of them, in its order: the block's fields 2 with ids from
   * first_id. */
  void (*published)(struct journal *journal, const struct topic *topic, struct block *block,
                    uint64_t first_id, size_t count, int64_t time_us);
  /* A message of a subscription is acknowledged (and retained) or gone; is lent once more. */
  void (*settled)(struct journal *journal, const struct subscription *subscription, uint64_t id,
                  bool retained);
  void (*lent)(struct journal *journal, const struct subscription *subscription, uint64_t id,
               unsigned attempts);
  /* All messages of a subscription, of a snapshot, were decided anew. */
  void (*sought)(struct journal *journal, const struct subscription *subscription);
  void (*copied)(struct journal *journal, const struct snapshot *snapshot);
  /* A topic retains nothing any more that was published before. */
  void (*swept)(struct journal *journal, const struct topic *topic, int64_t before_us);
  /* The virtual clock was moved. */
  void (*advanced)(struct journal *journal);
};

struct journal {
  const struct journal_ops *ops;
  const char *problem; /* why reserve said no; static or the store's */
};

/* Whether a change of so many bytes can be kept. Where nobody keeps anything: yes. */
static inline bool journal_reserve(const struct world *world, size_t bytes) {
  return !world->journal || world->journal->ops->reserve(world->journal, bytes);
}

/* JOURNAL(world, published, topic, …): tells, where somebody listens. */
#define JOURNAL(world, what, ...)                                                                  \
  do {                                                                                             \
    struct journal *told_ = (world)->journal;                                                      \
    if (told_) told_->ops->what(told_, ##__VA_ARGS__);                                             \
  } while (0)

#endif
