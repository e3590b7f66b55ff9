/*
 * The ids of a confirmed Publish request: reads them from the service's answer, sees that there is
 * one for each message, and tells them with their messages' numbers. Pure; used by sender.c, once a
 * request.
 */
#ifndef PUBSUB_PUB_PUBLISH_IDS_H
#define PUBSUB_PUB_PUBLISH_IDS_H

#include "pub/publish_request.h"
#include <pubsub/publisher.h>

/* `response`: an encoded PublishResponse, borrowed, like the ids that are told. on_ids NULL: they
 * are counted alone. Errors: PROTOCOL (not as many ids as messages, or no such answer), NOMEM;
 * nobody was told then, and the request can be sent again. */
enum pubsub_status pubsub_publish_ids_tell(const struct pubsub_publish_request *request,
                                           struct pubsub_view response,
                                           pubsub_publish_ids_fn *on_ids, void *user,
                                           struct pubsub_error *error);

#endif
