/*
 * The filter language of subscriptions, over attributes:
 *
 *   attributes:KEY   attributes.KEY = "V"   attributes.KEY != "V"   hasPrefix(attributes.KEY, "V")
 *   NOT x   -x   x AND y   x OR y   ( x )          AND and OR do not mix without parentheses
 *
 * In a string a backslash begins an escape: \\ \" \' \` \? \a \b \f \n \r \t \v, \143, \x63,
 * \u0063, \U00000063.
 */
#ifndef EMULATOR_MODEL_FILTER_H
#define EMULATOR_MODEL_FILTER_H

#include "base/bytes.h"

struct filter;
/* NULL and *problem (static): not a filter; NULL and *problem NULL: the text is empty. */
struct filter *filter_parse(const char *text, const char **problem);
void filter_free(struct filter *filter);
/* `message`: an encoded PubsubMessage, checked before. */
bool filter_matches(const struct filter *filter, struct pubsub_view message);

#endif
