/* Time, read in one place. Policy files never call these: they are handed now_us. */
#ifndef PUBSUB_BASE_CLOCK_H
#define PUBSUB_BASE_CLOCK_H

#include <stdint.h>

uint64_t pubsub_clock_now_us(void); /* monotonic, µs */
int64_t pubsub_clock_wall_us(void); /* µs since 1970-01-01 UTC */

#endif
