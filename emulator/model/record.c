#include "model/record.h"

#include "base/alloc.h"
#include <stdio.h>

const char record_header[] = "time_us,event,resource,message_id,detail\n";

static const char *const kind_names[RECORD_KINDS] = {[RECORD_PUBLISH] = "publish",
                                                     [RECORD_DELIVER] = "deliver",
                                                     [RECORD_EXTEND] = "extend",
                                                     [RECORD_ACKNOWLEDGE] = "acknowledge",
                                                     [RECORD_NACK] = "nack",
                                                     [RECORD_EXPIRE] = "expire",
                                                     [RECORD_DEAD_LETTER] = "dead_letter",
                                                     [RECORD_STALE_ACK] = "stale_ack",
                                                     [RECORD_FAULT] = "fault"};

void record_clear(struct record *record) {
  pubsub_free(record->events);
  record->events = NULL;
  record->count = record->cap = 0;
  record->lost = 0;
}

void record_free(struct record *record) {
  record_clear(record);
  for (uint32_t i = 0; i < record->name_count; i++)
    pubsub_free(record->names[i]);
  pubsub_free(record->names);
  *record = (struct record){0};
}

uint32_t record_name(struct record *record, const char *name) {
  for (uint32_t i = 0; i < record->name_count; i++) {
    if (strcmp(record->names[i], name) == 0) return i + 1;
  }
  if (record->name_count == record->name_cap) {
    uint32_t cap = record->name_cap ? record->name_cap * 2 : 16;
    void *names = pubsub_realloc(record->names, cap * sizeof *record->names);
    if (!names) return 0;
    record->names = names;
    record->name_cap = cap;
  }
  size_t len = strlen(name);
  char *copy = pubsub_alloc(len + 1);
  if (!copy) return 0;
  memcpy(copy, name, len + 1);
  record->names[record->name_count++] = copy;
  return record->name_count;
}

void record_append(struct record *record, const struct record_event *event) {
  if (record->count == record->cap) {
    size_t cap = record->cap ? record->cap * 2 : 4096;
    void *events = pubsub_realloc(record->events, cap * sizeof *record->events);
    if (!events) {
      record->lost++;
      return;
    }
    record->events = events;
    record->cap = cap;
  }
  record->events[record->count++] = *event;
}

void record_undo(struct record *record, enum record_kind kind, uint64_t message_id) {
  const struct record_event *last = record->count ? &record->events[record->count - 1] : NULL;
  if (record->on && last && last->kind == kind && last->message_id == message_id) record->count--;
}

size_t record_line(const struct record *record, const struct record_event *event, char *out,
                   size_t cap) {
  const char *name = event->name > 0 ? record->names[event->name - 1] : "";
  int len =
      snprintf(out, cap, "%lld,%s,%s,%llu,%u\n", (long long)event->time_us, kind_names[event->kind],
               name, (unsigned long long)event->message_id, event->detail);
  return len < 0 ? 0 : (size_t)len < cap ? (size_t)len : cap - 1;
}
