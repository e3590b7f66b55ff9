/*
 * Bytes on their way to the kernel, in order: a ring of segments, and an arena for the heads of
 * frames and small frames. Pure: flush.c fills it from nghttp2 and hands it to the byte stream.
 *
 * A segment may go out in several pieces (its stream's window, the size of a frame). Only the last
 * piece carries the owner. Where a stream ends in between, the owner follows as an empty piece, so
 * that what is under way stays valid; the place for it is held from the first piece on, because
 * that end cannot fail.
 */
#ifndef PUBSUB_H2_OUTPUT_H
#define PUBSUB_H2_OUTPUT_H

#include "base/bytes.h"
#include <sys/uio.h>

/* Zeroed: empty. */
struct pubsub_h2_output {
  struct pubsub_segment *pieces; /* ring: first .. first + count */
  size_t first, count, cap;      /* cap: power of two, above count + held */
  size_t offset;                 /* of pieces[first] already written */
  size_t bytes;                  /* left to write */
  uint8_t *arena;                /* reused once everything is written */
  size_t arena_used;
  size_t held; /* places kept free */
};

/* Errors: NOMEM, and then nothing has changed. */
enum pubsub_status pubsub_h2_output_copy(struct pubsub_h2_output *output, const uint8_t *ptr,
                                         size_t len);
enum pubsub_status pubsub_h2_output_add(struct pubsub_h2_output *output,
                                        struct pubsub_segment take_piece);

/* After the first piece of a segment was added without its owner: keeps a place free for it. */
void pubsub_h2_output_hold(struct pubsub_h2_output *output);
/* Gives that place up: the owner went along with the last piece. */
void pubsub_h2_output_release(struct pubsub_h2_output *output);
/* Puts the owner alone into that place: released when what was added before has been written. */
void pubsub_h2_output_keep(struct pubsub_h2_output *output, struct pubsub_segment take_owner);

/* What to write next, in at most `max` parts; *out_bytes: their sum. Valid until the next
 * change. */
int pubsub_h2_output_parts(const struct pubsub_h2_output *output, struct iovec *parts, int max,
                           size_t *out_bytes);
/* So many bytes are written: releases what nobody needs any more. */
void pubsub_h2_output_written(struct pubsub_h2_output *output, size_t bytes);
void pubsub_h2_output_clear(struct pubsub_h2_output *output); /* releases all, frees */

#endif
