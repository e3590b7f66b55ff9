/* A List call: collect the entries, then answer with the page that the request asks for. */
#ifndef EMULATOR_API_LISTS_H
#define EMULATOR_API_LISTS_H

#include "base/map.h"
#include "rpc/call.h"

struct listed {
  const char *name; /* orders the pages; a page's token is its last name */
  void *value;      /* what the response holds: a message or a string */
};

struct listing {
  struct listed *entries;
  size_t count, capacity;
  bool no_memory;
};

void listing_add(struct listing *listing, const char *name, void *value);
/* The entries of a map whose names begin with the prefix. */
void listing_add_all(struct listing *listing, const struct pubsub_map *map, const char *prefix,
                     void *(*value_of)(struct pubsub_map_entry *entry));
/* Answers the call, with field 1 (the entries) and field 2 (the token) of its method's
 * List…Response, and frees the listing. A token without the prefix fails the call with
 * INVALID_ARGUMENT. page_size 0: 1000. */
void listing_reply(struct call *call, struct listing *listing, const char *prefix,
                   int32_t page_size, const char *page_token);

#endif
