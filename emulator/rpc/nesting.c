#include "rpc/nesting.h"

#include "proto/wire.h"

/* The message that a field holds. NULL: it holds none. */
static const ProtobufCMessageDescriptor *message_of(const ProtobufCMessageDescriptor *descriptor,
                                                    uint64_t tag) {
  if ((tag & 7) != 2 || tag >> 3 > UINT32_MAX) return NULL;
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));
  return field && field->type == PROTOBUF_C_TYPE_MESSAGE ? field->descriptor : NULL;
}

static bool is_within(const ProtobufCMessageDescriptor *descriptor, struct pubsub_view bytes,
                      int levels) {
  const uint8_t *ptr = bytes.ptr, *end = ptr + bytes.len;
  struct pubsub_wire_field field;
  if (levels == 0) return false;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    const ProtobufCMessageDescriptor *inner = ptr ? message_of(descriptor, field.tag) : NULL;
    if (inner && !is_within(inner, field.value, levels - 1)) return false;
  }
  return true;
}

bool nesting_is_bounded(const ProtobufCMessageDescriptor *descriptor, struct pubsub_view bytes) {
  return is_within(descriptor, bytes, NESTING_MOST);
}
