#include "api/confirmation.h"

#include "base/alloc.h"

typedef Google__Pubsub__V1__StreamingPullResponse Response;
typedef Google__Pubsub__V1__StreamingPullResponse__AcknowledgeConfirmation AckConfirmation;
typedef Google__Pubsub__V1__StreamingPullResponse__ModifyAckDeadlineConfirmation ModifyConfirmation;

static char **texts(const struct pubsub_buf *ids, size_t *count) {
  const struct pubsub_view *views = (const struct pubsub_view *)(const void *)ids->ptr;
  *count = ids->len / sizeof *views;
  char **out = pubsub_alloc_zero(*count + 1, sizeof *out);
  if (!out) *count = 0;
  for (size_t i = 0; i < *count; i++)
    out[i] = (char *)(uintptr_t)views[i].ptr; /* NUL-terminated: fields of the unpacked request */
  return out;
}

static enum pubsub_status pack(const Response *response, struct pubsub_buf *out) {
  enum pubsub_status status =
      pubsub_buf_reserve(out, protobuf_c_message_get_packed_size(&response->base));
  if (status != PUBSUB_OK) return status;
  out->len += protobuf_c_message_pack(&response->base, out->ptr + out->len);
  return PUBSUB_OK;
}

enum pubsub_status confirmation_write(const struct outcome *acked, const struct outcome *modified,
                                      struct pubsub_buf *out) {
  Response response = GOOGLE__PUBSUB__V1__STREAMING_PULL_RESPONSE__INIT;
  AckConfirmation ack = GOOGLE__PUBSUB__V1__STREAMING_PULL_RESPONSE__ACKNOWLEDGE_CONFIRMATION__INIT;
  ModifyConfirmation modify =
      GOOGLE__PUBSUB__V1__STREAMING_PULL_RESPONSE__MODIFY_ACK_DEADLINE_CONFIRMATION__INIT;
  ack.ack_ids = texts(&acked->good, &ack.n_ack_ids);
  ack.invalid_ack_ids = texts(&acked->invalid, &ack.n_invalid_ack_ids);
  ack.temporary_failed_ack_ids = texts(&acked->transient, &ack.n_temporary_failed_ack_ids);
  modify.ack_ids = texts(&modified->good, &modify.n_ack_ids);
  modify.invalid_ack_ids = texts(&modified->invalid, &modify.n_invalid_ack_ids);
  modify.temporary_failed_ack_ids = texts(&modified->transient, &modify.n_temporary_failed_ack_ids);
  if (ack.n_ack_ids + ack.n_invalid_ack_ids + ack.n_temporary_failed_ack_ids > 0) {
    response.acknowledge_confirmation = &ack;
  }
  if (modify.n_ack_ids + modify.n_invalid_ack_ids + modify.n_temporary_failed_ack_ids > 0) {
    response.modify_ack_deadline_confirmation = &modify;
  }
  enum pubsub_status status = pack(&response, out);
  char **lists[] = {ack.ack_ids,    ack.invalid_ack_ids,    ack.temporary_failed_ack_ids,
                    modify.ack_ids, modify.invalid_ack_ids, modify.temporary_failed_ack_ids};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    pubsub_free(lists[i]);
  return status;
}
