#include "fault.h"

#include <execinfo.h>
#include <stdatomic.h>

const char *const fault_kind_names[] = {"alloc", "call"};
const char *const fault_mode_names[] = {"once", "on", "end"};
const char *const side_names[] = {"none", "client", "emulator"};

static struct fault_plan armed;
static atomic_bool is_armed, struck;
static atomic_uint_fast64_t counted;
static struct fault_trace own, *where = &own;
static _Thread_local enum side current_side;

void fault_arm(const struct fault_plan *plan) {
  armed = *plan;
  where->count = 0;
  atomic_store(&struck, false);
  atomic_store(&counted, 0);
  atomic_store(&is_armed, true);
}

void fault_disarm(void) {
  atomic_store(&is_armed, false);
}

uint64_t fault_count(void) {
  return atomic_load(&counted);
}

bool fault_struck(void) {
  return atomic_load(&struck);
}

void fault_keep_trace(struct fault_trace *trace) {
  where = trace;
}

uint32_t fault_trace_hash(const struct fault_trace *trace) {
  uint32_t hash = 2166136261u;
  for (int i = 0; i < trace->count; i++)
    hash = (hash ^ (uint32_t)(uintptr_t)trace->frames[i]) * 16777619u;
  return hash ? hash : 1;
}

void fault_warm_up(void) {
  void *frames[4];
  backtrace(frames, 4);
}

enum side side_enter(enum side side) {
  enum side before = current_side;
  current_side = side;
  return before;
}

enum side side_current(void) {
  return current_side;
}

static void remember(const char *name) {
  if (atomic_exchange(&struck, true)) return;
  enum side side = side_enter(SIDE_NONE);
  where->name = name;
  where->count = backtrace(where->frames, FAULT_FRAMES);
  side_enter(side);
}

bool fault_strikes(enum fault_kind kind, const char *name) {
  if (!atomic_load_explicit(&is_armed, memory_order_acquire)) return false;
  if (current_side != armed.side || kind != armed.kind) return false;
  uint64_t n = atomic_fetch_add(&counted, 1) + 1;
  if (armed.i == 0 || n < armed.i || (armed.mode == FAULT_ONCE && n > armed.i)) return false;
  remember(name);
  return true;
}
