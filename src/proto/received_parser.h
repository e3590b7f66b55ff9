/*
 * Parses the pieces of a ReceivedMessage that lie whole in memory. Used by pull_decoder.c for
 * messages in one piece and for the small fields of cut ones. Pure; views point into the input.
 */
#ifndef PUBSUB_PROTO_RECEIVED_PARSER_H
#define PUBSUB_PROTO_RECEIVED_PARSER_H

#include "proto/pull_decoder.h"

/* A message being put together, and the room for its attributes, which is kept from message to
 * message. */
struct pubsub_received_parser {
  struct pubsub_received message;
  struct pubsub_attribute *attributes;
  size_t attribute_count, attribute_cap;
  int64_t seconds, nanos;
  const char *problem; /* what was wrong, after PROTOCOL */
  uint64_t seed;       /* of the hash of attribute keys; 0: none drawn yet */
  uint64_t probes;     /* places of the hash table looked at, ever: the work keys have cost */
};

void pubsub_received_parser_reset(struct pubsub_received_parser *parser);
void pubsub_received_parser_clear(struct pubsub_received_parser *parser); /* frees */
/* One encoded ReceivedMessage. Errors: PROTOCOL, NOMEM. */
enum pubsub_status pubsub_received_parse(struct pubsub_received_parser *parser,
                                         struct pubsub_view encoded);
/* One field of a PubsubMessage other than data, by number; unknown ones are ignored. */
enum pubsub_status pubsub_received_parse_field(struct pubsub_received_parser *parser,
                                               uint32_t field, struct pubsub_view value);
/* Completes `message`: attributes (of duplicate keys the last) and the time. Errors: NOMEM. */
enum pubsub_status pubsub_received_finish(struct pubsub_received_parser *parser);

#endif
