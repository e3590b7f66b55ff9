#include "grpc/routing.h"

#include "base/alloc.h"

static bool is_unreserved(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

char *pubsub_routing_header(const char *field, struct pubsub_view name) {
  static const char hex[] = "0123456789ABCDEF";
  size_t field_len = strlen(field);
  char *text = pubsub_alloc(field_len + 1 + name.len * 3 + 1), *out = text;
  if (!text) return NULL;
  memcpy(out, field, field_len);
  out += field_len;
  *out++ = '=';
  for (size_t i = 0; i < name.len; i++) {
    uint8_t c = name.ptr[i];
    if (is_unreserved(c)) {
      *out++ = (char)c;
    } else {
      *out++ = '%';
      *out++ = hex[c >> 4];
      *out++ = hex[c & 15];
    }
  }
  *out = '\0';
  return text;
}
