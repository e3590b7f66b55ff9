/*
 * Dates and timestamps as Spark reads them where no format is given: "2026-01-31",
 * "2026-1-31T12:00", "2026-01-31 12:00:00.5 +01:00" and so on. Pure: what today is, and where a
 * zone's offset changes, are arguments.
 *
 * A zone in the text itself may be Z, an offset, or UTC, GMT or UT with or without one; names of
 * regions are looked up by the caller's function.
 */
#ifndef PUBSUB_PAYLOAD_DATETIME_H
#define PUBSUB_PAYLOAD_DATETIME_H

#include "base/bytes.h"
#include <pubsub/payload.h>

/* What a timestamp needs besides its text. */
struct pubsub_datetime {
  struct pubsub_payload_zone zone; /* of those that name none */
  int64_t now_us;                  /* the day of those that have a time alone */
};

/* Days since 1970. False: it is none. */
bool pubsub_datetime_date(struct pubsub_view text, int32_t *days);
/* µs since 1970. False: it is none. */
bool pubsub_datetime_timestamp(struct pubsub_view text, const struct pubsub_datetime *with,
                               int64_t *us);
/* The same without a zone; one in the text makes it none. */
bool pubsub_datetime_local(struct pubsub_view text, int64_t *us);
/* Days of the Julian calendar as days of the Gregorian, the same date. */
int32_t pubsub_datetime_rebase(int32_t julian_days);
/* The offset in force at a local second of that zone, in seconds. */
int32_t pubsub_datetime_offset(const struct pubsub_payload_zone *zone, int64_t local_s);

#endif
