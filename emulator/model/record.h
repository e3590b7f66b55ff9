/* What happened, in order, while recording is on: so that tests can prove what was acknowledged
 * when. 32 bytes an event. */
#ifndef EMULATOR_MODEL_RECORD_H
#define EMULATOR_MODEL_RECORD_H

#include "base/bytes.h"

enum record_kind {
  RECORD_PUBLISH,     /* detail: bytes */
  RECORD_DELIVER,     /* detail: attempt */
  RECORD_EXTEND,      /* detail: seconds */
  RECORD_ACKNOWLEDGE, /* detail: attempt */
  RECORD_NACK,
  RECORD_EXPIRE,
  RECORD_DEAD_LETTER,
  RECORD_STALE_ACK, /* an ack id that is not lent; message id 0 */
  RECORD_FAULT,     /* message id: a hash of the request; detail: the gRPC status, or 0 */
  RECORD_KINDS
};

struct record_event {
  int64_t time_us; /* since 1970, virtual */
  uint64_t message_id;
  uint32_t name; /* of the topic or subscription, or the method */
  uint32_t detail;
  uint32_t kind;
};

struct record {
  bool on;
  struct record_event *events;
  size_t count, cap;
  uint64_t lost; /* for want of memory */
  char **names;
  uint32_t name_count, name_cap;
};

void record_clear(struct record *record); /* the events; names stay */
void record_free(struct record *record);
/* A number for a name, now and later. 0: no memory. */
uint32_t record_name(struct record *record, const char *name);
void record_append(struct record *record, const struct record_event *event);
/* Takes the last event back if it is this one: a delivery that did not fit into its response. */
void record_undo(struct record *record, enum record_kind kind, uint64_t message_id);
static inline void record_add(struct record *record, int64_t time_us, enum record_kind kind,
                              uint32_t name, uint64_t message_id, uint32_t detail) {
  if (!record->on) return;
  struct record_event event = {time_us, message_id, name, detail, kind};
  record_append(record, &event);
}
/* One line of CSV, "time_us,event,resource,message_id,detail". Returns its length, at most 700. */
size_t record_line(const struct record *record, const struct record_event *event, char *out,
                   size_t cap);
extern const char record_header[];

#endif
