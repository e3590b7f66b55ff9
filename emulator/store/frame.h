/*
 * How bytes lie in a file of a store. A head says whose file it is; then frames, one a write:
 *
 *   head   "pubsubst" │ version │ kind │ number │ first frame's number │ seed │ CRC      64 bytes
 *   frame  CRC │ length │ number │ durable │ 8 bytes of zeros │ payload │ zeros up to 8 bytes
 *   …      zeros: room that was reserved
 *
 * Frames are numbered without a gap, across files. `durable` says how far the log was known to be
 * on the disk when the frame was written: a frame that is not whole, and that a later one calls
 * durable, was destroyed; one that none does is what a crash leaves of the last writes. CRCs begin
 * with the store's seed, so that no message's payload is taken for a frame. Pure.
 */
#ifndef EMULATOR_STORE_FRAME_H
#define EMULATOR_STORE_FRAME_H

#include "base/bytes.h"
#include <stdbool.h>

#define HEAD_BYTES ((size_t)64)
#define FRAME_HEAD_BYTES ((size_t)32)
#define STORE_VERSION 1

enum file_kind { FILE_LOG = 1, FILE_CHECKPOINT = 2 };

struct file_head {
  uint32_t kind; /* enum file_kind */
  uint32_t seed;
  uint64_t number;
  uint64_t first; /* the number of its first frame */
};

struct frame {
  uint64_t number, durable;
  struct pubsub_view payload; /* borrowed from the file's bytes */
  size_t end;                 /* offset of what follows */
};

enum frame_state { FRAME_WHOLE, FRAME_NONE /* nothing but zeros to the end */, FRAME_BROKEN };

void file_head_write(const struct file_head *head, uint8_t out[HEAD_BYTES]);
/* NULL: it is good; otherwise what is wrong. */
const char *file_head_read(struct pubsub_view file, struct file_head *out);

/* Bytes of a frame on the disk. */
size_t frame_bytes(size_t payload_bytes);
/* Completes a frame in place: `bytes` is room for the head, then the payload, then room for the
 * padding. */
void frame_seal(uint8_t *bytes, size_t payload_bytes, uint32_t seed, uint64_t number,
                uint64_t durable);
/* The head of a frame whose payload lies in parts. Returns how many zeros pad it: at most 7. */
size_t frame_head_write(uint8_t head[FRAME_HEAD_BYTES], const struct pubsub_view *parts,
                        size_t count, uint32_t seed, uint64_t number, uint64_t durable);
/* At an offset of a file's bytes. WHOLE fills `out`; its number is the caller's to check. */
enum frame_state frame_read(struct pubsub_view file, size_t offset, uint32_t seed,
                            struct frame *out);
/* Whether a whole frame, anywhere from an offset on, says that the frame `number` was durable. */
bool frame_proves(struct pubsub_view file, size_t from, uint32_t seed, uint64_t number);

#endif
