/* Durations and timestamps as JSON writes them. Pure. */
#ifndef EMULATOR_JSON_MOMENTS_H
#define EMULATOR_JSON_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>

/* "3.5s", "-1s": at most nine decimals. False: it is none. */
bool json_parse_duration(const char *text, int64_t *seconds, int32_t *nanos);
/* RFC 3339: "2024-02-29T12:00:00.5Z", "…+01:00". False: it is none. */
bool json_parse_timestamp(const char *text, int64_t *seconds, int32_t *nanos);
/* The other way, with 0, 3, 6 or 9 decimals; at most 47 characters. */
void json_format_duration(int64_t seconds, int32_t nanos, char out[48]);
void json_format_timestamp(int64_t seconds, int32_t nanos, char out[48]);

#endif
