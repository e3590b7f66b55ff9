/*
 * One HTTP/1.1 request on a connection of its own: dials (proxy and TLS as it must), sends the
 * bytes, reads the answer, closes. Loop thread only. Used for tokens, and for
 * what the emulator pushes: answers are small.
 *
 *   dialling ── stream ─▶ sending ── all sent ─▶ reading ── whole ─▶ done
 *       └── error ───────────┴── error ─────────────┴── error, or the timer ─▶ failed
 */
#ifndef PUBSUB_AUTH_HTTP_CALL_H
#define PUBSUB_AUTH_HTTP_CALL_H

#include "auth/http_answer.h"
#include "auth/url.h"
#include "net/dial.h"
#include "net/proxy.h"

struct pubsub_http_call;
struct pubsub_http_call_options {
  const struct pubsub_url *url;
  struct pubsub_tls_context *tls;   /* of HTTP/1.1; for an https URL; outlives the call */
  const struct pubsub_proxy *proxy; /* NULL: direct; outlives the call */
  uint32_t timeout_ms;              /* of the whole */
  bool ends_at_102;                 /* http_answer.h */
};
/* Once, later: with the answer (borrowed), or with an error and answer NULL. The call is freed when
 * it returns. */
typedef void pubsub_http_call_done_fn(void *user, const struct pubsub_http_answer *answer,
                                      const struct pubsub_error *error);
/* Takes the request's bytes on OK, and wipes them when they are sent. */
enum pubsub_status
pubsub_http_call_start(struct pubsub_loop *loop, const struct pubsub_http_call_options *options,
                       struct pubsub_buf *take_request, pubsub_http_call_done_fn *on_done,
                       void *user, struct pubsub_http_call **out, struct pubsub_error *error);
void pubsub_http_call_cancel(struct pubsub_http_call *call); /* on_done is not called */

#endif
