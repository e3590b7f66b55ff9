#include "store/journal.h"

#include "base/container.h"
#include "base/error.h"
#include "google/iam/v1/policy.pb-c.h"
#include "model/contents.h"
#include "model/schema.h"
#include "store/codec.h"

#define SLACK_BYTES ((size_t)4096) /* the heads of frames, should there be several */

/* ---- entries ---- */

static enum pubsub_status begin(struct pubsub_buf *out, enum entry_kind kind, size_t more) {
  enum pubsub_status status = pubsub_buf_reserve(out, ENTRY_BYTES + more);
  if (status == PUBSUB_OK) entry_begin(out, kind);
  return status;
}

static void add_packed(struct pubsub_buf *out, const ProtobufCMessage *message, size_t len) {
  entry_number(out, len);
  out->len += protobuf_c_message_pack(message, out->ptr + out->len);
}

enum pubsub_status journal_write_counters(const struct store *store, struct pubsub_buf *out) {
  const struct world *world = &store->broker->world;
  enum pubsub_status status = begin(out, ENTRY_COUNTERS, 0);
  if (status != PUBSUB_OK) return status;
  entry_number(out, store->starts);
  entry_number(out, world->next_message_id);
  entry_number(out, store->next_number);
  entry_number(out, (uint64_t)world->clock.ahead_us);
  return PUBSUB_OK;
}

enum pubsub_status journal_write_topic(const struct topic *topic, struct pubsub_buf *out) {
  size_t len = protobuf_c_message_get_packed_size(&topic->config->base);
  enum pubsub_status status = begin(out, ENTRY_TOPIC, len);
  if (status != PUBSUB_OK) return status;
  entry_number(out, topic->number);
  add_packed(out, &topic->config->base, len);
  return PUBSUB_OK;
}

static enum pubsub_status write_of_topic(enum entry_kind kind, uint64_t number,
                                         const struct topic *topic, const ProtobufCMessage *config,
                                         struct pubsub_buf *out) {
  size_t len = protobuf_c_message_get_packed_size(config);
  enum pubsub_status status = begin(out, kind, len);
  if (status != PUBSUB_OK) return status;
  entry_number(out, number);
  entry_number(out, topic ? topic->number : 0);
  add_packed(out, config, len);
  return PUBSUB_OK;
}

enum pubsub_status journal_write_subscription(const struct subscription *subscription,
                                              struct pubsub_buf *out) {
  return write_of_topic(ENTRY_SUBSCRIPTION, subscription->number, subscription->topic,
                        &subscription->config->base, out);
}

enum pubsub_status journal_write_snapshot(const struct snapshot *snapshot, struct pubsub_buf *out) {
  return write_of_topic(ENTRY_SNAPSHOT, snapshot->number, snapshot->topic, &snapshot->config->base,
                        out);
}

enum pubsub_status journal_write_schema(const struct schema *schema, struct pubsub_buf *out) {
  size_t bytes = 0;
  for (size_t i = 0; i < schema->count; i++)
    bytes += protobuf_c_message_get_packed_size(&schema->revisions[i]->base) + 10;
  enum pubsub_status status = begin(out, ENTRY_SCHEMA, bytes);
  if (status != PUBSUB_OK) return status;
  entry_number(out, schema->count);
  for (size_t i = 0; i < schema->count; i++) {
    const ProtobufCMessage *revision = &schema->revisions[i]->base;
    add_packed(out, revision, protobuf_c_message_get_packed_size(revision));
  }
  return PUBSUB_OK;
}

enum pubsub_status journal_write_policy(const char *resource, const Google__Iam__V1__Policy *policy,
                                        struct pubsub_buf *out) {
  size_t name = strlen(resource), len = protobuf_c_message_get_packed_size(&policy->base);
  enum pubsub_status status = begin(out, ENTRY_POLICY, name + len);
  if (status != PUBSUB_OK) return status;
  entry_bytes(out, resource, name);
  add_packed(out, &policy->base, len);
  return PUBSUB_OK;
}

/* ---- contents ---- */

struct writing {
  struct pubsub_buf *out; /* NULL: they are only counted */
  enum pubsub_status status;
  uint64_t before, count;
  bool keeps_acknowledged;
};

static void write_content(struct writing *writing, const struct message *message) {
  bool acknowledged = message->state == MESSAGE_ACKNOWLEDGED;
  if (!message->block->keeping) return; /* of a request that failed for lack of memory */
  if (acknowledged && !writing->keeps_acknowledged && message->key) return;
  writing->count++;
  if (!writing->out || writing->status != PUBSUB_OK) return;
  writing->status = pubsub_buf_reserve(writing->out, JOURNAL_MESSAGE_BYTES);
  if (writing->status != PUBSUB_OK) return;
  struct content content = {message->id, message->attempts, acknowledged};
  entry_content(writing->out, writing->before, &content);
  writing->before = message->id;
}

static void visit(void *user, const struct message *message) {
  write_content(user, message);
}

enum pubsub_status journal_write_contents(const struct subscription *subscription,
                                          struct pubsub_buf *out) {
  struct writing writing = {.keeps_acknowledged = subscription->config->retain_acked_messages};
  contents_visit(subscription, visit, &writing);
  enum pubsub_status status = begin(out, ENTRY_CONTENTS, 0);
  if (status != PUBSUB_OK) return status;
  entry_number(out, subscription->number);
  entry_number(out, writing.count);
  writing = (struct writing){.out = out, .keeps_acknowledged = writing.keeps_acknowledged};
  contents_visit(subscription, visit, &writing);
  return writing.status;
}

enum pubsub_status journal_write_list(uint64_t number, const struct pubsub_list *messages,
                                      struct pubsub_buf *out) {
  struct writing writing = {.out = out};
  uint64_t count = 0;
  for (const struct pubsub_list *link = messages->next; link != messages; link = link->next)
    count++;
  enum pubsub_status status = begin(out, ENTRY_CONTENTS, 0);
  if (status != PUBSUB_OK) return status;
  entry_number(out, number);
  entry_number(out, count);
  for (const struct pubsub_list *link = messages->next; link != messages; link = link->next)
    write_content(&writing, PUBSUB_CONTAINER_OF(link, struct message, link));
  return writing.status;
}

/* ---- told by the model ---- */

static struct store *of(struct journal *journal) {
  return PUBSUB_CONTAINER_OF(journal, struct store, journal);
}

/* The commit is to come. */
static void touch(struct store *store) {
  if (store->touched) return;
  store->touched = true;
  if (store->on_touched) store->on_touched(store->user);
}

static void promise(struct store *store) {
  store->promised = true;
  touch(store);
}

static bool reserve(struct journal *journal, size_t bytes) {
  struct store *store = of(journal);
  if (log_reserve(&store->log, bytes + SLACK_BYTES)) return true;
  journal->problem = store->log.why.text;
  touch(store); /* a checkpoint may make room */
  return false;
}

/* What an answer will rest on. There was room when it was asked for: what lacks now breaks the
 * promise, and the store with it. */
static void append(struct journal *journal, enum pubsub_status status, struct pubsub_buf *entry) {
  struct store *store = of(journal);
  promise(store);
  if (status == PUBSUB_OK && log_reserve(&store->log, entry->len)) {
    pubsub_buf_append(&store->log.pending, entry->ptr, entry->len);
  } else {
    if (status != PUBSUB_OK) pubsub_error_set(&store->log.why, status, "out of memory");
    store->log.failed = true;
  }
  pubsub_buf_clear(entry);
}

static uint64_t number_of(struct store *store, uint64_t *number) {
  if (*number == 0) *number = store->next_number++;
  return *number;
}

static void on_topic(struct journal *journal, struct topic *topic) {
  struct pubsub_buf entry = {0};
  number_of(of(journal), &topic->number);
  append(journal, journal_write_topic(topic, &entry), &entry);
}

static void on_subscription(struct journal *journal, struct subscription *subscription) {
  struct pubsub_buf entry = {0};
  number_of(of(journal), &subscription->number);
  append(journal, journal_write_subscription(subscription, &entry), &entry);
}

static void on_snapshot(struct journal *journal, struct snapshot *snapshot) {
  struct pubsub_buf entry = {0};
  number_of(of(journal), &snapshot->number);
  append(journal, journal_write_snapshot(snapshot, &entry), &entry);
}

static void on_schema(struct journal *journal, const struct schema *schema) {
  struct pubsub_buf entry = {0};
  append(journal, journal_write_schema(schema, &entry), &entry);
}

static void on_policy(struct journal *journal, const char *resource,
                      const Google__Iam__V1__Policy *policy) {
  struct pubsub_buf entry = {0};
  append(journal, journal_write_policy(resource, policy, &entry), &entry);
}

static void on_removed(struct journal *journal, uint64_t number) {
  struct pubsub_buf entry = {0};
  if (number == 0) return;
  enum pubsub_status status = begin(&entry, ENTRY_REMOVED, 0);
  if (status == PUBSUB_OK) entry_number(&entry, number);
  append(journal, status, &entry);
}

static void on_schema_removed(struct journal *journal, const char *name) {
  struct pubsub_buf entry = {0};
  enum pubsub_status status = begin(&entry, ENTRY_SCHEMA_REMOVED, strlen(name));
  if (status == PUBSUB_OK) entry_bytes(&entry, name, strlen(name));
  append(journal, status, &entry);
}

static void on_sought(struct journal *journal, const struct subscription *subscription) {
  struct pubsub_buf entry = {0};
  append(journal, journal_write_contents(subscription, &entry), &entry);
}

static void on_copied(struct journal *journal, const struct snapshot *snapshot) {
  struct pubsub_buf entry = {0};
  append(journal, journal_write_list(snapshot->number, &snapshot->messages, &entry), &entry);
}

static void on_advanced(struct journal *journal) {
  struct pubsub_buf entry = {0};
  append(journal, journal_write_counters(of(journal), &entry), &entry);
}

/* ---- often ---- */

/* Nobody holds any of it: its ids alone must not be given twice. */
static void note_ids(struct log *log, uint64_t next) {
  entry_begin(&log->pending, ENTRY_IDS);
  entry_number(&log->pending, next);
}

static void on_published(struct journal *journal, const struct topic *topic, struct block *block,
                         uint64_t first_id, size_t count, int64_t time_us) {
  struct store *store = of(journal);
  struct log *log = &store->log;
  promise(store);
  if (!log_reserve(log, ENTRY_BYTES + block->bytes.len)) {
    log->failed = true;
    return;
  }
  if (block->refs == 1) {
    note_ids(log, first_id + count);
    return;
  }
  entry_begin(&log->pending, ENTRY_PUBLISHED);
  entry_number(&log->pending, topic->number);
  entry_number(&log->pending, first_id);
  entry_number(&log->pending, count);
  entry_number(&log->pending, (uint64_t)time_us);
  log_keep(log, block, first_id, count, time_us);
}

static void on_settled(struct journal *journal, const struct subscription *subscription,
                       uint64_t id, bool retained) {
  struct store *store = of(journal);
  if (!log_reserve(&store->log, ENTRY_BYTES)) { /* it comes again after a restart */
    store->log.untold = true;
    return;
  }
  promise(store);
  entry_begin(&store->log.pending, retained ? ENTRY_ACKNOWLEDGED : ENTRY_GONE);
  entry_number(&store->log.pending, subscription->number);
  entry_number(&store->log.pending, id);
}

static void on_lent(struct journal *journal, const struct subscription *subscription, uint64_t id,
                    unsigned attempts) {
  struct log *log = &of(journal)->log;
  if (!log_reserve(log, ENTRY_BYTES)) return; /* counted short */
  touch(of(journal));
  entry_begin(&log->pending, ENTRY_LENT);
  entry_number(&log->pending, subscription->number);
  entry_number(&log->pending, id);
  entry_number(&log->pending, attempts);
}

static void on_swept(struct journal *journal, const struct topic *topic, int64_t before_us) {
  struct log *log = &of(journal)->log;
  if (!log_reserve(log, ENTRY_BYTES)) { /* swept again after a restart */
    log->untold = true;
    return;
  }
  touch(of(journal));
  entry_begin(&log->pending, ENTRY_SWEPT);
  entry_number(&log->pending, topic->number);
  entry_number(&log->pending, (uint64_t)before_us);
}

const struct journal_ops store_journal_ops = {.reserve = reserve,
                                              .topic = on_topic,
                                              .subscription = on_subscription,
                                              .snapshot = on_snapshot,
                                              .schema = on_schema,
                                              .policy = on_policy,
                                              .removed = on_removed,
                                              .schema_removed = on_schema_removed,
                                              .published = on_published,
                                              .settled = on_settled,
                                              .lent = on_lent,
                                              .sought = on_sought,
                                              .copied = on_copied,
                                              .swept = on_swept,
                                              .advanced = on_advanced};
