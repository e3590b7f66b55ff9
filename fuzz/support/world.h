/*
 * A world without a kernel: byte streams in memory, a clock that stands until it is moved, and a
 * loop that is run by hand, so that an input always does the same. The linker puts these in the
 * place of pubsub_clock_*, pubsub_rng_seed_random, the dial, the listener, a loop's thread and what
 * waits for one (fuzz/CMakeLists.txt): everything above is the code as it ships.
 *
 * One thread. A target makes a loop, lets the code under test dial or listen, feeds the streams
 * that come of it, and runs turns. Loops that would have a thread of their own are run by the
 * target too; a call that blocks until another thread has done something lets the world go on
 * instead (world_while_waiting), and 50 ms pass at each look.
 */
#ifndef FUZZ_SUPPORT_WORLD_H
#define FUZZ_SUPPORT_WORLD_H

#include "net/dial.h"
#include "net/listener.h"
#include "support/fuzz.h"

struct world_stream {
  struct pubsub_bytestream stream; /* its first member */
  struct pubsub_buf incoming;      /* what the code under test is to read; `at`: so far */
  size_t at;
  size_t piece;    /* so much a read, at most; 0: any */
  bool ended;      /* after `incoming`: the end; otherwise nothing for now */
  bool blocked;    /* writes are not taken */
  size_t outgoing; /* bytes written; the last of them: */
  struct pubsub_buf written;
  unsigned interest;
  bool destroyed; /* by its owner */
};
/* The caller's to free once it is destroyed or its owner is gone. */
struct world_stream *world_stream_new(void);
void world_stream_free(struct world_stream *stream);
void world_stream_feed(struct world_stream *stream, struct pubsub_view bytes);

/* The clock: of now, and forward. */
extern uint64_t world_now_us;
void world_start(void); /* every input starts at the same time */

/* Runs the loop for so many turns; in each, streams that have something for their owner say so. */
void world_run(struct pubsub_loop *loop, struct world_stream *const *streams, size_t count,
               int turns);

/* The loop that was to run on a thread of its own last; NULL: none. */
struct pubsub_loop *world_loop(void);
/* What happens while the code under test waits for another thread. */
void world_while_waiting(void (*turn)(void *user), void *user);

/* What the code under test listens with. */
void world_connect(struct world_stream *stream);
/* Dials not yet answered (0 or 1); with a stream, or with NULL for a failed one. */
bool world_dialling(void);
void world_answer_dial(struct world_stream *stream, const struct pubsub_error *error);

#endif
