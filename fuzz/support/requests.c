#include "support/requests.h"

#include "google/iam/v1/iam_policy.pb-c.h"
#include "google/pubsub/v1/schema.pb-c.h"
#include "proto/wire.h"
#include <ctype.h>
#include <stdlib.h>

#define MAX_DEPTH 5
#define ACK_ID_BYTES 40

/* ---- what a field may say ---- */

struct pool {
  const char *part; /* of a field's name, or of its message's */
  const char *texts[10];
};
static const struct pool pools[] = {
    {"ack_ids", {"", "x"}}, /* besides those that were learned */
    {"ack_id", {"id0", "id1", "id2", "id3", "id4", "id5", "id6"}},
    {"message_id", {"m0", "m1", "m2"}},
    {"dead_letter_topic",
     {"projects/p/topics/top1", "projects/p/topics/top0", "projects/p/topics/dead"}},
    {"topic",
     {"projects/p/topics/top0", "projects/p/topics/top1", "projects/p/topics/top2",
      "_deleted-topic_", "projects/q/topics/top0", "top0"}},
    {"snapshot", {"projects/p/snapshots/snap0", "projects/p/snapshots/snap1", ""}},
    {"subscription",
     {"projects/p/subscriptions/sub0", "projects/p/subscriptions/sub1",
      "projects/p/subscriptions/sub2", "projects/p/subscriptions/none"}},
    {"schema", {"projects/p/schemas/sch0", "projects/p/schemas/sch1", "projects/p/schemas/sch0@1"}},
    {"resource",
     {"projects/p/topics/top0", "projects/p/subscriptions/sub0", "projects/p/schemas/sch0"}},
    {"parent", {"projects/p", "projects/q"}},
    {"project", {"projects/p", "projects/q"}},
    {"paths",
     {"labels", "expire_time", "topic", "filter", "ack_deadline_seconds", "push_config",
      "message_retention_duration", "retry_policy", "dead_letter_policy", "expiration_policy"}},
    {"filter",
     {"attributes:a", "attributes.a = \"b\"", "NOT attributes:a", "hasPrefix(attributes.a, \"b\")",
      "attributes:"}},
    {"definition",
     {"syntax = \"proto3\"; message M { string s = 1; }",
      "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"string\"}]}",
      "{"}},
    {"page_token", {"0", "1", "projects/p/topics/top0", "-1"}},
    {"push_endpoint", {"https://example.com/push", "http://x"}},
    {"ordering_key", {"key0", "key1", "key2"}},
    {"key", {"a", "b", "goog"}},
    {"value", {"b", "bb", "c"}},
    {"permissions", {"pubsub.topics.publish", "pubsub.subscriptions.consume"}},
    {"role", {"roles/pubsub.publisher"}},
    {"schema_id", {"sch0", "sch1", "sch2"}},
    {"revision_id", {"1", "2"}},
    {"client_id", {"client", "other"}},
};
#define POOL_COUNT (sizeof pools / sizeof *pools)

static bool contains(const char *text, const char *part) {
  size_t len = strlen(part);
  for (; *text; text++) {
    size_t i = 0;
    while (i < len && tolower((unsigned char)text[i]) == part[i])
      i++;
    if (i == len) return true;
  }
  return false;
}

static const struct pool *pool_of(const ProtobufCFieldDescriptor *field,
                                  const ProtobufCMessageDescriptor *message) {
  bool is_name = strcmp(field->name, "name") == 0;
  for (size_t i = 0; i < POOL_COUNT; i++) {
    if (contains(is_name ? message->short_name : field->name, pools[i].part)) return &pools[i];
  }
  return NULL;
}

static struct pubsub_view any_text(const ProtobufCFieldDescriptor *field,
                                   const ProtobufCMessageDescriptor *message,
                                   struct fuzz_input *input, const struct requests_ack_ids *ids) {
  const struct pool *pool = pool_of(field, message);
  uint8_t pick = fuzz_u8(input);
  if (contains(field->name, "ack_ids") && ids->count > 0 && pick < 224) {
    return pubsub_view_str(ids->texts[(ids->count - 1 - pick % 32) % 32]);
  }
  unsigned count = 0;
  while (pool && count < 10 && pool->texts[count])
    count++;
  if (count > 0 && pick < 240) return pubsub_view_str(pool->texts[pick % count]);
  return fuzz_bytes(input, pick == 255 ? 2000 : fuzz_u8(input) % 64);
}

static uint64_t any_number(struct fuzz_input *input) {
  static const int64_t usual[] = {0,    1,     10,        60,         600,        601,       -1,
                                  1000, 86400, 604800,    INT32_MAX,  INT64_MAX,  5,         2,
                                  7200, 30,    999999999, 1700000000, 1700000100, 31 * 86400};
  uint8_t pick = fuzz_u8(input);
  if (pick < 250) return (uint64_t)usual[pick % (sizeof usual / sizeof *usual)];
  uint64_t low = fuzz_u32(input);
  return pick & 1 ? low : low << 32 | fuzz_u32(input);
}

/* ---- the message ---- */

static void put(struct pubsub_buf *out, const void *ptr, size_t len) {
  if (len > 0) FUZZ_CHECK(pubsub_buf_append(out, ptr, len) == PUBSUB_OK);
}

static void put_varint(struct pubsub_buf *out, uint64_t value) {
  uint8_t bytes[10];
  put(out, bytes, (size_t)(pubsub_varint_write(bytes, value) - bytes));
}

static void put_length_delimited(struct pubsub_buf *out, uint32_t id, struct pubsub_view value) {
  put_varint(out, (uint64_t)id << 3 | PUBSUB_WIRE_LEN);
  put_varint(out, value.len);
  put(out, value.ptr, value.len);
}

static void make(struct pubsub_buf *out, const ProtobufCMessageDescriptor *descriptor,
                 struct fuzz_input *input, const struct requests_ack_ids *ids, int depth);

static void put_value(struct pubsub_buf *out, const ProtobufCMessageDescriptor *message,
                      const ProtobufCFieldDescriptor *field, struct fuzz_input *input,
                      const struct requests_ack_ids *ids, int depth) {
  struct pubsub_buf inner = {0};
  switch (field->type) {
  case PROTOBUF_C_TYPE_STRING:
    put_length_delimited(out, field->id, any_text(field, message, input, ids));
    break;
  case PROTOBUF_C_TYPE_BYTES:
    put_length_delimited(out, field->id, fuzz_bytes(input, fuzz_u8(input)));
    break;
  case PROTOBUF_C_TYPE_MESSAGE:
    if (depth < MAX_DEPTH) make(&inner, field->descriptor, input, ids, depth + 1);
    put_length_delimited(out, field->id, pubsub_view_of(inner.ptr, inner.len));
    pubsub_buf_clear(&inner);
    break;
  case PROTOBUF_C_TYPE_DOUBLE:
  case PROTOBUF_C_TYPE_FLOAT:
    break; /* no request has one */
  default:
    put_varint(out, (uint64_t)field->id << 3);
    put_varint(out, field->type == PROTOBUF_C_TYPE_BOOL || field->type == PROTOBUF_C_TYPE_ENUM
                        ? fuzz_u8(input) % 8
                        : any_number(input));
  }
}

/* One byte says which of eight fields are there, and one how often a repeated one is. */
static void make(struct pubsub_buf *out, const ProtobufCMessageDescriptor *descriptor,
                 struct fuzz_input *input, const struct requests_ack_ids *ids, int depth) {
  uint8_t there = 0;
  for (unsigned i = 0; i < descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
    if (i % 8 == 0) there = fuzz_u8(input);
    if (!(there >> i % 8 & 1)) continue;
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    for (unsigned left = repeated ? fuzz_u8(input) % 5 + 1u : 1; left > 0; left--)
      put_value(out, descriptor, field, input, ids, depth);
  }
}

void requests_make(struct pubsub_buf *out, const ProtobufCMessageDescriptor *descriptor,
                   struct fuzz_input *input, const struct requests_ack_ids *ids) {
  make(out, descriptor, input, ids, 0);
}

/* ---- ack ids ---- */

static bool is_ack_id(const uint8_t *ptr) {
  for (int i = 0; i < ACK_ID_BYTES; i++) {
    if (!isxdigit(ptr[i])) return false;
  }
  return true;
}

/* Field 1 of a ReceivedMessage: its tag, its length, its digits. */
void requests_learn(struct requests_ack_ids *ids, struct pubsub_view written, size_t *at) {
  if (*at > written.len) *at = 0;
  for (; *at + 2 + ACK_ID_BYTES <= written.len; ++*at) {
    const uint8_t *ptr = written.ptr + *at;
    if (ptr[0] != (1 << 3 | 2) || ptr[1] != ACK_ID_BYTES || !is_ack_id(ptr + 2)) continue;
    char *text = ids->texts[ids->count++ % 32];
    memcpy(text, ptr + 2, ACK_ID_BYTES);
    text[ACK_ID_BYTES] = '\0';
    if (ids->count == 1024) ids->count = 32; /* all of them stay known */
  }
}

/* ---- methods ---- */

struct requests_method requests_method_at(unsigned index) {
  static const ProtobufCServiceDescriptor *const services[] = {
      &google__pubsub__v1__publisher__descriptor, &google__pubsub__v1__subscriber__descriptor,
      &google__pubsub__v1__schema_service__descriptor, &google__iam__v1__iampolicy__descriptor};
  unsigned total = 0;
  for (size_t i = 0; i < 4; i++)
    total += services[i]->n_methods;
  index %= total;
  size_t service = 0;
  while (index >= services[service]->n_methods)
    index -= services[service++]->n_methods;
  return (struct requests_method){services[service], &services[service]->methods[index]};
}
