/*
 * Faults on demand: rules that make the server misbehave, drawn with a seeded generator so that a
 * run can be repeated.
 *
 *   METHOD KIND[=VALUE] [probability=P] [count=N] [after=N]
 *
 * METHOD is the last part of a method's path, or *. A rule applies with its probability (default 1)
 * to calls (or messages) after the first `after`, at most `count` times.
 */
#ifndef EMULATOR_FAULTS_FAULTS_H
#define EMULATOR_FAULTS_FAULTS_H

#include "base/bytes.h"
#include "base/rng.h"

/*
 *   status=UNAVAILABLE[:message]  the call fails
 *   latency=200ms                 answered (a stream: served) later
 *   stall                         never answered, never served
 *   reset                         RST_STREAM, INTERNAL_ERROR
 *   goaway                        the connection takes no more calls
 *   disconnect                    the connection is cut
 *   drop-acks                     a request's acknowledgements are lost
 *   transient-acks                exactly-once: outcomes that ask for a retry
 *   duplicate                     a message is delivered twice
 *   expire[=100ms]                a lease ends long before its deadline
 *   silent                        a stream's keepalives are not answered
 *   late-headers                  a stream's headers come with its first message
 *   lifetime=30s                  a stream is closed with UNAVAILABLE after it
 *   deny                          TestIamPermissions grants nothing
 */
enum fault_kind {
  FAULT_STATUS,
  FAULT_LATENCY,
  FAULT_STALL,
  FAULT_RESET,
  FAULT_GOAWAY,
  FAULT_DISCONNECT,
  FAULT_DROP_ACKS,
  FAULT_TRANSIENT_ACKS,
  FAULT_DUPLICATE,
  FAULT_EXPIRE,
  FAULT_SILENT,
  FAULT_LATE_HEADERS,
  FAULT_LIFETIME,
  FAULT_DENY,
  FAULT_KINDS
};

struct fault {
  enum fault_kind kind;
  char method[48], message[160];
  double probability;
  uint64_t after, count;
  uint64_t seen, hits;
  uint64_t us; /* latency, lifetime, lease */
  int code;    /* gRPC status */
};

struct faults {
  struct pubsub_rng rng;
  struct fault *rules;
  size_t count;
};

void faults_init(struct faults *faults, uint64_t seed);
/* A whole number of 64 bits, written in digits; out is untouched where it is none. */
bool faults_parse_seed(const char *text, uint64_t *out);
void faults_clear(struct faults *faults);
/* Adds a rule. Errors: INVALID (told), NOMEM. */
enum pubsub_status faults_add(struct faults *faults, const char *text, struct pubsub_error *error);
/* The rule of this kind that strikes now, or NULL. */
const struct fault *faults_draw(struct faults *faults, const char *path, enum fault_kind kind);
/* Whether a method is never struck: the control endpoint's, by which a test ends its faults. */
bool faults_spare(const char *path);
/* "UNAVAILABLE" or "14". -1: neither. */
int faults_status_code(const char *text);
/* One line a rule. */
enum pubsub_status faults_describe(const struct faults *faults, struct pubsub_buf *out);

#endif
