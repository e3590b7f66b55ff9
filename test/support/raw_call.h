/*
 * A gRPC call without libpubsub: one connection, one unary request, blocking, any path and any
 * bytes. For methods that the library has no function for, and for asking an emulator beside a
 * client under test.
 */
#ifndef TEST_RAW_CALL_H
#define TEST_RAW_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  RAW_LOST = -1,    /* no connection, or it ended before the call did */
  RAW_TIMEOUT = -2, /* neither an answer nor an end */
};

struct raw_answer {
  int status; /* of gRPC, or one of the above */
  size_t len; /* of the message; what does not fit is cut off */
  uint8_t message[8192];
};

/* Where to: an address of this host, with TLS (whose certificate is not looked at) or without. */
struct raw_peer {
  const char *endpoint; /* "127.0.0.1:PORT" */
  bool tls;
};

void raw_call(struct raw_peer peer, const char *path, const uint8_t *request, size_t len,
              int timeout_ms, struct raw_answer *out);
/* The emulator's control endpoint; out->message is the answer's text, NUL-terminated. */
void raw_command(struct raw_peer peer, const char *command, int timeout_ms, struct raw_answer *out);

#endif
