#include "pub/publish_ids.h"

#include "base/alloc.h"
#include "base/error.h"
#include "proto/publish_encoder.h"

struct ids {
  const struct pubsub_publish_request *request;
  struct pubsub_view *ids; /* NULL: only counted */
  uint64_t *numbers;
  size_t count;
};

static void on_id(void *user, struct pubsub_view id) {
  struct ids *ids = user;
  if (ids->ids && ids->count < ids->request->batch.messages) {
    ids->ids[ids->count] = id;
    ids->numbers[ids->count] = pubsub_publish_request_number(ids->request, ids->count);
  }
  ids->count++;
}

static enum pubsub_status read_all(struct ids *ids, struct pubsub_view response,
                                   struct pubsub_error *error) {
  uint32_t messages = ids->request->batch.messages;
  if (pubsub_publish_decode_ids(response, on_id, ids) == PUBSUB_OK && ids->count == messages)
    return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_PROTOCOL,
                          "the service gave %zu ids for %u published messages", ids->count,
                          messages);
}

enum pubsub_status pubsub_publish_ids_tell(const struct pubsub_publish_request *request,
                                           struct pubsub_view response,
                                           pubsub_publish_ids_fn *on_ids, void *user,
                                           struct pubsub_error *error) {
  struct ids ids = {.request = request};
  enum pubsub_status status = PUBSUB_OK;
  if (on_ids) {
    ids.ids = pubsub_alloc(request->batch.messages * sizeof *ids.ids);
    ids.numbers = pubsub_alloc(request->batch.messages * sizeof *ids.numbers);
    if (!ids.ids || !ids.numbers)
      status = pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory for the ids");
  }
  if (status == PUBSUB_OK) status = read_all(&ids, response, error);
  if (status == PUBSUB_OK && on_ids) on_ids(user, ids.numbers, ids.ids, ids.count);
  pubsub_free(ids.ids);
  pubsub_free(ids.numbers);
  return status;
}
