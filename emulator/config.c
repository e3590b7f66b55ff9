#include "config.h"

#include "base/error.h"
#include "json/mapping.h"
#include "local.h"
#include "rpc/service.h"
#include <errno.h>
#include <stdio.h>

#define MOST_BYTES ((size_t)256 << 20)

/* In the order in which they are made, wherever they stand in the file. */
static const struct section {
  const char *name, *path;
} sections[] = {{"schemas", "/google.pubsub.v1.SchemaService/CreateSchema"},
                {"topics", "/google.pubsub.v1.Publisher/CreateTopic"},
                {"subscriptions", "/google.pubsub.v1.Subscriber/CreateSubscription"},
                {"messages", "/google.pubsub.v1.Publisher/Publish"}};

#define SECTIONS (sizeof sections / sizeof *sections)

struct loading {
  struct broker *broker;
  const struct method *const *tables;
  struct json json;
  const struct section *wanted; /* made now; others are only read */
  bool again;
};

static const struct section *find_section(const char *name) {
  for (size_t i = 0; i < SECTIONS; i++) {
    if (strcmp(sections[i].name, name) == 0) return &sections[i];
  }
  return NULL;
}

/* False: it was refused. */
static bool make_it(struct loading *loading, const struct method *method,
                    const ProtobufCMessage *request, struct pubsub_error *why) {
  int code = PUBSUB_GRPC_OK;
  if (loading->again && loading->wanted == &sections[SECTIONS - 1]) return true;
  return local_call(loading->broker, method, request, &code, why) == PUBSUB_OK ||
         (loading->again && code == PUBSUB_GRPC_ALREADY_EXISTS);
}

/* One element of a section. */
static bool make(struct loading *loading, const struct section *section) {
  struct pubsub_error why = {0};
  const struct method *method = method_find(loading->tables, pubsub_view_str(section->path));
  ProtobufCMessage *request = json_message(&loading->json, method->request);
  bool good = request != NULL;
  if (good && section == loading->wanted && !make_it(loading, method, request, &why)) {
    good = json_fail(&loading->json, "%s: %s", section->name, why.text);
  }
  if (request) protobuf_c_message_free_unpacked(request, NULL);
  return good;
}

static bool read_section(struct loading *loading) {
  struct pubsub_buf name = {0};
  struct json *json = &loading->json;
  bool good = json_key(json, &name);
  const struct section *section = good ? find_section((const char *)name.ptr) : NULL;
  if (good && !section) {
    good = json_fail(json, "'%.100s' is not schemas, topics, subscriptions or messages",
                     (const char *)name.ptr);
  }
  pubsub_buf_clear(&name);
  good = good && json_enter(json, '[');
  while (good && json_more(json, ']'))
    good = make(loading, section);
  return good && !json->failed;
}

/* Reads all of it, and makes what is wanted. */
static bool pass_over(struct loading *loading) {
  bool good = json_enter(&loading->json, '{');
  while (good && json_more(&loading->json, '}'))
    good = read_section(loading);
  return good && json_end(&loading->json);
}

static enum pubsub_status apply(struct broker *broker, const struct method *const *tables,
                                struct pubsub_view text, bool again, struct pubsub_error *error) {
  struct pubsub_error own = {0};
  struct loading loading = {.broker = broker, .tables = tables, .again = again};
  bool good = true;
  for (size_t i = 0; i < SECTIONS && good; i++) {
    loading.wanted = &sections[i];
    json_init(&loading.json, text, &own);
    good = pass_over(&loading);
  }
  if (good) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_INVALID, "%s", own.text);
}

/* Errors: IO, INVALID (larger than any configuration is), NOMEM. */
static enum pubsub_status read_file(const char *path, struct pubsub_buf *out,
                                    struct pubsub_error *error) {
  FILE *file = fopen(path, "r");
  if (!file) {
    return pubsub_error_set(error, PUBSUB_E_IO, "cannot open %s: %s", path, strerror(errno));
  }
  enum pubsub_status status = PUBSUB_OK;
  size_t got = 1;
  while (status == PUBSUB_OK && got > 0 && out->len <= MOST_BYTES) {
    status = pubsub_buf_reserve(out, 65536);
    got = status == PUBSUB_OK ? fread(out->ptr + out->len, 1, 65536, file) : 0;
    out->len += got;
  }
  bool failed = ferror(file) != 0;
  fclose(file);
  if (failed) return pubsub_error_set(error, PUBSUB_E_IO, "cannot read %s", path);
  if (out->len > MOST_BYTES) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "%s is larger than %zu MiB", path,
                            MOST_BYTES >> 20);
  }
  return status == PUBSUB_OK ? status : pubsub_error_set(error, status, "out of memory");
}

enum pubsub_status config_load(struct broker *broker, const struct method *const *tables,
                               const char *path, bool again, struct pubsub_error *error) {
  struct pubsub_buf text = {0};
  struct pubsub_error own = {0};
  enum pubsub_status status = read_file(path, &text, error);
  if (status == PUBSUB_OK) {
    status = apply(broker, tables, pubsub_view_of(text.ptr, text.len), again, &own);
    if (status != PUBSUB_OK) pubsub_error_set(error, status, "%s, %s", path, own.text);
  }
  pubsub_buf_clear(&text);
  return status;
}
