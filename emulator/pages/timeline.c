#include "pages/timeline.h"

#include "json/printer.h"

/* The CSV line of an event, with names. */
static enum pubsub_status print_event(struct pubsub_buf *out, const struct record *record,
                                      const struct record_event *event) {
  static const char *const names[] = {"timeUs", "event", "resource", "messageId", "detail"};
  char line[701], *at = line;
  size_t len = record_line(record, event, line, sizeof line - 1);
  enum pubsub_status status = json_print(out, "{");
  line[len] = '\0';
  for (size_t i = 0; i < 5 && status == PUBSUB_OK; i++) {
    size_t part = strcspn(at, ",\n");
    if (i > 0) status = json_print(out, ",");
    if (status == PUBSUB_OK) status = json_print_name(out, names[i]);
    if (status == PUBSUB_OK) status = json_print_string(out, pubsub_view_of(at, part));
    at += part + (at[part] != '\0');
  }
  return status == PUBSUB_OK ? json_print(out, "}") : status;
}

enum pubsub_status timeline_print(struct pubsub_buf *out, const struct record *record,
                                  uint64_t from, size_t most) {
  size_t start = from < record->count ? (size_t)from : record->count;
  if (record->count - start > most) start = record->count - most;
  enum pubsub_status status = json_print(out, "{\"next\":");
  if (status == PUBSUB_OK) status = json_print_integer(out, (int64_t)record->count);
  if (status == PUBSUB_OK) status = json_print(out, ",\"events\":[");
  for (size_t i = start; i < record->count && status == PUBSUB_OK; i++) {
    if (i > start) status = json_print(out, ",");
    if (status == PUBSUB_OK) status = print_event(out, record, &record->events[i]);
  }
  return status == PUBSUB_OK ? json_print(out, "]}\n") : status;
}
