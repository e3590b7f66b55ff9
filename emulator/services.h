/* The Pub/Sub methods, a file a group; server.c puts them into one table. */
#ifndef EMULATOR_SERVICES_H
#define EMULATOR_SERVICES_H

#include "backlog.h"
#include "rpc.h"

/* publish.c */
void publish_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
/* acknowledge.c */
void acknowledge_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void modify_ack_deadline_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
/* pull.c */
void pull_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void pull_on_closed(struct rpc *rpc);
/* Answers waiting pulls as far as there are messages. */
void pull_serve(struct subscription *subscription);
/* stream.c */
void stream_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void stream_on_half_close(struct rpc *rpc);
void stream_on_drained(struct rpc *rpc);
void stream_on_closed(struct rpc *rpc);
void stream_serve(struct subscription *subscription);
/* Ends all streams and pulls of a subscription with a status. */
void stream_end_all(struct subscription *subscription, int grpc_code, const char *message);
void pull_end_all(struct subscription *subscription, int grpc_code, const char *message);
/* topics.c */
void create_topic_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void update_topic_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void get_topic_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void list_topics_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void list_topic_subscriptions_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void list_topic_snapshots_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void delete_topic_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
/* subscriptions.c */
void create_subscription_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void update_subscription_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void detach_subscription_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void get_subscription_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void list_subscriptions_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void delete_subscription_on_message(struct rpc *rpc, struct pubsub_buf *take_request);

void modify_push_config_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
/* A new subscription's messages begin to flow. */
void subscription_start(struct subscription *subscription);
/* preset.c: what the command line asks for. */
enum pubsub_status preset_topic(struct broker *broker, const char *name,
                                struct pubsub_error *error);
enum pubsub_status preset_subscription(struct broker *broker, const char *text,
                                       struct pubsub_error *error);
/* snapshots.c */
void create_snapshot_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void update_snapshot_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void get_snapshot_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void list_snapshots_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void delete_snapshot_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
/* seek.c */
void seek_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
/* iam.c */
void get_iam_policy_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void set_iam_policy_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void test_iam_permissions_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void iam_clear(struct broker *broker);
/* schemas.c */
void create_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void get_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void list_schemas_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void delete_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void list_schema_revisions_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void commit_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void rollback_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void delete_schema_revision_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void validate_schema_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void validate_message_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void schemas_clear(struct broker *broker);
/* control.c */
void control_command_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void control_record_on_message(struct rpc *rpc, struct pubsub_buf *take_request);
void control_record_on_drained(struct rpc *rpc);
void control_record_on_closed(struct rpc *rpc);

/* reply.c: what the methods share. */
/* Unpacks, or fails the call with INVALID_ARGUMENT and returns NULL. */
void *unpack_request(struct rpc *rpc, const ProtobufCMessageDescriptor *descriptor,
                     const struct pubsub_buf *request);
void reply_message(struct rpc *rpc, const ProtobufCMessage *message);
void reply_empty(struct rpc *rpc);
/* The subscription, or NULL after failing the call with NOT_FOUND. */
struct subscription *require_subscription(struct rpc *rpc, const char *name);
struct topic *require_topic(struct rpc *rpc, const char *name);
/* "projects/P/<kind>/NAME" with a permitted NAME; otherwise fails the call. */
bool require_name(struct rpc *rpc, const char *name, const char *kind);
bool name_is_good(const char *name, const char *kind);

/* received.c: ReceivedMessage as bytes. */
size_t received_bytes(const struct subscription *subscription, const struct message *message);
uint8_t *received_write(const struct subscription *subscription, const struct message *message,
                        uint8_t *out);

#endif
