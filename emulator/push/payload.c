#include "push/payload.h"

#include "json/moments.h"
#include "json/printer.h"
#include "proto/wire.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DATA = 1 << 3 | 2, ATTRIBUTES = 2 << 3 | 2, ORDERING_KEY = 5 << 3 | 2 };

/* A message's fields, borrowed. */
struct fields {
  struct pubsub_view data, ordering_key, message;
};

static struct fields fields_of(const struct message *message) {
  struct fields fields = {.message = message_view(message)};
  const uint8_t *ptr = fields.message.ptr, *end = ptr + fields.message.len;
  struct pubsub_wire_field field;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (ptr && field.tag == DATA) fields.data = field.value;
    if (ptr && field.tag == ORDERING_KEY) fields.ordering_key = field.value;
  }
  return fields;
}

/* The next attribute from *at on. False: there is none. */
static bool next_attribute(const uint8_t **at, const uint8_t *end, struct pubsub_view *key,
                           struct pubsub_view *value) {
  struct pubsub_wire_field field;
  while (*at && *at < end) {
    *at = pubsub_wire_field_read(*at, end, &field);
    if (!*at || field.tag != ATTRIBUTES) continue;
    *key = *value = (struct pubsub_view){0};
    const uint8_t *ptr = field.value.ptr, *entry_end = ptr + field.value.len;
    while (ptr && ptr < entry_end) {
      ptr = pubsub_wire_field_read(ptr, entry_end, &field);
      if (ptr && field.tag == (1 << 3 | 2)) *key = field.value;
      if (ptr && field.tag == (2 << 3 | 2)) *value = field.value;
    }
    return true;
  }
  return false;
}

/* ---- writing; the first failure stays ---- */

struct text {
  struct pubsub_buf *out;
  enum pubsub_status status;
};

static void add(struct text *text, const char *format, ...) PUBSUB_PRINTF(2, 3);
static void add(struct text *text, const char *format, ...) {
  char line[1400];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (text->status != PUBSUB_OK) return;
  text->status = pubsub_buf_append(text->out, line,
                                   len < 0                     ? 0
                                   : (size_t)len < sizeof line ? (size_t)len
                                                               : sizeof line - 1);
}

static void add_string(struct text *text, struct pubsub_view value) {
  if (text->status == PUBSUB_OK) text->status = json_print_string(text->out, value);
}

static void format_time(int64_t time_us, char out[48]) {
  json_format_timestamp(time_us / 1000000, (int32_t)(time_us % 1000000 * 1000), out);
}

/* ---- wrapped ---- */

static void add_attributes(struct text *text, struct pubsub_view message) {
  const uint8_t *at = message.ptr, *end = at + message.len;
  struct pubsub_view key, value;
  bool any = false;
  while (next_attribute(&at, end, &key, &value)) {
    add(text, any ? "," : "\"attributes\":{");
    add_string(text, key);
    add(text, ":");
    add_string(text, value);
    any = true;
  }
  if (any) add(text, "},");
}

static void write_wrapped(struct text *text, const struct subscription *subscription,
                          const struct message *message) {
  struct fields fields = fields_of(message);
  char time[48];
  format_time(message->publish_time_us, time);
  add(text, "{\"message\":{");
  add_attributes(text, fields.message);
  if (fields.data.len > 0) {
    add(text, "\"data\":");
    if (text->status == PUBSUB_OK) text->status = json_print_base64(text->out, fields.data);
    add(text, ",");
  }
  if (fields.ordering_key.len > 0) {
    add(text, "\"orderingKey\":");
    add_string(text, fields.ordering_key);
    add(text, ",");
  }
  add(text, "\"messageId\":\"%" PRIu64 "\",\"message_id\":\"%" PRIu64 "\",", message->id,
      message->id);
  add(text, "\"publishTime\":\"%s\",\"publish_time\":\"%s\"},\"subscription\":", time, time);
  add_string(text, pubsub_view_str(subscription->config->name));
  if (subscription->config->dead_letter_policy) {
    add(text, ",\"deliveryAttempt\":%u", message->attempts);
  }
  add(text, "}");
}

/* ---- unwrapped ---- */

/* A header's name, and not one that says how the request is to be read. */
static bool may_be_header(struct pubsub_view key) {
  static const char *const ours[] = {
      "host",   "content-length", "connection", "content-type", "user-agent",   "transfer-encoding",
      "expect", "upgrade",        "te",         "trailer",      "authorization"};
  for (size_t i = 0; i < key.len; i++) {
    uint8_t c = key.ptr[i];
    bool token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 (c && strchr("!#$%&'*+-.^_`|~", c));
    if (!token) return false;
  }
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
    if (key.len == strlen(ours[i]) && strncasecmp((const char *)key.ptr, ours[i], key.len) == 0) {
      return false;
    }
  }
  return key.len > 0;
}

static bool may_be_value(struct pubsub_view value) {
  for (size_t i = 0; i < value.len; i++) {
    if ((value.ptr[i] < 0x20 && value.ptr[i] != '\t') || value.ptr[i] == 0x7f) return false;
  }
  return true;
}

static void add_header(struct text *text, struct pubsub_view key, struct pubsub_view value) {
  if (!may_be_header(key) || !may_be_value(value)) return;
  add(text, "%.*s: %.*s\r\n", (int)key.len, (const char *)key.ptr, (int)value.len,
      value.ptr ? (const char *)value.ptr : "");
}

static void add_metadata(struct text *text, const struct subscription *subscription,
                         const struct message *message, const struct fields *fields) {
  const uint8_t *at = fields->message.ptr, *end = at + fields->message.len;
  struct pubsub_view key, value;
  char time[48];
  format_time(message->publish_time_us, time);
  add(text, "x-goog-pubsub-subscription-name: %s\r\n", subscription->config->name);
  add(text, "x-goog-pubsub-message-id: %" PRIu64 "\r\n", message->id);
  add(text, "x-goog-pubsub-publish-time: %s\r\n", time);
  add_header(text, pubsub_view_str("x-goog-pubsub-ordering-key"), fields->ordering_key);
  if (subscription->config->dead_letter_policy) {
    add(text, "x-goog-pubsub-delivery-attempt: %u\r\n", message->attempts);
  }
  while (next_attribute(&at, end, &key, &value))
    add_header(text, key, value);
}

/* ---- both ---- */

static void add_head(struct text *text, const struct pubsub_url *url, const char *token) {
  bool v6 = strchr(url->host, ':') != NULL;
  add(text, "POST %s HTTP/1.1\r\n", url->path);
  add(text, v6 ? "Host: [%s]:%u\r\n" : "Host: %s:%u\r\n", url->host, url->port);
  add(text, "User-Agent: CloudPubSub-Google\r\nAccept: application/json\r\nConnection: close\r\n");
  if (!token) return;
  add(text, "Authorization: Bearer ");
  if (text->status == PUBSUB_OK) {
    text->status = pubsub_buf_append(text->out, token, strlen(token));
  }
  add(text, "\r\n");
}

static void add_body(struct text *text, const char *type, struct pubsub_view body) {
  if (type) add(text, "Content-Type: %s\r\n", type);
  add(text, "Content-Length: %zu\r\n\r\n", body.len);
  if (text->status == PUBSUB_OK) {
    text->status = pubsub_buf_append(text->out, body.ptr, body.len);
  }
}

enum pubsub_status payload_write(struct pubsub_buf *out, const struct pubsub_url *url,
                                 const struct subscription *subscription,
                                 const struct message *message, const char *token) {
  const Google__Pubsub__V1__PushConfig *push = subscription->config->push_config;
  struct text text = {.out = out};
  struct pubsub_buf json = {0};
  add_head(&text, url, token);
  if (push->wrapper_case == GOOGLE__PUBSUB__V1__PUSH_CONFIG__WRAPPER_NO_WRAPPER) {
    struct fields fields = fields_of(message);
    if (push->no_wrapper->write_metadata) add_metadata(&text, subscription, message, &fields);
    add_body(&text, NULL, fields.data);
  } else {
    struct text body = {.out = &json};
    write_wrapped(&body, subscription, message);
    if (body.status != PUBSUB_OK) text.status = body.status;
    add_body(&text, "application/json", pubsub_view_of(json.ptr, json.len));
  }
  pubsub_buf_clear(&json);
  return text.status;
}
