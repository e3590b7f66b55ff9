/* grpc.health.v1.Health: a service that is served is SERVING, for as long as somebody watches. */
#include "api/methods.h"
#include "api/resources.h"
#include "proto/wire.h"
#include "rpc/descriptors.h"

enum { SERVICE = 1 << 3 | 2 };

/* The one that is asked for is served; none means all. */
static bool is_served(const struct pubsub_buf *request) {
  const uint8_t *ptr = request->ptr, *end = ptr + request->len;
  struct pubsub_view service = {0};
  struct pubsub_wire_field field;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (ptr && field.tag == SERVICE) service = field.value;
  }
  bool served = service.len == 0;
  for (const char *const *name = descriptor_services; *name && !served; name++)
    served = pubsub_view_equal(service, pubsub_view_str(*name));
  return served;
}

static bool write_status(struct pubsub_buf *out, bool served) {
  return pubsub_buf_append(out, served ? "\x08\x01" : "\x08\x03", 2) == PUBSUB_OK;
}

static void check(struct call *call, struct pubsub_buf *take_request) {
  struct pubsub_buf response = {0};
  if (!is_served(take_request)) {
    call_fail(call, PUBSUB_GRPC_NOT_FOUND, "the service is not served here");
  } else if (write_status(&response, true)) {
    call_reply_bytes(call, &response);
  } else {
    fail_no_memory(call);
  }
}

/* What is, once: it does not change while the process lives. */
static void watch(struct call *call, struct pubsub_buf *take_request) {
  struct pubsub_buf response = {0};
  if (!write_status(&response, is_served(take_request))) {
    fail_no_memory(call);
    return;
  }
  struct pubsub_segment segment = pubsub_segment_from_buf(&response);
  call_send(call, &segment, 1);
}

/* The client has said all, and goes on watching. */
static void on_half_close(struct call *call) {
  call_start(call);
}

const struct method health_methods[] = {
    {.path = HEALTH "Check", .on_bytes = check},
    {.path = HEALTH "Watch", .on_bytes = watch, .on_half_close = on_half_close},
    {0}};
