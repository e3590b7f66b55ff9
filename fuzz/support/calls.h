/*
 * The server's view of a client's HTTP/2: which calls there are, by the frames that the client has
 * written. For targets whose server answers calls that it knows, now and then well.
 */
#ifndef FUZZ_SUPPORT_CALLS_H
#define FUZZ_SUPPORT_CALLS_H

#include "support/fuzz.h"
#include <nghttp2/nghttp2.h>

#define CALLS_MAX 16

struct calls {
  nghttp2_hd_inflater *inflater;
  size_t preface; /* bytes of it that were seen */
  struct call {
    uint32_t stream;
    char path[80];
    bool answered; /* headers were sent */
  } open[CALLS_MAX];
  size_t count;
};
void calls_init(struct calls *calls);
void calls_clear(struct calls *calls);
/* Takes the whole frames out of what a client has written, and learns its calls. */
void calls_read(struct calls *calls, struct pubsub_buf *written);
void calls_end(struct calls *calls, size_t index);

#endif
