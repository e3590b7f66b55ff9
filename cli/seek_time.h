/*
 * The point in time of `subscription seek --time`: "now", a time of the day as RFC 3339 has it
 * ("2026-01-31T08:00:00Z", "…+01:00", with up to nine decimals), or some time ago ("-30m"; s, m, h,
 * d). Pure: it is told what time it is.
 */
#ifndef CLI_SEEK_TIME_H
#define CLI_SEEK_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* µs since 1970. False: it is none of these. */
bool cli_seek_time_parse(const char *text, int64_t now_us, int64_t *out_us);

#endif
