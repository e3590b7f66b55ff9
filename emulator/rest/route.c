#include "rest/route.h"

#include "base/text.h"

/* The segment at `at`, up to a slash; moves on behind that. */
static struct pubsub_view next_segment(const uint8_t **at, const uint8_t *end) {
  const uint8_t *start = *at, *slash = start;
  while (slash < end && *slash != '/')
    slash++;
  *at = slash < end ? slash + 1 : end + 1; /* beyond the end: that was the last */
  return pubsub_view_of(start, (size_t)(slash - start));
}

static struct pubsub_view without_slash(struct pubsub_view path) {
  return path.len > 0 && path.ptr[0] == '/' ? pubsub_view_of(path.ptr + 1, path.len - 1) : path;
}

/* Cuts ":custom" off. False: it is another one, or one where none is meant. */
static bool cut_custom(struct pubsub_view *path, const char *custom) {
  size_t len = path->len;
  while (len > 0 && path->ptr[len - 1] != ':' && path->ptr[len - 1] != '/')
    len--;
  bool has = len > 0 && path->ptr[len - 1] == ':';
  if (!*custom) return !has;
  if (!has ||
      !pubsub_view_equal(pubsub_view_of(path->ptr + len, path->len - len), pubsub_view_str(custom)))
    return false;
  path->len = len - 1;
  return true;
}

static bool matches(const struct route *route, struct pubsub_view path) {
  struct pubsub_view pattern = pubsub_view_str(route->pattern);
  path = without_slash(path);
  if (!cut_custom(&path, route->custom)) return false;
  const uint8_t *at = path.ptr, *end = at + path.len;
  const uint8_t *wanted_at = pattern.ptr, *wanted_end = wanted_at + pattern.len;
  while (wanted_at <= wanted_end) {
    struct pubsub_view wanted = next_segment(&wanted_at, wanted_end);
    if (pubsub_view_equal(wanted, pubsub_view_str("**"))) return at < end;
    if (at > end) return false;
    struct pubsub_view segment = next_segment(&at, end);
    if (pubsub_view_equal(wanted, pubsub_view_str("*")) ? segment.len == 0
                                                        : !pubsub_view_equal(segment, wanted))
      return false;
  }
  return at > end;
}

enum route_outcome route_find(const struct route *routes, struct pubsub_view verb,
                              struct pubsub_view path, const struct route **out) {
  enum route_outcome outcome = ROUTE_NONE;
  for (const struct route *route = routes; route->verb; route++) {
    if (!matches(route, path)) continue;
    *out = route;
    if (pubsub_view_equal(verb, pubsub_view_str(route->verb))) return ROUTE_FOUND;
    outcome = ROUTE_OTHER_VERB;
  }
  return outcome;
}

/* ---- variables ---- */

static bool is_slash(const uint8_t *at, const uint8_t *end) {
  return end - at >= 3 && at[0] == '%' && at[1] == '2' && (at[2] == 'F' || at[2] == 'f');
}

static bool decode(struct pubsub_view in, bool keep_slash, struct pubsub_buf *out) {
  const uint8_t *at = in.ptr, *end = in.ptr + in.len;
  if (pubsub_buf_reserve(out, in.len + 1) != PUBSUB_OK) return false;
  while (at < end) {
    size_t take = *at == '%' ? 3 : 1, got = 1;
    uint8_t *place = out->ptr + out->len;
    if (keep_slash && is_slash(at, end)) {
      memcpy(place, at, got = 3);
    } else if ((size_t)(end - at) < take ||
               !pubsub_percent_decode(pubsub_view_of(at, take), place, 1, &got) || *place == 0) {
      return false;
    }
    out->len += got;
    at += take;
  }
  out->ptr[out->len] = '\0';
  return true;
}

bool route_variable(const struct route *route, int index, struct pubsub_view path,
                    struct pubsub_buf *out) {
  int first = route->variables[index].first, count = route->variables[index].count;
  path = without_slash(path);
  cut_custom(&path, route->custom);
  const uint8_t *at = path.ptr, *end = at + path.len;
  for (int i = 0; i < first; i++)
    next_segment(&at, end);
  const uint8_t *start = at;
  for (int i = 0; i < count && at <= end; i++)
    next_segment(&at, end);
  size_t pattern_len = strlen(route->pattern);
  bool rest = pattern_len >= 2 && strcmp(route->pattern + pattern_len - 2, "**") == 0;
  const uint8_t *stop = rest || at > end ? end : at - 1;
  out->len = 0;
  return decode(pubsub_view_of(start, (size_t)(stop - start)), rest || count > 1, out);
}
