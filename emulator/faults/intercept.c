#include "faults/intercept.h"

#include "faults/faults.h"
#include "model/broker.h"

/* FNV-1a: tells requests apart in the record. */
static uint64_t hash(struct pubsub_view bytes) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < bytes.len; i++)
    hash = (hash ^ bytes.ptr[i]) * 1099511628211u;
  return hash;
}

static void note(const struct call *call, struct pubsub_view request, int code) {
  struct world *world = &call->broker->world;
  if (!world->record.on) return;
  record_add(&world->record, clock_wall_us(&world->clock), RECORD_FAULT,
             record_name(&world->record, call->method->path), hash(request), (uint32_t)code);
}

/* True: that was it. */
static bool is_disturbed(struct call *call, struct pubsub_view request) {
  static const struct {
    enum fault_kind kind;
    enum disturbance how;
    bool ends;
  } disturbances[] = {{FAULT_RESET, DISTURB_RESET, true},
                      {FAULT_DISCONNECT, DISTURB_CUT, true},
                      {FAULT_GOAWAY, DISTURB_GOAWAY, false}};
  for (size_t i = 0; i < sizeof disturbances / sizeof *disturbances; i++) {
    if (!faults_draw(call->broker->faults, call->method->path, disturbances[i].kind)) continue;
    note(call, request, 0);
    call_disturb(call, disturbances[i].how);
    if (disturbances[i].ends) return true;
  }
  return false;
}

bool intercept(struct call *call, struct pubsub_view request) {
  struct faults *faults = call->broker->faults;
  const char *path = call->method->path;
  const struct fault *fault;
  if (faults->count == 0 || faults_spare(path)) return true;
  if ((fault = faults_draw(faults, path, FAULT_STATUS))) {
    note(call, request, fault->code);
    call_fail(call, fault->code, "%s", fault->message);
    return false;
  }
  if (is_disturbed(call, request)) return false;
  if (call->method->on_half_close) return true; /* a stream holds its deliveries itself */
  if (faults_draw(faults, path, FAULT_STALL)) {
    note(call, request, 0);
    return false;
  }
  if ((fault = faults_draw(faults, path, FAULT_LATENCY))) {
    call_delay(call, fault->us);
    return false;
  }
  return true;
}
