#include "api/lists.h"

#include "api/resources.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX 1000

void listing_add(struct listing *listing, const char *name, void *value) {
  if (listing->count == listing->capacity) {
    size_t capacity = listing->capacity ? 2 * listing->capacity : 64;
    void *entries = pubsub_realloc(listing->entries, capacity * sizeof *listing->entries);
    if (!entries) {
      listing->no_memory = true;
      return;
    }
    listing->entries = entries;
    listing->capacity = capacity;
  }
  listing->entries[listing->count++] = (struct listed){name, value};
}

void listing_add_all(struct listing *listing, const struct pubsub_map *map, const char *prefix,
                     void *(*value_of)(struct pubsub_map_entry *entry)) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(map, &it))) {
    const char *name = (const char *)entry->key.ptr; /* NUL-terminated: a field of the config */
    if (strncmp(name, prefix, strlen(prefix)) == 0) listing_add(listing, name, value_of(entry));
  }
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

static void *field_of(ProtobufCMessage *message, unsigned offset) {
  return (uint8_t *)message + offset;
}

/* The page, as a message whose fields borrow from the listing. */
static void reply_page(struct call *call, const struct listed *page, size_t count, bool more) {
  const ProtobufCMessageDescriptor *descriptor = call->method->response;
  const ProtobufCFieldDescriptor *entries = protobuf_c_message_descriptor_get_field(descriptor, 1);
  const ProtobufCFieldDescriptor *token = protobuf_c_message_descriptor_get_field(descriptor, 2);
  ProtobufCMessage *message = pubsub_alloc_zero(1, descriptor->sizeof_message);
  void **values = pubsub_alloc_zero(count + 1, sizeof *values);
  if (message && values) {
    protobuf_c_message_init(descriptor, message);
    for (size_t i = 0; i < count; i++)
      values[i] = page[i].value;
    memcpy(field_of(message, entries->quantifier_offset), &count, sizeof count);
    memcpy(field_of(message, entries->offset), &values, sizeof values);
    if (more) memcpy(field_of(message, token->offset), &page[count - 1].name, sizeof(char *));
    call_reply(call, message);
  } else {
    fail_no_memory(call);
  }
  pubsub_free(values);
  pubsub_free(message);
}

void listing_reply(struct call *call, struct listing *listing, const char *prefix,
                   int32_t page_size, const char *page_token) {
  size_t limit = page_size > 0 && page_size < PAGE_MAX ? (size_t)page_size : PAGE_MAX;
  size_t first = 0;
  if (listing->no_memory) {
    fail_no_memory(call);
  } else if (page_token[0] && strncmp(page_token, prefix, strlen(prefix)) != 0) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "You have passed an invalid page token.");
  } else if (page_size < 0) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "The page size must not be negative.");
  } else {
    if (listing->count > 1) {
      qsort(listing->entries, listing->count, sizeof *listing->entries, by_name);
    }
    while (page_token[0] && first < listing->count &&
           strcmp(listing->entries[first].name, page_token) <= 0)
      first++;
    size_t left = listing->count - first;
    reply_page(call, listing->entries + first, left < limit ? left : limit, left > limit);
  }
  pubsub_free(listing->entries);
}
