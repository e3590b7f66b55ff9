/*
 * Lists come in pages; this asks for one after the other and tells each name to the caller.
 *
 * A page is a function that makes one call and adds what it brought; the names of a page are copied
 * before the first of them is told, so that the caller may call the client again meanwhile.
 * Any thread but a loop's. Used by topics.c, subscriptions.c and snapshots.c.
 */
#ifndef PUBSUB_CLIENT_NAME_LIST_H
#define PUBSUB_CLIENT_NAME_LIST_H

#include "base/bytes.h"
#include <pubsub/admin.h>

#define PUBSUB_NAME_PAGE_SIZE 1000

/* What one call brought: NUL-terminated names one after another, and where the next page begins. */
struct pubsub_name_page {
  struct pubsub_buf names, next_token; /* next_token: "" or empty: the last page */
};

typedef enum pubsub_status pubsub_name_page_fn(struct pubsub_client *client, const char *parent,
                                               const char *page_token, uint32_t timeout_ms,
                                               struct pubsub_name_page *out,
                                               struct pubsub_error *error);

/* Copies. Errors: NOMEM. */
enum pubsub_status pubsub_name_page_add(struct pubsub_name_page *page, const char *name,
                                        struct pubsub_error *error);
enum pubsub_status pubsub_name_page_end(struct pubsub_name_page *page, const char *next_token,
                                        struct pubsub_error *error);

/* All pages of `parent`, at most timeout_ms each, until on_name says false. Errors: those of fetch,
 * PROTOCOL (a page is followed by itself; its names are not told). */
enum pubsub_status pubsub_name_list(struct pubsub_client *client, const char *parent,
                                    pubsub_name_page_fn *fetch, pubsub_name_fn *on_name, void *user,
                                    uint32_t timeout_ms, struct pubsub_error *error);

#endif
