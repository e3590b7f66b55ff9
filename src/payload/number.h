/*
 * From digits to numbers, exactly: nearest double and float, decimals rounded half up to their
 * scale, as java.math.BigDecimal's. Pure. Costs are those of the text's length, whatever its
 * exponent says.
 */
#ifndef PUBSUB_PAYLOAD_NUMBER_H
#define PUBSUB_PAYLOAD_NUMBER_H

#include "base/bytes.h"
#include <locale.h>

/* What a number of JSON is, its sign apart (text has none). */
struct pubsub_digits {
  struct pubsub_view text;
  bool negative;
  bool integer; /* no fraction and no exponent */
};

/* False: beyond 64 bits, or no integer. */
bool pubsub_number_long(struct pubsub_digits digits, int64_t *out);
/* `c` is the "C" locale; the text is no longer than 2,000 characters, else false. An integer's zero
 * has no sign. */
bool pubsub_number_double(struct pubsub_digits digits, locale_t c, double *out);
bool pubsub_number_float(struct pubsub_digits digits, locale_t c, float *out);
/* Unscaled. False: more digits than the precision, or an exponent beyond 32 bits. */
bool pubsub_number_decimal(struct pubsub_digits digits, uint8_t precision, uint8_t scale,
                           __int128 *out);
/* Of a string as BigDecimal's constructor takes it, commas left out. False also: it is none. */
bool pubsub_number_decimal_text(struct pubsub_view text, uint8_t precision, uint8_t scale,
                                __int128 *out);

#endif
