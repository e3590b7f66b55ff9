#include "json/masks.h"

#include "json/printer.h"
#include <ctype.h>
#include <stdlib.h>

/* "pushConfig" as "push_config". NULL: no memory. */
static char *snake(const char *text, size_t len) {
  char *copy = malloc(2 * len + 1), *out = copy;
  for (size_t i = 0; copy && i < len; i++) {
    if (isupper((unsigned char)text[i])) *out++ = '_';
    *out++ = (char)tolower((unsigned char)text[i]);
  }
  if (copy) *out = '\0';
  return copy;
}

/* Whether it can be told in either form: an underscore stands between two letters or digits of a
 * name, the second no capital, and no name begins with a capital letter. */
static bool is_path(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    bool begins = i == 0 || text[i - 1] == '_' || text[i - 1] == '.';
    char next = i + 1 < len ? text[i + 1] : '\0';
    if (isupper((unsigned char)text[i]) && begins) return false;
    bool joins = islower((unsigned char)next) || isdigit((unsigned char)next);
    if (text[i] == '_' && (begins || !joins)) return false;
  }
  return true;
}

static bool add_path(Google__Protobuf__FieldMask *mask, const char *text, size_t len) {
  char *path = snake(text, len);
  char **grown = path ? realloc(mask->paths, (mask->n_paths + 1) * sizeof *grown) : NULL;
  if (!grown) {
    free(path);
    return false;
  }
  mask->paths = grown;
  mask->paths[mask->n_paths++] = path;
  return true;
}

bool masks_read(struct json *json, Google__Protobuf__FieldMask *mask) {
  struct pubsub_buf text = {0};
  bool good = json_string(json, &text);
  const char *at = good && text.len > 0 ? (const char *)text.ptr : NULL;
  while (good && at) {
    size_t len = strcspn(at, ",");
    if (!is_path(at, len)) {
      good = json_fail(json, "'%.*s' is no path of fields", (int)(len < 100 ? len : 100), at);
      break;
    }
    if (!add_path(mask, at, len)) good = json_fail(json, "out of memory");
    at = at[len] ? at + len + 1 : NULL;
  }
  pubsub_buf_clear(&text);
  return good;
}

static enum pubsub_status print_path(struct pubsub_buf *out, const char *path) {
  enum pubsub_status status = PUBSUB_OK;
  for (; *path && status == PUBSUB_OK; path++) {
    bool upper = *path == '_' && islower((unsigned char)path[1]);
    char c = upper ? (char)toupper((unsigned char)*++path) : *path;
    status = pubsub_buf_append(out, &c, 1);
  }
  return status;
}

enum pubsub_status masks_print(struct pubsub_buf *out, const Google__Protobuf__FieldMask *mask) {
  struct pubsub_buf text = {0};
  enum pubsub_status status = PUBSUB_OK;
  for (size_t i = 0; i < mask->n_paths && status == PUBSUB_OK; i++) {
    if (i > 0) status = pubsub_buf_append(&text, ",", 1);
    if (status == PUBSUB_OK) status = print_path(&text, mask->paths[i]);
  }
  if (status == PUBSUB_OK) status = json_print_string(out, pubsub_view_of(text.ptr, text.len));
  pubsub_buf_clear(&text);
  return status;
}
