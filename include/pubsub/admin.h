/*
 * Administration: the calls that programs need around reading and writing.
 *
 * Each call blocks up to timeout_ms and repeats what may be repeated (UNAVAILABLE, UNKNOWN,
 * ABORTED, a lost connection) until then. A creation that had its effect before its answer was lost
 * shows as ALREADY_EXISTS. Errors: GRPC with the service's code (NOT_FOUND and PERMISSION_DENIED
 * say what to do), TIMEOUT, CONNECT, RESOLVE, TLS, IO, PROTOCOL, NOMEM.
 *
 * Names are full and NUL-terminated: "projects/P", "projects/P/topics/T",
 * "projects/P/subscriptions/S", "projects/P/snapshots/N"; they are borrowed for the call.
 *
 * Threads: any, but not from inside a callback of the library on one of its loops.
 */
#ifndef PUBSUB_ADMIN_H
#define PUBSUB_ADMIN_H

#include <pubsub/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One name of a list, NUL-terminated, borrowed for the call, on the thread of the lister. False: no
 * more are wanted. The client may be called meanwhile. */
typedef bool pubsub_name_fn(void *user, const char *name);

/* ---- topics ---- */

/* Creates, looks for, or deletes a topic. Its subscriptions stay when it is deleted. */
PUBSUB_API enum pubsub_status pubsub_client_create_topic(struct pubsub_client *client,
                                                         const char *topic, uint32_t timeout_ms,
                                                         struct pubsub_error *error);
PUBSUB_API enum pubsub_status pubsub_client_get_topic(struct pubsub_client *client,
                                                      const char *topic, uint32_t timeout_ms,
                                                      struct pubsub_error *error);
PUBSUB_API enum pubsub_status pubsub_client_delete_topic(struct pubsub_client *client,
                                                         const char *topic, uint32_t timeout_ms,
                                                         struct pubsub_error *error);
/* Tells every topic of "projects/P", page by page; timeout_ms is of each page. */
PUBSUB_API enum pubsub_status pubsub_client_list_topics(struct pubsub_client *client,
                                                        const char *project,
                                                        pubsub_name_fn *on_name, void *user,
                                                        uint32_t timeout_ms,
                                                        struct pubsub_error *error);

/* ---- subscriptions ---- */

/* What a subscription is; strings are NUL-terminated. */
struct pubsub_subscription_info {
  /* full name; "_deleted-topic_" where the topic is gone */
  char topic[512];
  /* of Pull and of streams that ask for none, 10..600; 0: the service's 10 */
  uint32_t ack_deadline_s;
  /* exactly-once delivery */
  bool exactly_once;
  /* messages with an ordering key come in their order; set at its creation */
  bool ordering;
  /* acknowledged messages are kept too, for retention_s, so that a seek can bring them back */
  bool retain_acked;
  /* cut off from its topic for good; not read by create and update */
  bool detached;
  /* "": every message */
  char filter[512];
  /* of messages, 600 (10 minutes) to 2678400 (31 days); 0: the service's 7 days */
  uint64_t retention_s;
};

/* Creates a subscription of info->topic. NOT_FOUND means the topic. */
PUBSUB_API enum pubsub_status
pubsub_client_create_subscription(struct pubsub_client *client, const char *subscription,
                                  const struct pubsub_subscription_info *info, uint32_t timeout_ms,
                                  struct pubsub_error *error);
/* Fills *info; NULL when only existence matters. */
PUBSUB_API enum pubsub_status pubsub_client_get_subscription(struct pubsub_client *client,
                                                             const char *subscription,
                                                             struct pubsub_subscription_info *info,
                                                             uint32_t timeout_ms,
                                                             struct pubsub_error *error);

/* What of a subscription can be changed, as bits of a set. */
enum pubsub_subscription_field {
  PUBSUB_SUBSCRIPTION_ACK_DEADLINE = 1 << 0,
  PUBSUB_SUBSCRIPTION_RETENTION = 1 << 1,
  PUBSUB_SUBSCRIPTION_EXACTLY_ONCE = 1 << 2,
  PUBSUB_SUBSCRIPTION_RETAIN_ACKED = 1 << 3,
};
/* Changes the named fields to what info says; the others of info are not read. Errors: also
 * INVALID_ARGUMENT of the service where `fields` is empty. */
PUBSUB_API enum pubsub_status
pubsub_client_update_subscription(struct pubsub_client *client, const char *subscription,
                                  const struct pubsub_subscription_info *info, uint32_t fields,
                                  uint32_t timeout_ms, struct pubsub_error *error);

/* Deletes a subscription with all it holds. */
PUBSUB_API enum pubsub_status pubsub_client_delete_subscription(struct pubsub_client *client,
                                                                const char *subscription,
                                                                uint32_t timeout_ms,
                                                                struct pubsub_error *error);
/* Cuts a subscription off from its topic, for good: what it holds is dropped, it receives nothing
 * more, and reading it fails with FAILED_PRECONDITION. For owners of the topic. */
PUBSUB_API enum pubsub_status pubsub_client_detach_subscription(struct pubsub_client *client,
                                                                const char *subscription,
                                                                uint32_t timeout_ms,
                                                                struct pubsub_error *error);

/* Everything published before time_us (µs since 1970) counts as acknowledged; everything after it
 * that is retained does not, and is delivered again. */
PUBSUB_API enum pubsub_status pubsub_client_seek(struct pubsub_client *client,
                                                 const char *subscription, int64_t time_us,
                                                 uint32_t timeout_ms, struct pubsub_error *error);
/* The same to what was acknowledged when the snapshot was made. It may be of another subscription
 * of the same topic. */
PUBSUB_API enum pubsub_status pubsub_client_seek_to_snapshot(struct pubsub_client *client,
                                                             const char *subscription,
                                                             const char *snapshot,
                                                             uint32_t timeout_ms,
                                                             struct pubsub_error *error);

/* Tells every subscription of a parent, "projects/P" or "projects/P/topics/T", page by page;
 * timeout_ms is of each page. */
PUBSUB_API enum pubsub_status pubsub_client_list_subscriptions(struct pubsub_client *client,
                                                               const char *parent,
                                                               pubsub_name_fn *on_name, void *user,
                                                               uint32_t timeout_ms,
                                                               struct pubsub_error *error);

/* ---- snapshots ---- */

/* Notes what `subscription` has not acknowledged now; kept for 7 days at most. */
PUBSUB_API enum pubsub_status pubsub_client_create_snapshot(struct pubsub_client *client,
                                                            const char *snapshot,
                                                            const char *subscription,
                                                            uint32_t timeout_ms,
                                                            struct pubsub_error *error);
PUBSUB_API enum pubsub_status pubsub_client_delete_snapshot(struct pubsub_client *client,
                                                            const char *snapshot,
                                                            uint32_t timeout_ms,
                                                            struct pubsub_error *error);
/* Tells every snapshot of "projects/P", page by page; timeout_ms is of each page. */
PUBSUB_API enum pubsub_status pubsub_client_list_snapshots(struct pubsub_client *client,
                                                           const char *project,
                                                           pubsub_name_fn *on_name, void *user,
                                                           uint32_t timeout_ms,
                                                           struct pubsub_error *error);

/* ---- permissions ---- */

/* Whether the caller has a permission ("pubsub.subscriptions.consume") on a topic or subscription,
 * as IAM says. */
PUBSUB_API enum pubsub_status pubsub_client_test_permission(struct pubsub_client *client,
                                                            const char *resource,
                                                            const char *permission,
                                                            bool *out_granted, uint32_t timeout_ms,
                                                            struct pubsub_error *error);

#ifdef __cplusplus
}
#endif
#endif
