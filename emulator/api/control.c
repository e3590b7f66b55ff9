/*
 * The control endpoint: pubsub.emulator.v1.Control, on the same port. Its messages are
 * google.protobuf.StringValue, so that any gRPC client can call it without generated code.
 *
 *   Command(text) → text     see `commands`
 *   Record(text)  → stream   the record as CSV, some lines a message; text "clear": then it is
 *                            forgotten, and no event is missed
 */
#include "api/methods.h"
#include "api/resources.h"
#include "base/alloc.h"
#include "base/error.h"
#include "faults/faults.h"
#include "model/contents.h"
#include "model/delivery.h"
#include "model/times.h"
#include "proto/wire.h"
#include "rpc/token.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT = 1 << 3 | 2 };

static void reply_text(struct call *call, const struct pubsub_buf *text) {
  struct pubsub_buf response = {0};
  if (pubsub_buf_reserve(&response, pubsub_wire_len_bytes(text->len)) != PUBSUB_OK) {
    fail_no_memory(call);
    return;
  }
  uint8_t *end = pubsub_wire_write_bytes(response.ptr, TEXT, text->ptr, text->len);
  response.len = (size_t)(end - response.ptr);
  call_reply_bytes(call, &response);
}

static void add_text(struct pubsub_buf *out, const char *format, ...) PUBSUB_PRINTF(2, 3);
static void add_text(struct pubsub_buf *out, const char *format, ...) {
  char line[1024];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  size_t bytes = len < 0 ? 0 : (size_t)len < sizeof line ? (size_t)len : sizeof line - 1;
  pubsub_buf_append(out, line, bytes);
}

static enum pubsub_status run_fault(struct broker *broker, const char *text, struct pubsub_buf *out,
                                    struct pubsub_error *error) {
  (void)out;
  return faults_add(broker->faults, text, error);
}

static enum pubsub_status run_faults(struct broker *broker, const char *text,
                                     struct pubsub_buf *out, struct pubsub_error *error) {
  if (strcmp(text, "clear") == 0) {
    faults_clear(broker->faults);
    return PUBSUB_OK;
  }
  if (*text) return pubsub_error_set(error, PUBSUB_E_INVALID, "faults takes nothing, or clear");
  return faults_describe(broker->faults, out);
}

static enum pubsub_status run_seed(struct broker *broker, const char *text, struct pubsub_buf *out,
                                   struct pubsub_error *error) {
  uint64_t seed;
  (void)out;
  if (!faults_parse_seed(text, &seed)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "'%s' is no seed: 0 to 2^64 - 1", text);
  }
  pubsub_rng_seed(&broker->faults->rng, seed);
  return PUBSUB_OK;
}

static enum pubsub_status run_advance(struct broker *broker, const char *text,
                                      struct pubsub_buf *out, struct pubsub_error *error) {
  uint64_t us;
  if (!times_parse(text, &us)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "advance takes a duration of at most 36525d: 10s, 5m, 7h30m");
  }
  if (!broker_advance(broker, us)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "the clock is %lld us ahead; it may be at most 36525 days",
                            (long long)broker->world.clock.ahead_us);
  }
  add_text(out, "%lld us ahead\n", (long long)broker->world.clock.ahead_us);
  return PUBSUB_OK;
}

static enum pubsub_status run_record(struct broker *broker, const char *text,
                                     struct pubsub_buf *out, struct pubsub_error *error) {
  if (strcmp(text, "on") == 0) {
    broker->world.record.on = true;
  } else if (strcmp(text, "off") == 0) {
    broker->world.record.on = false;
  } else if (strcmp(text, "clear") == 0) {
    record_clear(&broker->world.record);
  } else {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "record takes on, off or clear");
  }
  add_text(out, "recording is %s, %zu events\n", broker->world.record.on ? "on" : "off",
           broker->world.record.count);
  return PUBSUB_OK;
}

static enum pubsub_status run_stats(struct broker *broker, const char *text, struct pubsub_buf *out,
                                    struct pubsub_error *error) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  (void)text;
  (void)error;
  while ((entry = pubsub_map_next(&broker->subscriptions, &it))) {
    const struct subscription *subscription =
        PUBSUB_CONTAINER_OF(entry, struct subscription, entry);
    size_t lent = subscription->slot_count - subscription->free_count, streams = 0;
    for (const struct pubsub_list *link = subscription->streams.next;
         link != &subscription->streams; link = link->next) {
      streams++;
    }
    add_text(out, "%s backlog=%zu ready=%zu lent=%zu streams=%zu\n", subscription->config->name,
             contents_count(subscription), subscription->ready_count, lent, streams);
  }
  return PUBSUB_OK;
}

static enum pubsub_status run_end_streams(struct broker *broker, const char *text,
                                          struct pubsub_buf *out, struct pubsub_error *error) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  int code = *text ? faults_status_code(text) : PUBSUB_GRPC_UNAVAILABLE;
  (void)out;
  if (code < 0) return pubsub_error_set(error, PUBSUB_E_INVALID, "'%s' is not a status", text);
  while ((entry = pubsub_map_next(&broker->subscriptions, &it))) {
    struct subscription *subscription = PUBSUB_CONTAINER_OF(entry, struct subscription, entry);
    const struct world_callbacks *callbacks = &broker->world.callbacks;
    delivery_end(&subscription->streams, code, "ended on demand");
    if (callbacks->on_settings) callbacks->on_settings(callbacks->user, subscription); /* pushes */
  }
  return PUBSUB_OK;
}

/* The answer does not repeat it. */
static enum pubsub_status run_token(struct broker *broker, const char *text, struct pubsub_buf *out,
                                    struct pubsub_error *error) {
  add_text(out, *text ? "a token is required\n" : "no token is required\n");
  return token_set(broker->token, text, error);
}

static enum pubsub_status run_push_key(struct broker *broker, const char *text,
                                       struct pubsub_buf *out, struct pubsub_error *error) {
  const char *pem = broker->push_key ? broker->push_key(broker->world.callbacks.user) : NULL;
  (void)text;
  if (!pem) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  return pubsub_buf_append(out, pem, strlen(pem));
}

static const struct control_command {
  const char *name;
  enum pubsub_status (*run)(struct broker *broker, const char *text, struct pubsub_buf *out,
                            struct pubsub_error *error);
  bool alone; /* nothing may follow the name */
} commands[] = {
    {"fault", run_fault, false},     /* fault METHOD KIND[=VALUE] [option=…]…   (faults.h) */
    {"faults", run_faults, false},   /* faults | faults clear */
    {"seed", run_seed, false},       /* seed N: of the faults from now on */
    {"advance", run_advance, false}, /* advance 10m: the virtual clock */
    {"record", run_record, false},   /* record on | off | clear */
    {"stats", run_stats, true},      /* a line a subscription */
    {"end-streams", run_end_streams, false}, /* end-streams [STATUS]: all StreamingPulls */
    {"token", run_token, false},      /* token [VALUE]: the one that calls must carry from now on */
    {"push-key", run_push_key, true}, /* the public half of the key of pushes, PEM */
    {"disconnect", NULL, true},       /* cuts all connections but this one */
    {"goaway", NULL, true},           /* sends GOAWAY on all connections but this one */
};

static struct pubsub_view request_text(const struct pubsub_buf *request) {
  const uint8_t *ptr = request->ptr, *end = ptr + request->len;
  struct pubsub_view text = {0};
  struct pubsub_wire_field field;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (ptr && field.tag == TEXT) text = field.value;
  }
  return text;
}

static void run_command(struct call *call, struct pubsub_buf *take_request) {
  struct pubsub_view request = request_text(take_request);
  struct pubsub_error error = {0};
  struct pubsub_buf out = {0};
  char text[600];
  snprintf(text, sizeof text, "%.*s", (int)request.len,
           request.ptr ? (const char *)request.ptr : "");
  size_t name_len = strcspn(text, " ");
  const char *rest = text + name_len + strspn(text + name_len, " ");
  text[name_len] = '\0';
  const struct control_command *command = commands,
                               *end = commands + sizeof commands / sizeof *commands;
  while (command < end && strcmp(command->name, text) != 0)
    command++;
  if (command == end) {
    pubsub_error_set(&error, PUBSUB_E_INVALID, "'%s' is not a command", text);
  } else if (command->alone && *rest) {
    pubsub_error_set(&error, PUBSUB_E_INVALID, "%s takes nothing, not '%s'", text, rest);
  } else if (command->run) {
    command->run(call->broker, rest, &out, &error);
  } else {
    bool goaway = strcmp(command->name, "goaway") == 0;
    call_disturb(call, goaway ? DISTURB_OTHERS_GOAWAY : DISTURB_OTHERS_CUT);
  }
  if (error.text[0]) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "%s", error.text);
  } else {
    reply_text(call, &out);
  }
  pubsub_buf_clear(&out);
}

/* ---- the record ---- */

#define PIECE_BYTES ((size_t)64 * 1024)
#define MAX_QUEUED_BYTES ((size_t)256 * 1024)

struct reading {
  size_t next; /* 0: the header; else 1 + the next event's index */
  bool clear;
};

/* The next events as one message; *next moves on. False: no memory. */
static bool make_piece(struct record *record, size_t *next, struct pubsub_buf *out) {
  struct pubsub_buf text = {0};
  size_t at = *next;
  bool made = true;
  if (at == 0) {
    made = pubsub_buf_append(&text, record_header, strlen(record_header)) == PUBSUB_OK;
    at = 1;
  }
  for (; made && at < record->count + 1 && text.len < PIECE_BYTES; at++) {
    char line[700];
    size_t len = record_line(record, &record->events[at - 1], line, sizeof line);
    made = pubsub_buf_append(&text, line, len) == PUBSUB_OK;
  }
  made = made && pubsub_buf_reserve(out, pubsub_wire_len_bytes(text.len)) == PUBSUB_OK;
  if (made) {
    const uint8_t *end = pubsub_wire_write_bytes(out->ptr, TEXT, text.ptr, text.len);
    out->len = (size_t)(end - out->ptr);
    *next = at;
  }
  pubsub_buf_clear(&text);
  return made;
}

/* The reader is to know that its record is not whole. */
static void give_up(struct call *call) {
  pubsub_free(call->state);
  call->state = NULL;
  fail_no_memory(call);
}

static void send_record(struct call *call) {
  struct record *record = &call->broker->world.record;
  struct reading *reading = call->state;
  while (reading->next < record->count + 1 && call_queued_bytes(call) < MAX_QUEUED_BYTES) {
    struct pubsub_buf message = {0};
    if (!make_piece(record, &reading->next, &message)) {
      pubsub_buf_clear(&message);
      give_up(call);
      return;
    }
    struct pubsub_segment segment = pubsub_segment_from_buf(&message);
    call_send(call, &segment, 1);
  }
  if (reading->next < record->count + 1) return;
  if (reading->clear) record_clear(record);
  call_finish(call);
}

static void read_record(struct call *call, struct pubsub_buf *take_request) {
  if (call->state) return;
  struct reading *reading = call->state = pubsub_alloc_zero(1, sizeof(struct reading));
  if (reading) {
    reading->clear = pubsub_view_equal(request_text(take_request), pubsub_view_str("clear"));
    send_record(call);
  } else {
    fail_no_memory(call);
  }
}

static void on_drained(struct call *call) {
  if (call->state) send_record(call);
}

static void on_closed(struct call *call) {
  pubsub_free(call->state);
}

const struct method control_methods[] = {
    {.path = CONTROL "Command", .on_bytes = run_command},
    {.path = CONTROL "Record",
     .on_bytes = read_record,
     .on_drained = on_drained,
     .on_closed = on_closed},
    {0},
};
