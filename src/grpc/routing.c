#include "grpc/routing.h"

#include "base/alloc.h"
#include "base/text.h"

char *pubsub_routing_header(const char *field, struct pubsub_view name) {
  size_t field_len = strlen(field);
  char *text = pubsub_alloc(field_len + 1 + name.len * 3 + 1);
  if (!text) return NULL;
  memcpy(text, field, field_len);
  text[field_len] = '=';
  size_t len = field_len + 1 + pubsub_percent_encode(name, text + field_len + 1);
  text[len] = '\0';
  return text;
}
