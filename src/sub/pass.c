#include "sub/pass.h"

#include "base/alloc.h"

void pubsub_pass_init(struct pubsub_pass *pass) {
  *pass = (struct pubsub_pass){0};
  pubsub_list_init(&pass->link);
}

void pubsub_pass_begin(struct pubsub_pass *pass, uint32_t count, uint64_t now_us) {
  pubsub_pass_end(pass);
  pass->active = true;
  pass->count = count;
  pass->began_us = now_us;
}

enum pubsub_status pubsub_pass_again(struct pubsub_pass *pass, uint32_t row) {
  if (!pass->again) {
    pass->again = pubsub_alloc(pass->count * sizeof *pass->again);
    if (!pass->again) return PUBSUB_E_NOMEM;
  }
  pass->again[pass->again_count++] = row;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_pass_split(struct pubsub_pass *pass, uint32_t row, uint32_t ids) {
  uint32_t half = ids > 1 ? ids / 2 : 1;
  if (pass->limit == 0 || pass->limit > half) pass->limit = half;
  pass->split = true;
  return pubsub_pass_again(pass, row);
}

void pubsub_pass_next_turn(struct pubsub_pass *pass) {
  pubsub_free(pass->rows);
  pass->rows = pass->again;
  pass->count = pass->again_count;
  pass->next = 0;
  pass->again = NULL;
  pass->again_count = 0;
  if (!pass->split) pass->turns++;
  pass->split = false;
}

void pubsub_pass_cut(struct pubsub_pass *pass) {
  pass->next = pass->count;
  pass->again_count = 0;
}

void pubsub_pass_end(struct pubsub_pass *pass) {
  pubsub_free(pass->rows);
  pubsub_free(pass->again);
  pass->rows = pass->again = NULL;
  pass->active = pass->split = false;
  pass->limit = 0;
  pass->count = pass->next = pass->unconfirmed = pass->again_count = pass->turns = 0;
}
