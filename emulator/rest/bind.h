/*
 * Fills a request message from what stands outside of its body: variables of the path, parameters
 * of the query. Pure.
 */
#ifndef EMULATOR_REST_BIND_H
#define EMULATOR_REST_BIND_H

#include "base/bytes.h"
#include <protobuf-c/protobuf-c.h>

/* Sets a text field ("name", "topic.name"), whatever it was. Errors: INVALID (told), NOMEM. */
enum pubsub_status bind_text(ProtobufCMessage *message, const char *field, const char *value,
                             struct pubsub_error *error);
/* All parameters of a query ("pageSize=5&view=FULL"). Those that every method of Google's has (key,
 * $.xgafv …) change nothing; `alt` must be json, where "json;enum-encoding=int" sets *enum_numbers.
 * `none`: others are refused, for the body is the whole request. Errors: INVALID (told), NOMEM. */
enum pubsub_status bind_query(ProtobufCMessage *message, struct pubsub_view query, bool none,
                              bool *enum_numbers, struct pubsub_error *error);

#endif
