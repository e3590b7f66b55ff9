/* A chunk through the Arrow C Data Interface. Every exported array, children included, frees
 * itself; the root holds the reference on the chunk, and a child that was moved away holds one of
 * its own. */
#include "batch/chunk.h"

#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

struct exported {
  struct pubsub_chunk *chunk;
  const void *buffers[3];
  struct ArrowArray *children[6];
  struct ArrowArray storage[6];
};

static void release_array(struct ArrowArray *array) {
  struct exported *own = array->private_data;
  for (int64_t i = 0; i < array->n_children; i++) {
    if (array->children[i]->release) array->children[i]->release(array->children[i]);
  }
  pubsub_chunk_unref(own->chunk);
  pubsub_free(own);
  array->release = NULL;
}

static bool make_array(struct pubsub_chunk *chunk, struct ArrowArray *out, int64_t length,
                       int64_t null_count, int64_t children, int n_buffers, const int *buffers) {
  struct exported *own = pubsub_alloc_zero(1, sizeof *own);
  if (!own) return false;
  own->chunk = pubsub_chunk_ref(chunk);
  for (int i = 0; i < n_buffers; i++) {
    own->buffers[i] = buffers[i] < 0 ? NULL : chunk->buffers[buffers[i]].ptr;
  }
  for (int64_t i = 0; i < children; i++)
    own->children[i] = &own->storage[i];
  *out = (struct ArrowArray){.length = length,
                             .null_count = null_count,
                             .n_buffers = n_buffers,
                             .n_children = children,
                             .buffers = own->buffers,
                             .children = children ? own->children : NULL,
                             .release = release_array,
                             .private_data = own};
  return true;
}

struct exported_schema {
  struct ArrowSchema *children[6];
  struct ArrowSchema storage[6];
};

static void release_schema(struct ArrowSchema *schema) {
  for (int64_t i = 0; i < schema->n_children; i++) {
    if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
  }
  pubsub_free(schema->private_data);
  schema->release = NULL;
}

static bool make_schema(struct ArrowSchema *out, const char *format, const char *name,
                        int64_t flags, int64_t children) {
  struct exported_schema *own = NULL;
  if (children > 0) {
    own = pubsub_alloc_zero(1, sizeof *own);
    if (!own) return false;
    for (int64_t i = 0; i < children; i++)
      own->children[i] = &own->storage[i];
  }
  *out = (struct ArrowSchema){.format = format,
                              .name = name,
                              .flags = flags,
                              .n_children = children,
                              .children = own ? own->children : NULL,
                              .release = release_schema,
                              .private_data = own};
  return true;
}

static bool export_map(struct pubsub_chunk *chunk, struct ArrowSchema *schema,
                       struct ArrowArray *array) {
  static const int map[] = {-1, PUBSUB_BUFFER_ATTRIBUTES_OFFSETS}, none[] = {-1};
  static const int keys[] = {-1, PUBSUB_BUFFER_KEY_OFFSETS, PUBSUB_BUFFER_KEY_BYTES};
  static const int values[] = {-1, PUBSUB_BUFFER_VALUE_OFFSETS, PUBSUB_BUFFER_VALUE_BYTES};
  if (!make_schema(schema, "+m", "attributes", 0, 1) ||
      !make_schema(schema->children[0], "+s", "entries", 0, 2) ||
      !make_schema(schema->children[0]->children[0], "u", "key", 0, 0) ||
      !make_schema(schema->children[0]->children[1], "u", "value", ARROW_FLAG_NULLABLE, 0)) {
    return false;
  }
  int64_t entries = chunk->entries;
  return make_array(chunk, array, chunk->rows, 0, 1, 2, map) &&
         make_array(chunk, array->children[0], entries, 0, 2, 1, none) &&
         make_array(chunk, array->children[0]->children[0], entries, 0, 0, 3, keys) &&
         make_array(chunk, array->children[0]->children[1], entries, 0, 0, 3, values);
}

static bool export_column(struct pubsub_chunk *chunk, uint32_t column, struct ArrowSchema *schema,
                          struct ArrowArray *array) {
  static const int id[] = {-1, PUBSUB_BUFFER_MESSAGE_ID_OFFSETS, PUBSUB_BUFFER_MESSAGE_ID_BYTES};
  static const int data[] = {-1, PUBSUB_BUFFER_DATA_OFFSETS, PUBSUB_BUFFER_DATA_BYTES};
  static const int time[] = {-1, PUBSUB_BUFFER_PUBLISH_TIME};
  static const int key[] = {PUBSUB_BUFFER_ORDERING_KEY_VALIDITY, PUBSUB_BUFFER_ORDERING_KEY_OFFSETS,
                            PUBSUB_BUFFER_ORDERING_KEY_BYTES};
  static const int attempt[] = {PUBSUB_BUFFER_DELIVERY_ATTEMPT_VALIDITY,
                                PUBSUB_BUFFER_DELIVERY_ATTEMPT};
  switch (column) {
  case PUBSUB_COLUMN_MESSAGE_ID:
    return make_schema(schema, "u", "message_id", 0, 0) &&
           make_array(chunk, array, chunk->rows, 0, 0, 3, id);
  case PUBSUB_COLUMN_DATA:
    return make_schema(schema, "z", "data", 0, 0) &&
           make_array(chunk, array, chunk->rows, 0, 0, 3, data);
  case PUBSUB_COLUMN_ATTRIBUTES:
    return export_map(chunk, schema, array);
  case PUBSUB_COLUMN_PUBLISH_TIME:
    return make_schema(schema, "tsu:UTC", "publish_time", 0, 0) &&
           make_array(chunk, array, chunk->rows, 0, 0, 2, time);
  case PUBSUB_COLUMN_ORDERING_KEY:
    return make_schema(schema, "u", "ordering_key", ARROW_FLAG_NULLABLE, 0) &&
           make_array(chunk, array, chunk->rows, chunk->ordering_key_nulls, 0, 3, key);
  default:
    return make_schema(schema, "i", "delivery_attempt", ARROW_FLAG_NULLABLE, 0) &&
           make_array(chunk, array, chunk->rows, chunk->delivery_attempt_nulls, 0, 2, attempt);
  }
}

enum pubsub_status pubsub_chunk_export(struct pubsub_chunk *chunk, struct ArrowSchema *out_schema,
                                       struct ArrowArray *out_array, struct pubsub_error *error) {
  static const int none[] = {-1};
  int64_t children = __builtin_popcount(chunk->columns), child = 0;
  out_schema->release = NULL;
  out_array->release = NULL;
  bool good = make_schema(out_schema, "+s", "", 0, children) &&
              make_array(chunk, out_array, chunk->rows, 0, children, 1, none);
  for (uint32_t column = 1; good && column < PUBSUB_COLUMN_ALL; column <<= 1) {
    if (!(chunk->columns & column)) continue;
    good = export_column(chunk, column, out_schema->children[child], out_array->children[child]);
    child++;
  }
  if (good) return PUBSUB_OK;
  if (out_schema->release) out_schema->release(out_schema);
  if (out_array->release) out_array->release(out_array);
  return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
}
