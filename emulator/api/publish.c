/* Publish: finds the span of each message in the request, checks the service's limits, keeps the
 * bytes. */
#include "api/methods.h"
#include "api/resources.h"
#include "base/utf8.h"
#include "model/journal.h"
#include "proto/wire.h"

#define MAX_MESSAGES 1000
#define MAX_REQUEST_BYTES 10000000

struct span {
  uint32_t offset, len;
};

/* googclient_…: what Google's own clients and the schema service add. */
static bool is_reserved(struct pubsub_view key) {
  static const char theirs[] = "googclient_";
  size_t len = sizeof theirs - 1;
  if (key.len < 4 || memcmp(key.ptr, "goog", 4) != 0) return false;
  return key.len < len || memcmp(key.ptr, theirs, len) != 0;
}

static const char *check_attribute(struct pubsub_view encoded) {
  struct pubsub_view key = {0}, value = {0};
  struct pubsub_wire_field field;
  for (const uint8_t *ptr = encoded.ptr, *end = ptr + encoded.len; ptr < end;) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (!ptr) return "an attribute cannot be parsed";
    if (field.tag == (1 << 3 | 2)) key = field.value;
    if (field.tag == (2 << 3 | 2)) value = field.value;
  }
  if (key.len == 0) return "an attribute key is empty";
  if (key.len > 256) return "an attribute key is longer than 256 bytes";
  if (value.len > 1024) return "an attribute value is longer than 1024 bytes";
  if (is_reserved(key)) return "attribute keys may not begin with goog";
  if (!pubsub_utf8_valid(key.ptr, key.len) || !pubsub_utf8_valid(value.ptr, value.len)) {
    return "an attribute is not valid UTF-8";
  }
  return NULL;
}

/* NULL: the service would take it. */
static const char *check_message(struct pubsub_view encoded, struct pubsub_view *ordering_key) {
  size_t data_bytes = 0, attributes = 0;
  struct pubsub_wire_field field;
  for (const uint8_t *ptr = encoded.ptr, *end = ptr + encoded.len; ptr < end;) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (!ptr) return "a message cannot be parsed";
    if (field.tag == (1 << 3 | 2)) data_bytes = field.value.len;
    if (field.tag == (5 << 3 | 2)) {
      if (field.value.len > 1024) return "an ordering key is longer than 1024 bytes";
      if (!pubsub_utf8_valid(field.value.ptr, field.value.len)) {
        return "an ordering key is not valid UTF-8";
      }
      *ordering_key = field.value;
    }
    if (field.tag == (2 << 3 | 2)) {
      const char *problem = check_attribute(field.value);
      if (problem) return problem;
      attributes++;
    }
  }
  if (data_bytes == 0 && attributes == 0) {
    return "Some messages in the publish request are empty. Each message must contain either "
           "non-empty data, or at least one attribute.";
  }
  return attributes > 100 ? "a message has more than 100 attributes" : NULL;
}

static const char *find_spans(const struct pubsub_buf *request, struct pubsub_view *topic,
                              struct span *spans, size_t *count) {
  const uint8_t *start = request->ptr, *end = start + request->len;
  struct pubsub_wire_field field;
  struct pubsub_view first_key = {0};
  *count = 0;
  for (const uint8_t *ptr = start; ptr < end;) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (!ptr) return "the request cannot be parsed";
    if (field.tag == (1 << 3 | 2)) *topic = field.value;
    if (field.tag != (2 << 3 | 2)) continue;
    if (*count == MAX_MESSAGES) return "the request has more than 1000 messages";
    struct pubsub_view key = {0};
    const char *problem = check_message(field.value, &key);
    if (problem) return problem;
    if (*count == 0) first_key = key;
    if (key.len != first_key.len || (key.len > 0 && memcmp(key.ptr, first_key.ptr, key.len) != 0)) {
      return "All messages in a publish request must have the same ordering key.";
    }
    spans[(*count)++] =
        (struct span){(uint32_t)(field.value.ptr - start), (uint32_t)field.value.len};
  }
  return *count == 0 ? "The publish request must contain at least one message" : NULL;
}

static void reply_ids(struct call *call, uint64_t first_id, size_t count) {
  struct pubsub_buf response = {0};
  char text[24];
  if (pubsub_buf_reserve(&response, count * 22) != PUBSUB_OK) {
    fail_no_memory(call);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    size_t len = 0;
    for (uint64_t id = first_id + i; id > 0; id /= 10)
      text[len++] = (char)('0' + id % 10);
    response.ptr[response.len++] = 1 << 3 | 2;
    response.ptr[response.len++] = (uint8_t)len;
    while (len > 0)
      response.ptr[response.len++] = (uint8_t)text[--len];
  }
  call_reply_bytes(call, &response);
}

static void publish_all(struct call *call, struct topic *topic, struct block *block,
                        const struct span *spans, size_t count) {
  struct world *world = &call->broker->world;
  int64_t now = clock_wall_us(&world->clock);
  uint64_t first_id = world->next_message_id;
  enum pubsub_status status = PUBSUB_OK;
  for (size_t i = 0; i < count && status == PUBSUB_OK; i++) {
    status = broker_publish(call->broker, topic, block, spans[i].offset, spans[i].len,
                            world->next_message_id++, now);
  }
  if (status == PUBSUB_OK) {
    JOURNAL(world, published, topic, block, first_id, count, now);
    reply_ids(call, first_id, count);
  } else {
    fail_no_memory(call);
  }
}

/* The topic's name, wherever it stands: a request may be wrong ahead of it. */
static struct pubsub_view find_topic(const struct pubsub_buf *request) {
  const uint8_t *ptr = request->ptr, *end = ptr + request->len;
  struct pubsub_wire_field field;
  struct pubsub_view topic = {0};
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (ptr && field.tag == (1 << 3 | 2)) topic = field.value;
  }
  return topic;
}

static void publish(struct call *call, struct pubsub_buf *take_request) {
  struct span spans[MAX_MESSAGES];
  struct pubsub_view name = {0};
  size_t count;
  if (take_request->len > MAX_REQUEST_BYTES) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT,
              "Request payload size exceeds the limit: 10000000 bytes.");
    return;
  }
  const char *problem = find_spans(take_request, &name, spans, &count);
  if (problem) name = find_topic(take_request);
  struct pubsub_map_entry *entry = pubsub_map_find(&call->broker->topics, name);
  struct block *block = entry && !problem ? block_new(take_request) : NULL;
  if (!entry) {
    fail_not_found(call, name, "topics");
  } else if (problem) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "%s", problem);
  } else if (!block) {
    fail_no_memory(call);
  } else {
    publish_all(call, PUBSUB_CONTAINER_OF(entry, struct topic, entry), block, spans, count);
    block_unref(block);
  }
}

const struct method publish_methods[] = {
    {.path = PUBLISHER "Publish",
     .request = &google__pubsub__v1__publish_request__descriptor,
     .response = &google__pubsub__v1__publish_response__descriptor,
     .on_bytes = publish},
    {0},
};
