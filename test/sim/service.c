#include "service.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"
#include "grpc/channel.h"
#include "grpc/unary.h"
#include "proto/wire.h"
#include "virtual.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define RESPONSE_BYTES ((size_t)256 * 1024)
#define QUEUE_BYTES ((size_t)1 << 20)
#define ID_BYTES 40 /* of an ack id */

struct pubsub_channel {
  int nothing;
};

static struct service {
  struct pubsub_channel channel;
  struct service_faults faults;
  struct service_counts counts;
  struct service_message *messages;
  /* messages below ready_from are lent or acked, unless they came back */
  uint32_t count, ready_from;
  struct pubsub_list streams;
  struct pubsub_timer leases;
} service;

/* ---- a stream ---- */

struct pubsub_call {
  struct pubsub_list link;
  const struct pubsub_call_handler *handler;
  void *user;
  uint64_t max_rows, max_bytes, deadline_us;
  uint64_t rows, bytes; /* outstanding */
  /* encoded, from `sent` on; whole gRPC messages, each behind its length */
  struct pubsub_buf queue;
  size_t sent;
  size_t left; /* of the message that is being delivered */
  uint64_t window;
  bool opened, half_closed, ending, unanswered;
  struct pubsub_timer pump;
};

static void put(struct pubsub_buf *buf, const void *ptr, size_t len) {
  if (pubsub_buf_append(buf, ptr, len) != PUBSUB_OK) abort();
}

static void put_varint(struct pubsub_buf *buf, uint64_t value) {
  uint8_t bytes[10];
  put(buf, bytes, (size_t)(pubsub_varint_write(bytes, value) - bytes));
}

static void put_field(struct pubsub_buf *buf, uint8_t tag, const void *ptr, size_t len) {
  put(buf, &tag, 1);
  put_varint(buf, len);
  put(buf, ptr, len);
}

static size_t ack_id_of(uint64_t number, uint32_t attempt, bool bad, char *out) {
  return (size_t)snprintf(out, ID_BYTES, "%s-%" PRIu64 "-%u", bad ? "bad" : "id", number, attempt);
}

static void encode(struct pubsub_buf *out, uint64_t number, const struct service_message *message) {
  struct pubsub_buf inner = {0}, outer = {0};
  char id[ID_BYTES], name[24];
  size_t id_len = ack_id_of(number, message->attempts, message->bad_id, id);
  uint8_t *data = calloc(1, message->size + 1);
  put_field(&inner, 0x0a, data, message->size);
  put_field(&inner, 0x1a, name, (size_t)snprintf(name, sizeof name, "%" PRIu64, number));
  put_field(&outer, 0x0a, id, id_len);
  put_field(&outer, 0x12, inner.ptr, inner.len);
  put_field(out, 0x0a, outer.ptr, outer.len);
  pubsub_buf_clear(&inner);
  pubsub_buf_clear(&outer);
  free(data);
}

static void pump_soon(struct pubsub_call *call, uint64_t delay_us) {
  if (!pubsub_timer_is_set(&call->pump)) {
    pubsub_loop_timer_set(virtual_loop(), &call->pump, virtual_now_us() + delay_us);
  }
}

static void pump_all(void) {
  for (struct pubsub_list *link = service.streams.next; link != &service.streams; link = link->next)
    pump_soon(PUBSUB_CONTAINER_OF(link, struct pubsub_call, link), virtual_draw(0, 2000));
}

/* ---- messages ---- */

static void take_back(struct service_message *message) {
  if (!message->lent) return;
  message->lent = false;
  if (message->stream) {
    message->stream->rows--;
    message->stream->bytes -= message->size;
  }
  message->stream = NULL;
}

static void make_ready(uint64_t number) {
  take_back(&service.messages[number - 1]);
  if (number - 1 < service.ready_from) service.ready_from = (uint32_t)(number - 1);
}

static void on_leases(struct pubsub_timer *timer) {
  bool any = false;
  for (uint32_t i = 0; i < service.count; i++) {
    if (!service.messages[i].lent || service.messages[i].due_us > virtual_now_us()) continue;
    if (service.messages[i].bad_id) { /* nobody can settle it: once is enough */
      take_back(&service.messages[i]);
      service.messages[i].acked = true;
      continue;
    }
    service.counts.expired++;
    make_ready(i + 1);
    any = true;
  }
  if (any) pump_all();
  pubsub_loop_timer_set(virtual_loop(), timer, virtual_now_us() + 100000);
}

static bool has_room(const struct pubsub_call *call) {
  return call->rows < call->max_rows && call->bytes < call->max_bytes && !call->half_closed &&
         call->queue.len - call->sent < QUEUE_BYTES;
}

static void lend(struct pubsub_call *call, uint32_t index, struct pubsub_buf *response) {
  struct service_message *message = &service.messages[index];
  message->lent = true;
  message->stream = call;
  message->attempts++;
  message->due_us = virtual_now_us() + call->deadline_us;
  call->rows++;
  call->bytes += message->size;
  service.counts.lent++;
  encode(response, index + 1, message);
}

/* A response of what is ready goes to the stream's queue. */
static void fill(struct pubsub_call *call) {
  struct pubsub_buf response = {0};
  uint32_t i = service.ready_from;
  for (; i < service.count && has_room(call) && response.len < RESPONSE_BYTES; i++) {
    if (!service.messages[i].lent && !service.messages[i].acked) lend(call, i, &response);
  }
  if (service.ready_from < i) service.ready_from = i;
  if (response.len > 0 || call->unanswered) {
    uint32_t len = (uint32_t)response.len;
    put(&call->queue, &len, sizeof len);
    put(&call->queue, response.ptr, response.len);
    call->unanswered = false;
  }
  pubsub_buf_clear(&response);
}

/* ---- delivering ---- */

static void end_stream(struct pubsub_call *call, enum pubsub_status status) {
  struct pubsub_error result = {.status = status};
  const struct pubsub_call_handler *handler = call->handler;
  void *user = call->user;
  if (status == PUBSUB_E_GRPC) {
    pubsub_error_set_grpc(&result, PUBSUB_GRPC_UNAVAILABLE, "as drawn");
  }
  pubsub_call_cancel(call);
  handler->on_closed(user, &result, (struct pubsub_view){0});
}

/* A piece of what is queued, as far as the window allows. False: the stream is gone, or there is
 * nothing to deliver. */
static bool deliver(struct pubsub_call *call) {
  uint32_t len;
  if (call->left == 0) {
    if (call->queue.len - call->sent < sizeof len || call->window < 5) return false;
    memcpy(&len, call->queue.ptr + call->sent, sizeof len);
    call->sent += sizeof len;
    call->left = len;
    call->window -= 5;
    call->ending = virtual_happens(service.faults.stream_ends);
    if (call->handler->on_message_begin(call->user, len) != PUBSUB_OK) abort();
    if (len == 0) call->handler->on_message_end(call->user);
    return true;
  }
  size_t piece = virtual_draw(1, 64 * 1024);
  if (piece > call->left) piece = call->left;
  if (piece > call->window) piece = call->window;
  if (piece == 0) return false;
  call->window -= piece;
  call->left -= piece;
  call->sent += piece;
  bool whole = call->left == 0;
  if (call->handler->on_message_data(call->user, call->queue.ptr + call->sent - piece, piece) !=
      PUBSUB_OK) {
    abort();
  }
  if (!whole) return true;
  if (call->handler->on_message_end(call->user) != PUBSUB_OK) abort();
  return true;
}

static void on_pump(struct pubsub_timer *timer) {
  struct pubsub_call *call = PUBSUB_CONTAINER_OF(timer, struct pubsub_call, pump);
  if (!call->opened) return;
  fill(call);
  bool moved = deliver(call);
  if (call->sent == call->queue.len) call->queue.len = call->sent = 0;
  if (call->left == 0 && call->ending) {
    end_stream(call, PUBSUB_E_GRPC);
  } else if (call->half_closed && call->left == 0 && call->queue.len == call->sent) {
    end_stream(call, PUBSUB_OK);
  } else if (moved) {
    pump_soon(call, virtual_draw(0, 300));
  }
}

/* ---- grpc/channel.h, as far as src/sub uses it ---- */

struct pubsub_loop *pubsub_channel_loop(const struct pubsub_channel *channel) {
  (void)channel;
  return virtual_loop();
}

bool pubsub_channel_is_plaintext(const struct pubsub_channel *channel) {
  (void)channel;
  return true;
}

uint32_t pubsub_channel_keepalive_ms(const struct pubsub_channel *channel) {
  (void)channel;
  return 30000;
}

enum pubsub_status pubsub_call_start(struct pubsub_channel *channel,
                                     const struct pubsub_call_options *options,
                                     const struct pubsub_call_handler *handler, void *user,
                                     struct pubsub_call **out, struct pubsub_error *error) {
  struct pubsub_call *call = pubsub_alloc_zero(1, sizeof *call);
  (void)channel;
  (void)options;
  (void)error;
  if (!call) return PUBSUB_E_NOMEM;
  call->handler = handler;
  call->user = user;
  call->window = 65535;
  call->pump.run = on_pump;
  pubsub_list_push_back(&service.streams, &call->link);
  *out = call;
  return PUBSUB_OK;
}

static void read_first(struct pubsub_call *call, struct pubsub_view request) {
  const uint8_t *ptr = request.ptr, *end = ptr + request.len;
  struct pubsub_wire_field field;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (field.tag == 5 << 3) call->deadline_us = field.number * 1000000;
    if (field.tag == 7 << 3) call->max_rows = field.number;
    if (field.tag == 8 << 3) call->max_bytes = field.number;
  }
  call->opened = true;
}

enum pubsub_status pubsub_call_send(struct pubsub_call *call,
                                    const struct pubsub_segment *take_segments, size_t count,
                                    bool end) {
  for (size_t i = 0; i < count; i++) {
    struct pubsub_view request = pubsub_view_of(take_segments[i].ptr, take_segments[i].len);
    if (!call->opened) {
      read_first(call, request);
    } else {
      call->unanswered = true; /* a keepalive */
    }
    if (take_segments[i].release) take_segments[i].release(take_segments[i].owner);
  }
  call->half_closed = end;
  pump_soon(call, virtual_draw(0, service.faults.delay_us));
  return PUBSUB_OK;
}

size_t pubsub_call_queued_bytes(const struct pubsub_call *call) {
  (void)call;
  return 0;
}

void pubsub_call_consume(struct pubsub_call *call, size_t bytes) {
  call->window += bytes;
  pump_soon(call, virtual_draw(0, 1000));
}

void pubsub_call_set_window(struct pubsub_call *call, uint32_t bytes) {
  call->window = bytes;
}

void pubsub_call_cancel(struct pubsub_call *call) {
  for (uint32_t i = 0; i < service.count; i++) {
    if (service.messages[i].stream == call) service.messages[i].stream = NULL; /* still leased */
  }
  pubsub_loop_timer_cancel(virtual_loop(), &call->pump);
  pubsub_list_remove(&call->link);
  pubsub_buf_clear(&call->queue);
  pubsub_free(call);
}

/* ---- grpc/unary.h ---- */

struct pubsub_unary {
  pubsub_unary_done_fn *on_done;
  void *user;
  bool acknowledge;
  struct pubsub_buf request;
  struct pubsub_timer timer;
};

/* NULL: the service cannot read it, or does not know it any more. */
static struct service_message *find(struct pubsub_view id, uint64_t *out_number) {
  char text[ID_BYTES + 1] = {0};
  unsigned attempt;
  if (id.len > ID_BYTES) abort();
  memcpy(text, id.ptr, id.len);
  if (sscanf(text, "id-%" SCNu64 "-%u", out_number, &attempt) != 2) return NULL;
  return &service.messages[*out_number - 1];
}

static void settle(struct pubsub_unary *unary, struct pubsub_view id, uint64_t deadline_s) {
  uint64_t number;
  struct service_message *message = find(id, &number);
  if (!message || message->acked) return;
  if (unary->acknowledge) {
    service.counts.early += !message->committed;
    service.counts.acked++;
    take_back(message);
    message->acked = true;
  } else if (!message->lent) {
    return;
  } else if (deadline_s == 0) {
    service.counts.nacked++;
    make_ready(number);
  } else {
    message->due_us = virtual_now_us() + deadline_s * 1000000;
  }
}

static bool has_bad_id(struct pubsub_view request, uint64_t id_tag) {
  const uint8_t *ptr = request.ptr, *end = ptr + request.len;
  struct pubsub_wire_field field;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (field.tag == id_tag && field.value.len > 3 && memcmp(field.value.ptr, "bad", 3) == 0) {
      return true;
    }
  }
  return false;
}

static void apply(struct pubsub_unary *unary) {
  const uint8_t *ptr = unary->request.ptr, *end = ptr + unary->request.len;
  uint64_t id_tag = unary->acknowledge ? 2 << 3 | 2 : 4 << 3 | 2, deadline_s = 0;
  struct pubsub_wire_field field;
  for (int turn = 0; turn < 2; turn++) { /* the deadline may stand behind the ids */
    for (ptr = unary->request.ptr; ptr && ptr < end;) {
      ptr = pubsub_wire_field_read(ptr, end, &field);
      if (!unary->acknowledge && field.tag == 3 << 3) deadline_s = field.number;
      if (turn == 1 && field.tag == id_tag) settle(unary, field.value, deadline_s);
    }
  }
  pump_all();
}

static void on_call(struct pubsub_timer *timer) {
  struct pubsub_unary *unary = PUBSUB_CONTAINER_OF(timer, struct pubsub_unary, timer);
  struct pubsub_error result = {0};
  uint64_t id_tag = unary->acknowledge ? 2 << 3 | 2 : 4 << 3 | 2;
  service.counts.calls++;
  if (has_bad_id(pubsub_view_of(unary->request.ptr, unary->request.len), id_tag)) {
    service.counts.refused_calls++;
    pubsub_error_set_grpc(&result, PUBSUB_GRPC_INVALID_ARGUMENT, "an ack id is malformed");
  } else if (virtual_happens(service.faults.call_fails)) {
    if (virtual_happens(0.5)) apply(unary); /* the answer alone was lost */
    pubsub_error_set_grpc(&result, PUBSUB_GRPC_UNAVAILABLE, "as drawn");
  } else {
    apply(unary);
  }
  unary->on_done(unary->user, &result, (struct pubsub_view){0}, (struct pubsub_view){0});
  pubsub_unary_cancel(unary);
}

enum pubsub_status pubsub_unary_start(struct pubsub_channel *channel,
                                      const struct pubsub_call_options *options,
                                      const struct pubsub_segment *take_segments, size_t count,
                                      pubsub_unary_done_fn *on_done, void *user,
                                      struct pubsub_unary **out, struct pubsub_error *error) {
  struct pubsub_unary *unary = pubsub_alloc_zero(1, sizeof *unary);
  (void)channel;
  (void)error;
  if (!unary) return PUBSUB_E_NOMEM;
  unary->on_done = on_done;
  unary->user = user;
  unary->acknowledge = strstr(options->method, "Acknowledge") != NULL;
  unary->timer.run = on_call;
  for (size_t i = 0; i < count; i++) {
    put(&unary->request, take_segments[i].ptr, take_segments[i].len);
    if (take_segments[i].release) take_segments[i].release(take_segments[i].owner);
  }
  pubsub_loop_timer_set(virtual_loop(), &unary->timer,
                        virtual_now_us() + virtual_draw(100, service.faults.delay_us + 100));
  *out = unary;
  return PUBSUB_OK;
}

void pubsub_unary_cancel(struct pubsub_unary *unary) {
  pubsub_loop_timer_cancel(virtual_loop(), &unary->timer);
  pubsub_buf_clear(&unary->request);
  pubsub_free(unary);
}

/* ---- the service itself ---- */

void service_start(uint32_t messages, uint64_t smallest, uint64_t largest,
                   const struct service_faults *faults) {
  service = (struct service){.faults = *faults, .count = messages};
  service.messages = calloc(messages, sizeof *service.messages);
  for (uint32_t i = 0; i < messages; i++) {
    service.messages[i].size = virtual_draw(smallest, largest);
    service.messages[i].bad_id = virtual_happens(faults->bad_id);
  }
  pubsub_list_init(&service.streams);
  service.leases.run = on_leases;
  pubsub_loop_timer_set(virtual_loop(), &service.leases, virtual_now_us());
}

void service_end(void) {
  if (!pubsub_list_empty(&service.streams)) abort();
  pubsub_loop_timer_cancel(virtual_loop(), &service.leases);
  free(service.messages);
}

struct pubsub_channel *service_channel(void) {
  return &service.channel;
}

const struct service_counts *service_counts(void) {
  return &service.counts;
}

struct service_message *service_message(uint64_t number) {
  return &service.messages[number - 1];
}

uint32_t service_message_count(void) {
  return service.count;
}

void service_heal(void) {
  service.faults.stream_ends = service.faults.call_fails = 0;
}

uint64_t service_outstanding_rows(void) {
  uint64_t rows = 0;
  for (uint32_t i = 0; i < service.count; i++)
    rows += service.messages[i].lent && !service.messages[i].bad_id;
  return rows;
}
