/* grpc.health.v1.Health/Check: SERVING. */
#include "api/methods.h"

#include <pubsub/error.h>

static void check(struct call *call, struct pubsub_buf *take_request) {
  struct pubsub_buf response = {0};
  (void)take_request;
  if (pubsub_buf_append(&response, "\x08\x01", 2) == PUBSUB_OK) {
    call_reply_bytes(call, &response);
  } else {
    call_fail(call, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
  }
}

const struct method health_methods[] = {{.path = HEALTH "Check", .on_bytes = check}, {0}};
