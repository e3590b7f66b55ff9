/*
 * pubsub-emulator as a library: a server of the Pub/Sub API inside a program, for its tests.
 *
 * It listens on a port of loopback, or on a socket that the caller has made, and runs on a thread
 * of its own. Several may run at once. It prints nothing but warnings on standard error (of an
 * endpoint that is not pushed to). Link libpubsub-emulator beside libpubsub, or alone.
 */
#ifndef PUBSUB_EMULATOR_H
#define PUBSUB_EMULATOR_H

#include <pubsub/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A running emulator. */
struct pubsub_emulator;

/* How it is started; zero-initialised is a free port of 127.0.0.1, with everything in memory. All
 * texts are borrowed until the start returns. */
struct pubsub_emulator_options {
  const char *address;       /* numeric; NULL: 127.0.0.1 */
  uint16_t port;             /* 0: a free one */
  int listen_fd;             /* a listening TCP socket instead of both, duplicated; 0: none */
  const char *data_dir;      /* keeps everything there; NULL: nothing is written */
  bool sync_interval;        /* waits for the disk once a second, not before every answer */
  const char *config;        /* a file: what it is to hold at first; NULL: nothing */
  const char *require_token; /* calls must carry it; a file that holds it, or itself; NULL: none */
  bool record;               /* records what happens from the start on */
  bool push_anywhere;        /* pushes to endpoints of other hosts too */
  uint64_t seed;             /* of the probabilities of faults */
};

/* Starts one. When it returns OK calls are answered; *out is the caller's, to stop. Any thread.
 * Errors: INVALID (an option, a file's content), IO (the port is taken, the folder is in use or
 * damaged), NOMEM. */
PUBSUB_API enum pubsub_status pubsub_emulator_start(const struct pubsub_emulator_options *options,
                                                    struct pubsub_emulator **out,
                                                    struct pubsub_error *error);

/* The port that it listens on. Any thread. */
PUBSUB_API uint16_t pubsub_emulator_port(const struct pubsub_emulator *emulator);

/* Runs a command of the control endpoint ("fault …", "advance 10m", "stats") and writes its answer
 * into `out`, cut to out_bytes with its NUL; out_bytes 0: it is dropped. Blocks until it has run;
 * any thread but the emulator's. Errors: INVALID (it was refused), NOMEM. */
PUBSUB_API enum pubsub_status pubsub_emulator_control(struct pubsub_emulator *emulator,
                                                      const char *command, char *out,
                                                      size_t out_bytes, struct pubsub_error *error);

/* Ends every connection, keeps what is to be kept, frees it. NULL: nothing to do. Blocks until its
 * thread has ended. */
PUBSUB_API void pubsub_emulator_stop(struct pubsub_emulator *emulator);

#ifdef __cplusplus
}
#endif

#endif
