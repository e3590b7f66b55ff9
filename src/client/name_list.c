#include "client/name_list.h"

#include "base/error.h"

enum pubsub_status pubsub_name_page_add(struct pubsub_name_page *page, const char *name,
                                        struct pubsub_error *error) {
  enum pubsub_status status = pubsub_buf_append(&page->names, name, strlen(name) + 1);
  return status == PUBSUB_OK ? status : pubsub_error_set(error, status, "out of memory");
}

enum pubsub_status pubsub_name_page_end(struct pubsub_name_page *page, const char *next_token,
                                        struct pubsub_error *error) {
  enum pubsub_status status =
      pubsub_buf_append(&page->next_token, next_token, strlen(next_token) + 1);
  return status == PUBSUB_OK ? status : pubsub_error_set(error, status, "out of memory");
}

static void page_clear(struct pubsub_name_page *page) {
  pubsub_buf_clear(&page->names);
  pubsub_buf_clear(&page->next_token);
}

/* A page that leads to itself would be asked for again for ever. */
static enum pubsub_status check_progress(const struct pubsub_name_page *page, const char *token,
                                         struct pubsub_error *error) {
  if (page->next_token.len <= 1 || strcmp((const char *)page->next_token.ptr, token) != 0)
    return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_PROTOCOL,
                          "malformed response: a page of a list is followed by itself");
}

/* False: the caller wants no more. */
static bool tell(const struct pubsub_name_page *page, pubsub_name_fn *on_name, void *user) {
  for (size_t at = 0; at < page->names.len;) {
    const char *name = (const char *)page->names.ptr + at;
    if (!on_name(user, name)) return false;
    at += strlen(name) + 1;
  }
  return true;
}

enum pubsub_status pubsub_name_list(struct pubsub_client *client, const char *parent,
                                    pubsub_name_page_fn *fetch, pubsub_name_fn *on_name, void *user,
                                    uint32_t timeout_ms, struct pubsub_error *error) {
  struct pubsub_name_page page, next;
  memset(&page, 0, sizeof page);
  enum pubsub_status status;
  bool more;
  do {
    memset(&next, 0, sizeof next);
    const char *token = page.next_token.ptr ? (const char *)page.next_token.ptr : "";
    status = fetch(client, parent, token, timeout_ms, &next, error);
    if (status == PUBSUB_OK) status = check_progress(&next, token, error);
    page_clear(&page);
    page = next;
    more = status == PUBSUB_OK && tell(&page, on_name, user) && page.next_token.len > 1;
  } while (more);
  page_clear(&page);
  return status;
}
