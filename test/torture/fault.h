/*
 * Which call fails. The program is linked with --wrap (wrapped.txt), so that every allocation and
 * every call into sockets, threads and TLS of libpubsub, the emulator, nghttp2, protobuf-c and
 * OpenSSL comes by here first; what ships is linked without. A call fails as it can in the kernel
 * or in the library.
 *
 * Client and emulator live in one process. A thread belongs to the side whose thread started it,
 * and only the side under torture is counted and struck: side_enter says what the calling thread
 * does from now on.
 *
 *   once   the i-th call fails, all others work
 *   on     every call from the i-th on fails, until the scenario asks for recovery
 *   end    … until everything is destroyed
 *
 * Threads: any. Armed and disarmed by the runner's thread, between scenarios.
 */
#ifndef TORTURE_FAULT_H
#define TORTURE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_kind { FAULT_ALLOC, FAULT_CALL, FAULT_KIND_COUNT };
enum fault_mode { FAULT_ONCE, FAULT_ON, FAULT_END, FAULT_MODE_COUNT };
enum side { SIDE_NONE, SIDE_CLIENT, SIDE_SERVER, SIDE_COUNT };

extern const char *const fault_kind_names[], *const fault_mode_names[], *const side_names[];

struct fault_plan {
  enum fault_kind kind;
  enum fault_mode mode;
  enum side side;
  uint64_t i; /* 0: nothing fails, calls are counted */
};

/* Where the first strike of a run hit. */
#define FAULT_FRAMES 14
struct fault_trace {
  int count;
  void *frames[FAULT_FRAMES];
  const char *name; /* of the call */
};

void fault_arm(const struct fault_plan *plan); /* the count starts at 0 */
void fault_disarm(void);
uint64_t fault_count(void); /* calls since fault_arm, of the plan's kind and side */
bool fault_struck(void);    /* since fault_arm */
/* Where the stack of a run's first struck call is kept from now on (memory that outlives a
 * crash). */
void fault_keep_trace(struct fault_trace *trace);
uint32_t fault_trace_hash(const struct fault_trace *trace); /* never 0 */
/* Before the first strike: what unwinding a stack needs to have loaded. */
void fault_warm_up(void);

/* Returns the side before. */
enum side side_enter(enum side side);
enum side side_current(void);

/* Asked by each wrapped call: whether it is to fail. */
bool fault_strikes(enum fault_kind kind, const char *name);

#endif
