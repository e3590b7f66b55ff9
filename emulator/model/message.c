#include "model/message.h"

#include "base/alloc.h"
#include "base/map.h"

struct block *block_new(struct pubsub_buf *take_bytes) {
  struct block *block = pubsub_alloc(sizeof *block);
  if (!block) return NULL;
  block->refs = 1;
  block->keeping = NULL;
  block->whole = NULL;
  block->bytes = *take_bytes;
  *take_bytes = (struct pubsub_buf){0};
  return block;
}

struct block *block_within(struct block *whole, size_t offset, size_t len) {
  struct pubsub_buf part = {whole->bytes.ptr + offset, len, len};
  struct block *block = block_new(&part);
  if (!block) return NULL;
  block->whole = whole;
  whole->refs++;
  return block;
}

void block_unref(struct block *block) {
  if (--block->refs > 0) return;
  if (block->keeping) block->keeping->on_block_freed(block->keeping);
  if (block->whole) {
    block_unref(block->whole);
  } else {
    pubsub_buf_clear(&block->bytes);
  }
  pubsub_free(block);
}

struct message *message_copy(const struct message *message) {
  struct message *copy = pubsub_alloc(sizeof *copy);
  if (!copy) return NULL;
  *copy = (struct message){.block = message->block,
                           .offset = message->offset,
                           .len = message->len,
                           .id = message->id,
                           .publish_time_us = message->publish_time_us};
  pubsub_list_init(&copy->link);
  pubsub_list_init(&copy->due.link);
  copy->block->refs++;
  return copy;
}

enum pubsub_status message_keep(struct pubsub_list *list, const struct message *message) {
  struct message *copy = message_copy(message);
  if (!copy) return PUBSUB_E_NOMEM;
  pubsub_list_push_back(list, &copy->link);
  return PUBSUB_OK;
}

void message_free(struct message *message) {
  block_unref(message->block);
  pubsub_free(message);
}

static void free_first(struct pubsub_list *messages) {
  struct message *message = PUBSUB_CONTAINER_OF(messages->next, struct message, link);
  pubsub_list_remove(&message->link);
  message_free(message);
}

void messages_free(struct pubsub_list *messages) {
  while (!pubsub_list_empty(messages))
    free_first(messages);
}

bool messages_sweep(struct pubsub_list *messages, int64_t before_us) {
  bool any = false;
  while (!pubsub_list_empty(messages)) {
    const struct message *first = PUBSUB_CONTAINER_OF(messages->next, struct message, link);
    if (first->publish_time_us >= before_us) break;
    free_first(messages);
    any = true;
  }
  return any;
}
