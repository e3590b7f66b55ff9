/* Writes the pieces of JSON. Pure. Errors: NOMEM. */
#ifndef EMULATOR_JSON_PRINTER_H
#define EMULATOR_JSON_PRINTER_H

#include "base/bytes.h"

enum pubsub_status json_print(struct pubsub_buf *out, const char *text); /* as it is */
/* Quoted. What is not UTF-8 becomes U+FFFD; what could end a script in a page is escaped. */
enum pubsub_status json_print_string(struct pubsub_buf *out, struct pubsub_view text);
enum pubsub_status json_print_base64(struct pubsub_buf *out, struct pubsub_view bytes);
enum pubsub_status json_print_integer(struct pubsub_buf *out, int64_t number);
/* NaN and the infinities as strings, as protobuf has them. */
enum pubsub_status json_print_double(struct pubsub_buf *out, double number);
/* "ack_deadline_seconds" as "ackDeadlineSeconds", with quotes and colon. */
enum pubsub_status json_print_name(struct pubsub_buf *out, const char *name);

#endif
