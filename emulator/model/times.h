/*
 * Durations and timestamps: of requests (which rpc/ has checked), and of commands, as people write
 * them. As µs they never overflow. Pure.
 */
#ifndef EMULATOR_MODEL_TIMES_H
#define EMULATOR_MODEL_TIMES_H

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include <stdbool.h>
#include <stdint.h>

/* The longest duration of a command, and how far the virtual clock may be ahead: 100 years. */
#define TIMES_MOST_US (INT64_C(36525) * 86400 * 1000000)

/* NULL: `otherwise`. Held within what an int64_t takes. */
int64_t times_duration_us(const Google__Protobuf__Duration *duration, int64_t otherwise);
int64_t times_timestamp_us(const Google__Protobuf__Timestamp *timestamp);

/* "1500ms", "2s", "3m", "1h", "1d", "50us", and several: "7h30m". At most TIMES_MOST_US. False:
 * not a duration. */
bool times_parse(const char *text, uint64_t *us);

#endif
