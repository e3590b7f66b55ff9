#include "support/generated.h"

#include "support/fuzz.h"
#include <stdlib.h>

static bool comes_again(const Google__Pubsub__V1__PubsubMessage *message, size_t index) {
  for (size_t i = index + 1; i < message->n_attributes; i++) {
    if (strcmp(message->attributes[i]->key, message->attributes[index]->key) == 0) return true;
  }
  return false;
}

static void copy_attributes(const Google__Pubsub__V1__PubsubMessage *message,
                            struct generated_row *row) {
  row->attributes = fuzz_alloc((message->n_attributes + 1) * sizeof *row->attributes);
  row->received.attributes = row->attributes;
  for (size_t i = 0; i < message->n_attributes; i++) {
    if (comes_again(message, i)) continue;
    row->attributes[row->received.attribute_count++] =
        (struct pubsub_attribute){pubsub_view_str(message->attributes[i]->key),
                                  pubsub_view_str(message->attributes[i]->value)};
  }
}

static int64_t time_us(const Google__Protobuf__Timestamp *time) {
  int64_t us;
  if (!time) return 0;
  if (__builtin_mul_overflow(time->seconds, 1000000, &us) ||
      __builtin_add_overflow(us, time->nanos / 1000, &us)) {
    return time->seconds < 0 ? INT64_MIN : INT64_MAX;
  }
  return us;
}

void generated_row_of(const Google__Pubsub__V1__ReceivedMessage *received,
                      struct generated_row *out) {
  const Google__Pubsub__V1__PubsubMessage *message = received->message;
  *out = (struct generated_row){0};
  out->received.ack_id = pubsub_view_str(received->ack_id);
  out->received.delivery_attempt = received->delivery_attempt;
  if (!message) return;
  out->received.message_id = pubsub_view_str(message->message_id);
  out->received.data = pubsub_view_of(message->data.data, message->data.len);
  out->received.ordering_key = pubsub_view_str(message->ordering_key);
  out->received.publish_time_us = time_us(message->publish_time);
  copy_attributes(message, out);
}

void generated_row_clear(struct generated_row *row) {
  free(row->attributes);
}

static void strip_fields(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  void *member = (char *)message + field->offset;
  if (field->type != PROTOBUF_C_TYPE_MESSAGE) return;
  if (field->label != PROTOBUF_C_LABEL_REPEATED) {
    ProtobufCMessage *one = *(ProtobufCMessage **)member;
    if (one) generated_strip(one);
    return;
  }
  size_t count = *(size_t *)(void *)((char *)message + field->quantifier_offset);
  ProtobufCMessage **all = *(ProtobufCMessage ***)member;
  for (size_t i = 0; i < count; i++)
    generated_strip(all[i]);
}

void generated_strip(ProtobufCMessage *message) {
  for (unsigned i = 0; i < message->n_unknown_fields; i++)
    free(message->unknown_fields[i].data);
  free(message->unknown_fields);
  message->unknown_fields = NULL;
  message->n_unknown_fields = 0;
  for (unsigned i = 0; i < message->descriptor->n_fields; i++)
    strip_fields(message, &message->descriptor->fields[i]);
}
