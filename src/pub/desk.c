#include "pub/desk.h"

#include "proto/publish_encoder.h"

#define KEPT_BLOCKS 32
#define REQUEST_OVERHEAD_BYTES 1024u

enum pubsub_status pubsub_desk_init(struct pubsub_desk *desk, struct pubsub_view topic,
                                    const struct pubsub_publisher_options *options) {
  *desk = (struct pubsub_desk){.max_in_flight_bytes = options->max_in_flight_bytes};
  pubsub_list_init(&desk->open);
  pubsub_list_init(&desk->sealed);
  pubsub_map_init(&desk->keyed);
  if (pubsub_publish_encode_topic(&desk->head, topic) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  desk->limits =
      (struct pubsub_batcher_limits){options->max_batch_messages, options->max_batch_bytes,
                                     desk->head.len, (uint64_t)options->linger_ms * 1000};
  return pubsub_request_pool_new(options->max_batch_bytes, KEPT_BLOCKS, &desk->pool);
}

static struct pubsub_publish_request *open_of(struct pubsub_list *link) {
  return PUBSUB_CONTAINER_OF(link, struct pubsub_publish_request, open.link);
}

void pubsub_desk_clear(struct pubsub_desk *desk) {
  pubsub_desk_seal_all(desk);
  while (!pubsub_list_empty(&desk->sealed)) {
    struct pubsub_publish_request *request =
        PUBSUB_CONTAINER_OF(desk->sealed.next, struct pubsub_publish_request, link);
    pubsub_list_remove(&request->link);
    pubsub_publish_request_unref(request);
  }
  pubsub_map_clear(&desk->keyed);
  pubsub_request_pool_close(desk->pool);
  pubsub_buf_clear(&desk->head);
}

static void seal(struct pubsub_desk *desk, struct pubsub_publish_request *request) {
  pubsub_list_remove(&request->open.link);
  if (request->order.key.len > 0) {
    pubsub_map_remove(&desk->keyed, &request->open.entry);
  } else {
    desk->plain = NULL;
  }
  pubsub_list_push_back(&desk->sealed, &request->link);
  desk->news = true;
}

static struct pubsub_publish_request *find_open(struct pubsub_desk *desk, struct pubsub_view key) {
  if (key.len == 0) return desk->plain;
  struct pubsub_map_entry *entry = pubsub_map_find(&desk->keyed, key);
  return entry ? PUBSUB_CONTAINER_OF(entry, struct pubsub_publish_request, open.entry) : NULL;
}

/* The one without a key has a full block at once: growing copies. */
static size_t first_room(const struct pubsub_desk *desk, struct pubsub_view key, size_t bytes) {
  bool small = desk->head.len + bytes < desk->limits.max_bytes;
  return key.len == 0 && small ? desk->limits.max_bytes - desk->head.len : bytes;
}

static struct pubsub_publish_request *open_request(struct pubsub_desk *desk, struct pubsub_view key,
                                                   size_t bytes) {
  struct pubsub_publish_request *request =
      pubsub_publish_request_new(desk->pool, pubsub_view_of(desk->head.ptr, desk->head.len),
                                 first_room(desk, key, bytes), key);
  if (!request) return NULL;
  if (key.len == 0) {
    desk->plain = request;
  } else if (pubsub_map_insert(&desk->keyed, &request->open.entry, request->order.key) !=
             PUBSUB_OK) {
    pubsub_publish_request_unref(request);
    return NULL;
  }
  pubsub_list_push_back(&desk->open, &request->open.link);
  desk->unfinished_requests++;
  desk->news = true; /* the sender watches over its linger */
  return request;
}

static struct pubsub_publish_request *request_for(struct pubsub_desk *desk, struct pubsub_view key,
                                                  size_t bytes) {
  struct pubsub_publish_request *request = find_open(desk, key);
  if (request && pubsub_batcher_fits(&desk->limits, &request->batch, bytes)) return request;
  if (request) seal(desk, request);
  return open_request(desk, key, bytes);
}

enum pubsub_status pubsub_desk_add(struct pubsub_desk *desk, const struct pubsub_message *message,
                                   size_t bytes, uint64_t now_us) {
  struct pubsub_publish_request *request = request_for(desk, message->ordering_key, bytes);
  if (!request || pubsub_publish_request_reserve(request, bytes) != PUBSUB_OK ||
      pubsub_publish_request_note_number(request, desk->next_number, desk->limits.max_messages) !=
          PUBSUB_OK) {
    return PUBSUB_E_NOMEM;
  }
  desk->next_number++;
  pubsub_publish_encode(message, request->bytes + request->len);
  request->len += bytes;
  pubsub_batcher_add(&request->batch, bytes, now_us);
  desk->in_flight_bytes += bytes;
  if (pubsub_batcher_full(&desk->limits, &request->batch)) seal(desk, request);
  return PUBSUB_OK;
}

bool pubsub_desk_has_room(const struct pubsub_desk *desk) {
  return desk->in_flight_bytes + desk->unfinished_requests * REQUEST_OVERHEAD_BYTES <
         desk->max_in_flight_bytes;
}

void pubsub_desk_seal_all(struct pubsub_desk *desk) {
  while (!pubsub_list_empty(&desk->open))
    seal(desk, open_of(desk->open.next));
}

uint64_t pubsub_desk_seal_due(struct pubsub_desk *desk, uint64_t now_us) {
  while (!pubsub_list_empty(&desk->open)) {
    struct pubsub_publish_request *request = open_of(desk->open.next);
    uint64_t due_us = pubsub_batcher_due_us(&desk->limits, &request->batch);
    if (due_us > now_us) return due_us;
    seal(desk, request);
  }
  return UINT64_MAX;
}

void pubsub_desk_take_sealed(struct pubsub_desk *desk, struct pubsub_list *out) {
  while (!pubsub_list_empty(&desk->sealed)) {
    struct pubsub_list *link = desk->sealed.next;
    pubsub_list_remove(link);
    pubsub_list_push_back(out, link);
  }
  desk->news = false;
}

void pubsub_desk_finish(struct pubsub_desk *desk, const struct pubsub_publish_request *request) {
  desk->unfinished_requests--;
  desk->in_flight_bytes -= request->batch.message_bytes;
}
