#include "http/admission.h"

#include <ctype.h>

/* Without the port; "[::1]" keeps its brackets. */
static struct pubsub_view host_name(struct pubsub_view host) {
  size_t len = host.len;
  while (len > 0 && isdigit(host.ptr[len - 1]))
    len--;
  if (len > 0 && len <= host.len && host.ptr[len - 1] == ':')
    len--;
  else
    len = host.len;
  return pubsub_view_of(host.ptr, len);
}

static bool equal_ignoring_case(struct pubsub_view a, const char *b) {
  size_t i = 0;
  for (; i < a.len && b[i]; i++) {
    if (tolower(a.ptr[i]) != tolower((unsigned char)b[i])) return false;
  }
  return i == a.len && b[i] == '\0';
}

/* 127.x.y.z */
static bool is_loopback_v4(struct pubsub_view name) {
  if (name.len < 9 || name.len > 15 || memcmp(name.ptr, "127.", 4) != 0) return false;
  for (size_t i = 4; i < name.len; i++) {
    if (!isdigit(name.ptr[i]) && name.ptr[i] != '.') return false;
  }
  return true;
}

static bool is_address(const struct admission *admission, struct pubsub_view name) {
  if (name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']') {
    name = pubsub_view_of(name.ptr + 1, name.len - 2);
    if (equal_ignoring_case(name, "::1")) return true;
  }
  return equal_ignoring_case(name, admission->address);
}

static bool host_is_ours(const struct admission *admission, struct pubsub_view host) {
  struct pubsub_view name = host_name(host);
  if (admission->wide) return name.len > 0;
  return equal_ignoring_case(name, "localhost") || is_loopback_v4(name) ||
         is_address(admission, name);
}

/* "http://HOST" or "https://HOST", the host that was asked. */
static bool origin_is_ours(struct pubsub_view origin, struct pubsub_view host) {
  static const char *const schemes[] = {"http://", "https://"};
  for (size_t i = 0; i < 2; i++) {
    size_t len = strlen(schemes[i]);
    if (origin.len != len + host.len || memcmp(origin.ptr, schemes[i], len) != 0) continue;
    return host.len > 0 && memcmp(origin.ptr + len, host.ptr, host.len) == 0;
  }
  return false;
}

/* A browser says where a request comes from. A person who follows a link to a page is welcome. */
static bool is_from_elsewhere(const struct http_request *request) {
  bool elsewhere = http_field_is(request, HTTP_FETCH_SITE, "cross-site") ||
                   http_field_is(request, HTTP_FETCH_SITE, "same-site");
  bool visit = http_field_is(request, HTTP_METHOD, "GET") &&
               http_field_is(request, HTTP_FETCH_MODE, "navigate") &&
               http_field_is(request, HTTP_FETCH_DEST, "document");
  return elsewhere && !visit;
}

const char *admission_problem(const struct admission *admission,
                              const struct http_request *request) {
  struct pubsub_view host = http_field(request, HTTP_HOST);
  if (request->fields[HTTP_HOST].times > 0 && !host_is_ours(admission, host)) {
    return "This server answers to localhost and to the address that it listens on, not to "
           "another name in Host.";
  }
  if (request->fields[HTTP_ORIGIN].times > 0 &&
      !origin_is_ours(http_field(request, HTTP_ORIGIN), host)) {
    return "This server is not for pages of other origins.";
  }
  if (is_from_elsewhere(request)) return "This server is not for pages of other sites.";
  return NULL;
}
