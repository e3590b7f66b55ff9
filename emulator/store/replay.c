#include "store/replay.h"

#include "base/alloc.h"
#include "base/container.h"
#include "google/iam/v1/policy.pb-c.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "model/policy.h"
#include "model/schema.h"
#include "proto/wire.h"
#include "store/codec.h"
#include <stdlib.h>

#define SHARED_BYTES ((size_t)4096) /* blocks from here on are not copied out of their file */

/* ---- life ---- */

void replay_init(struct replay *replay, struct broker *broker) {
  *replay = (struct replay){.broker = broker, .next_message_id = 1, .next_number = 1};
  pubsub_map_init(&replay->holders);
  pubsub_list_init(&replay->all);
}

static void free_holder(struct replay *replay, struct holder *holder) {
  while (!pubsub_list_empty(&holder->members)) {
    struct holder *member = PUBSUB_CONTAINER_OF(holder->members.next, struct holder, member);
    pubsub_list_remove(&member->member);
    member->topic = NULL;
  }
  pubsub_map_remove(&replay->holders, &holder->entry);
  pubsub_list_remove(&holder->link);
  pubsub_list_remove(&holder->member);
  pubsub_buf_clear(&holder->config);
  filter_free(holder->filter);
  holdings_clear(&holder->holdings);
  pubsub_free(holder);
}

void replay_clear(struct replay *replay) {
  while (!pubsub_list_empty(&replay->all))
    free_holder(replay, PUBSUB_CONTAINER_OF(replay->all.next, struct holder, link));
  for (size_t i = 0; i < replay->block_count; i++) {
    if (replay->blocks[i].block) block_unref(replay->blocks[i].block);
  }
  pubsub_free(replay->blocks);
  pubsub_map_clear(&replay->holders);
  replay->blocks = NULL;
  replay->block_count = 0;
}

/* ---- holders ---- */

static struct holder *find(const struct replay *replay, uint64_t number) {
  struct pubsub_map_entry *entry =
      pubsub_map_find(&replay->holders, pubsub_view_of(&number, sizeof number));
  return entry ? PUBSUB_CONTAINER_OF(entry, struct holder, entry) : NULL;
}

static struct holder *add(struct replay *replay, uint64_t number, enum holder_kind kind) {
  struct holder *holder = pubsub_alloc_zero(1, sizeof *holder);
  if (!holder) return NULL;
  holder->number = number;
  holder->kind = kind;
  pubsub_list_init(&holder->member);
  pubsub_list_init(&holder->members);
  if (pubsub_map_insert(&replay->holders, &holder->entry,
                        pubsub_view_of(&holder->number, sizeof holder->number)) != PUBSUB_OK) {
    pubsub_free(holder);
    return NULL;
  }
  pubsub_list_push_back(&replay->all, &holder->link);
  if (number >= replay->next_number) replay->next_number = number + 1;
  return holder;
}

/* New, or with other settings. */
static enum pubsub_status put(struct replay *replay, uint64_t number, enum holder_kind kind,
                              struct pubsub_view config, struct holder **out) {
  struct holder *holder = find(replay, number);
  if (holder && holder->kind != kind) return PUBSUB_E_INVALID;
  if (!holder) holder = add(replay, number, kind);
  if (!holder) return PUBSUB_E_NOMEM;
  holder->config.len = 0;
  *out = holder;
  return pubsub_buf_append(&holder->config, config.ptr, config.len);
}

static enum pubsub_status read_topic(struct replay *replay, struct entries *entries) {
  uint64_t number = entries_number(entries);
  struct pubsub_view config = entries_bytes(entries);
  struct holder *holder = NULL;
  Google__Pubsub__V1__Topic *topic =
      entries->bad ? NULL : google__pubsub__v1__topic__unpack(NULL, config.len, config.ptr);
  if (!topic) return PUBSUB_E_INVALID;
  enum pubsub_status status = put(replay, number, HOLDER_TOPIC, config, &holder);
  if (status == PUBSUB_OK) {
    holder->takes = topic->message_retention_duration != NULL;
    if (!holder->takes) holdings_clear(&holder->holdings);
  }
  google__pubsub__v1__topic__free_unpacked(topic, NULL);
  return status;
}

static enum pubsub_status read_member(struct replay *replay, struct entries *entries,
                                      enum holder_kind kind, struct holder **out) {
  uint64_t number = entries_number(entries), topic = entries_number(entries);
  struct pubsub_view config = entries_bytes(entries);
  if (entries->bad) return PUBSUB_E_INVALID;
  enum pubsub_status status = put(replay, number, kind, config, out);
  if (status != PUBSUB_OK) return status;
  struct holder *of = topic ? find(replay, topic) : NULL;
  if (topic && (!of || of->kind != HOLDER_TOPIC)) return PUBSUB_E_INVALID;
  pubsub_list_remove(&(*out)->member);
  (*out)->topic = of;
  if (of) pubsub_list_push_back(&of->members, &(*out)->member);
  return PUBSUB_OK;
}

static enum pubsub_status read_subscription(struct replay *replay, struct entries *entries) {
  struct holder *holder = NULL;
  const char *problem = NULL;
  enum pubsub_status status = read_member(replay, entries, HOLDER_SUBSCRIPTION, &holder);
  if (status != PUBSUB_OK) return status;
  Google__Pubsub__V1__Subscription *config = google__pubsub__v1__subscription__unpack(
      NULL, holder->config.len, holder->config.ptr ? holder->config.ptr : (const uint8_t *)"");
  if (!config) return PUBSUB_E_INVALID;
  filter_free(holder->filter);
  holder->filter = filter_parse(config->filter, &problem);
  holder->takes = !config->detached;
  if (!holder->takes) holdings_clear(&holder->holdings);
  google__pubsub__v1__subscription__free_unpacked(config, NULL);
  return problem ? PUBSUB_E_INVALID : PUBSUB_OK;
}

static enum pubsub_status read_snapshot(struct replay *replay, struct entries *entries) {
  struct holder *holder = NULL;
  enum pubsub_status status = read_member(replay, entries, HOLDER_SNAPSHOT, &holder);
  if (status == PUBSUB_OK) holder->takes = true;
  return status;
}

static enum pubsub_status read_removed(struct replay *replay, struct entries *entries) {
  struct holder *holder = find(replay, entries_number(entries));
  if (entries->bad) return PUBSUB_E_INVALID;
  if (holder) free_holder(replay, holder);
  return PUBSUB_OK;
}

/* ---- blocks ---- */

static struct loaded *add_block(struct replay *replay) {
  if (replay->block_count == replay->block_cap) {
    size_t cap = replay->block_cap ? replay->block_cap * 2 : 256;
    struct loaded *blocks = pubsub_realloc(replay->blocks, cap * sizeof *blocks);
    if (!blocks) return NULL;
    replay->blocks = blocks;
    replay->block_cap = cap;
  }
  struct loaded *loaded = &replay->blocks[replay->block_count++];
  *loaded = (struct loaded){0};
  return loaded;
}

static void note_ids(struct replay *replay, uint64_t next) {
  if (next > replay->next_message_id) replay->next_message_id = next;
}

static enum pubsub_status read_block(struct replay *replay, struct entries *entries) {
  struct loaded *loaded = add_block(replay);
  if (!loaded) return PUBSUB_E_NOMEM;
  loaded->segment = entries_number(entries);
  loaded->offset = entries_number(entries);
  loaded->len = entries_number(entries);
  loaded->first_id = entries_number(entries);
  loaded->count = entries_number(entries);
  loaded->time_us = (int64_t)entries_number(entries);
  return entries->bad ? PUBSUB_E_INVALID : PUBSUB_OK;
}

bool replay_span(struct pubsub_view block, size_t *at, uint32_t *offset, uint32_t *len) {
  const uint8_t *ptr = block.ptr + *at, *end = block.ptr + block.len;
  struct pubsub_wire_field field;
  while (ptr < end && (ptr = pubsub_wire_field_read(ptr, end, &field))) {
    if (field.tag != (2 << 3 | 2)) continue;
    *at = (size_t)(ptr - block.ptr);
    *offset = (uint32_t)(field.value.ptr - block.ptr);
    *len = (uint32_t)field.value.len;
    return true;
  }
  return false;
}

/* The ids of a block's messages that a holder wants. */
static enum pubsub_status give(struct holder *holder, const struct loaded *loaded) {
  struct pubsub_view bytes = pubsub_view_of(loaded->block->bytes.ptr, loaded->block->bytes.len);
  enum pubsub_status status = PUBSUB_OK;
  size_t at = 0;
  for (size_t i = 0; i < loaded->count && status == PUBSUB_OK; i++) {
    struct holding holding = {.id = loaded->first_id + i, .state = HOLDING_HELD};
    uint32_t offset, len;
    if (holder->filter &&
        (!replay_span(bytes, &at, &offset, &len) ||
         !filter_matches(holder->filter, pubsub_view_of(bytes.ptr + offset, len)))) {
      continue;
    }
    status = holdings_add(&holder->holdings, holding);
  }
  return status;
}

static enum pubsub_status give_all(struct holder *topic, const struct loaded *loaded) {
  enum pubsub_status status = topic->takes ? give(topic, loaded) : PUBSUB_OK;
  for (const struct pubsub_list *link = topic->members.next;
       link != &topic->members && status == PUBSUB_OK; link = link->next) {
    struct holder *member = PUBSUB_CONTAINER_OF(link, struct holder, member);
    if (member->takes) status = give(member, loaded);
  }
  return status;
}

static size_t count_spans(struct pubsub_view bytes) {
  uint32_t offset, len;
  size_t at = 0, count = 0;
  while (replay_span(bytes, &at, &offset, &len))
    count++;
  return count;
}

enum pubsub_status replay_take(struct loaded *loaded, struct segment *segment, struct block *file,
                               uint64_t offset, size_t len) {
  struct pubsub_buf copy = {0};
  if (len >= SHARED_BYTES) {
    loaded->block = block_within(file, offset, len);
  } else if (pubsub_buf_append(&copy, file->bytes.ptr + offset, len) == PUBSUB_OK) {
    loaded->block = block_new(&copy);
  }
  pubsub_buf_clear(&copy);
  if (!loaded->block) return PUBSUB_E_NOMEM;
  return log_keep_at(segment, offset, loaded->block, loaded->first_id, loaded->count,
                     loaded->time_us);
}

static enum pubsub_status read_published(struct replay *replay, struct entries *entries,
                                         struct segment *segment, struct block *file,
                                         const uint8_t *payload, uint64_t payload_at) {
  uint64_t number = entries_number(entries), first_id = entries_number(entries);
  uint64_t count = entries_number(entries), time_us = entries_number(entries);
  struct pubsub_view bytes = entries_bytes(entries);
  struct holder *topic = find(replay, number);
  if (entries->bad || !segment || count != count_spans(bytes)) return PUBSUB_E_INVALID;
  note_ids(replay, first_id + count);
  if (!topic || topic->kind != HOLDER_TOPIC) return PUBSUB_E_INVALID;
  struct loaded *loaded = add_block(replay);
  if (!loaded) return PUBSUB_E_NOMEM;
  *loaded = (struct loaded){.first_id = first_id, .count = count, .time_us = (int64_t)time_us};
  enum pubsub_status status =
      replay_take(loaded, segment, file, payload_at + (uint64_t)(bytes.ptr - payload), bytes.len);
  return status == PUBSUB_OK ? give_all(topic, loaded) : status;
}

static int by_id(const void *a, const void *b) {
  const struct loaded *x = a, *y = b;
  return x->first_id < y->first_id ? -1 : x->first_id > y->first_id;
}

void replay_sort(struct replay *replay) {
  if (replay->block_count > 1) {
    qsort(replay->blocks, replay->block_count, sizeof *replay->blocks, by_id);
  }
}

/* ---- what becomes of messages ---- */

static enum pubsub_status read_settled(struct replay *replay, struct entries *entries,
                                       enum holding_state state) {
  struct holder *holder = find(replay, entries_number(entries));
  uint64_t id = entries_number(entries);
  if (entries->bad) return PUBSUB_E_INVALID;
  if (holder) holdings_settle(&holder->holdings, id, state);
  return PUBSUB_OK;
}

static enum pubsub_status read_lent(struct replay *replay, struct entries *entries) {
  struct holder *holder = find(replay, entries_number(entries));
  uint64_t id = entries_number(entries), attempts = entries_number(entries);
  if (entries->bad || attempts > UINT16_MAX) return PUBSUB_E_INVALID;
  if (holder) holdings_lent(&holder->holdings, id, (uint16_t)attempts);
  return PUBSUB_OK;
}

static enum pubsub_status read_contents(struct replay *replay, struct entries *entries) {
  struct holder *holder = find(replay, entries_number(entries));
  uint64_t count = entries_number(entries), before = 0;
  if (entries->bad || !holder) return PUBSUB_E_INVALID;
  holdings_clear(&holder->holdings);
  for (uint64_t i = 0; i < count; i++) {
    struct content content = entries_content(entries, before);
    if (entries->bad) return PUBSUB_E_INVALID;
    struct holding holding = {.id = content.id,
                              .attempts = (uint16_t)content.attempts,
                              .state = content.retained ? HOLDING_RETAINED : HOLDING_HELD};
    if (holdings_add(&holder->holdings, holding) != PUBSUB_OK) return PUBSUB_E_NOMEM;
    before = content.id;
  }
  return PUBSUB_OK;
}

/* Blocks are in the order of their times. */
static enum pubsub_status read_swept(struct replay *replay, struct entries *entries) {
  struct holder *holder = find(replay, entries_number(entries));
  int64_t before_us = (int64_t)entries_number(entries);
  if (entries->bad) return PUBSUB_E_INVALID;
  uint64_t first = UINT64_MAX;
  for (size_t i = 0; i < replay->block_count && first == UINT64_MAX; i++) {
    if (replay->blocks[i].time_us >= before_us) first = replay->blocks[i].first_id;
  }
  if (holder) holdings_drop_below(&holder->holdings, first);
  return PUBSUB_OK;
}

/* ---- others ---- */

static enum pubsub_status read_counters(struct replay *replay, struct entries *entries) {
  replay->starts = entries_number(entries);
  note_ids(replay, entries_number(entries));
  uint64_t next_number = entries_number(entries);
  replay->ahead_us = entries_number(entries);
  if (next_number > replay->next_number) replay->next_number = next_number;
  return entries->bad ? PUBSUB_E_INVALID : PUBSUB_OK;
}

static enum pubsub_status read_policy(struct replay *replay, struct entries *entries) {
  char resource[1024];
  struct pubsub_view name = entries_bytes(entries), bytes = entries_bytes(entries);
  if (entries->bad || name.len >= sizeof resource) return PUBSUB_E_INVALID;
  memcpy(resource, name.ptr, name.len);
  resource[name.len] = '\0';
  Google__Iam__V1__Policy *policy = google__iam__v1__policy__unpack(NULL, bytes.len, bytes.ptr);
  if (!policy) return PUBSUB_E_INVALID;
  enum pubsub_status status = policy_restore(&replay->broker->policies, resource, policy);
  if (status != PUBSUB_OK) google__iam__v1__policy__free_unpacked(policy, NULL);
  return status;
}

static void free_revisions(Google__Pubsub__V1__Schema **revisions, size_t count) {
  for (size_t i = 0; i < count; i++)
    google__pubsub__v1__schema__free_unpacked(revisions[i], NULL);
  pubsub_free(revisions);
}

static enum pubsub_status put_schema(struct replay *replay, Google__Pubsub__V1__Schema **revisions,
                                     size_t count) {
  struct broker *broker = replay->broker;
  struct schema *old = schema_find(&broker->schemas, revisions[0]->name);
  if (old) schema_remove(&broker->world, &broker->schemas, old);
  if (schema_restore(&broker->schemas, revisions, count)) return PUBSUB_OK;
  free_revisions(revisions, count);
  return PUBSUB_E_NOMEM;
}

static enum pubsub_status read_schema(struct replay *replay, struct entries *entries) {
  uint64_t count = entries_number(entries);
  if (entries->bad || count == 0 || count > (uint64_t)(entries->end - entries->ptr)) {
    return PUBSUB_E_INVALID;
  }
  Google__Pubsub__V1__Schema **revisions = pubsub_alloc_zero(count, sizeof *revisions);
  if (!revisions) return PUBSUB_E_NOMEM;
  for (size_t i = 0; i < count; i++) {
    struct pubsub_view bytes = entries_bytes(entries);
    if (!entries->bad) {
      revisions[i] = google__pubsub__v1__schema__unpack(NULL, bytes.len, bytes.ptr);
    }
    if (!revisions[i]) {
      free_revisions(revisions, i);
      return PUBSUB_E_INVALID;
    }
  }
  return put_schema(replay, revisions, count);
}

static enum pubsub_status read_schema_removed(struct replay *replay, struct entries *entries) {
  struct pubsub_view name = entries_bytes(entries);
  struct broker *broker = replay->broker;
  if (entries->bad) return PUBSUB_E_INVALID;
  struct pubsub_map_entry *entry = pubsub_map_find(&broker->schemas, name);
  if (!entry) return PUBSUB_OK;
  schema_remove(&broker->world, &broker->schemas, PUBSUB_CONTAINER_OF(entry, struct schema, entry));
  return PUBSUB_OK;
}

static enum pubsub_status read_ids(struct replay *replay, struct entries *entries) {
  note_ids(replay, entries_number(entries));
  return entries->bad ? PUBSUB_E_INVALID : PUBSUB_OK;
}

static enum pubsub_status read_moved(struct entries *entries) {
  entries_bytes(entries);
  return entries->bad ? PUBSUB_E_INVALID : PUBSUB_OK;
}

/* ---- frames ---- */

enum pubsub_status replay_frame(struct replay *replay, struct pubsub_view payload,
                                struct segment *segment, struct block *file, uint64_t payload_at) {
  struct entries entries = {payload.ptr, payload.ptr + payload.len, false};
  enum pubsub_status status = PUBSUB_OK;
  while (status == PUBSUB_OK && entries.ptr < entries.end) {
    switch (*entries.ptr++) {
    case ENTRY_COUNTERS:
      status = read_counters(replay, &entries);
      break;
    case ENTRY_TOPIC:
      status = read_topic(replay, &entries);
      break;
    case ENTRY_SUBSCRIPTION:
      status = read_subscription(replay, &entries);
      break;
    case ENTRY_SNAPSHOT:
      status = read_snapshot(replay, &entries);
      break;
    case ENTRY_SCHEMA:
      status = read_schema(replay, &entries);
      break;
    case ENTRY_POLICY:
      status = read_policy(replay, &entries);
      break;
    case ENTRY_REMOVED:
      status = read_removed(replay, &entries);
      break;
    case ENTRY_SCHEMA_REMOVED:
      status = read_schema_removed(replay, &entries);
      break;
    case ENTRY_PUBLISHED:
      status = read_published(replay, &entries, segment, file, payload.ptr, payload_at);
      break;
    case ENTRY_MOVED:
      status = read_moved(&entries);
      break;
    case ENTRY_BLOCK:
      status = read_block(replay, &entries);
      break;
    case ENTRY_ACKNOWLEDGED:
      status = read_settled(replay, &entries, HOLDING_RETAINED);
      break;
    case ENTRY_GONE:
      status = read_settled(replay, &entries, HOLDING_GONE);
      break;
    case ENTRY_LENT:
      status = read_lent(replay, &entries);
      break;
    case ENTRY_CONTENTS:
      status = read_contents(replay, &entries);
      break;
    case ENTRY_SWEPT:
      status = read_swept(replay, &entries);
      break;
    case ENTRY_IDS:
      status = read_ids(replay, &entries);
      break;
    case ENTRY_END:
      replay->ended = true;
      break;
    default:
      status = PUBSUB_E_INVALID;
    }
  }
  return status;
}
