/*
 * The filter language over messages: a text is a filter or has a problem that is told; NOT of a
 * filter is its opposite, and parentheses change nothing.
 *
 * Input: a filter's text, a NUL, an encoded PubsubMessage.
 */
#include "model/filter.h"
#include "support/fuzz.h"
#include <stdio.h>
#include <stdlib.h>

static struct filter *parse(const char *before, const char *text, const char *after) {
  const char *problem = NULL;
  size_t len = strlen(before) + strlen(text) + strlen(after) + 1;
  char *whole = fuzz_alloc(len);
  snprintf(whole, len, "%s%s%s", before, text, after);
  struct filter *filter = filter_parse(whole, &problem);
  FUZZ_CHECK(!filter || !problem);
  FUZZ_CHECK(filter || problem || whole[strspn(whole, " \t\n\v\f\r")] == '\0');
  free(whole);
  return filter;
}

/* Nested one deeper it may be too deep: then it is refused. */
static void compare(const char *before, const char *text, const char *after,
                    struct pubsub_view message, bool expected) {
  struct filter *filter = parse(before, text, after);
  if (filter) FUZZ_CHECK(filter_matches(filter, message) == expected);
  filter_free(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
  size_t text_len = end ? (size_t)(end - data) : size;
  char *text = fuzz_text(pubsub_view_of(data, text_len));
  size_t skip = end ? text_len + 1 : size;
  uint8_t *message = fuzz_copy(pubsub_view_of(data + skip, size - skip));
  struct pubsub_view view = pubsub_view_of(message, size - skip);
  struct filter *filter = parse("", text, "");
  if (filter) {
    bool matches = filter_matches(filter, view);
    compare("NOT (", text, ")", view, !matches);
    compare("-(", text, ")", view, !matches);
    compare("((", text, "))", view, matches);
    compare("(", text, ") OR (attributes:a AND NOT attributes:a)", view, matches);
  }
  filter_free(filter);
  free(text);
  free(message);
  return 0;
}
