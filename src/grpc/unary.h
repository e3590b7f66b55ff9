/* A call with one request and one response, collected whole. Loop thread only. */
#ifndef PUBSUB_GRPC_UNARY_H
#define PUBSUB_GRPC_UNARY_H

#include "grpc/channel.h"

struct pubsub_unary;
/* Once, later; response and details are borrowed for the call (response: a NULL view on an error).
 * The unary is freed when this returns. */
typedef void pubsub_unary_done_fn(void *user, const struct pubsub_error *result,
                                  struct pubsub_view response, struct pubsub_view details);
/* Takes the segments on OK. Errors: NOMEM. */
enum pubsub_status pubsub_unary_start(struct pubsub_channel *channel,
                                      const struct pubsub_call_options *options,
                                      const struct pubsub_segment *take_segments, size_t count,
                                      pubsub_unary_done_fn *on_done, void *user,
                                      struct pubsub_unary **out, struct pubsub_error *error);
/* on_done is not called; freed. */
void pubsub_unary_cancel(struct pubsub_unary *unary);

#endif
