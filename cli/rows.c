#include "rows.h"

#include "json.h"

/* In schema order. */
enum { MESSAGE_ID, DATA, ATTRIBUTES, PUBLISH_TIME, ORDERING_KEY, DELIVERY_ATTEMPT };

static bool is_null(const struct ArrowArray *array, int64_t row) {
  const uint8_t *validity = array->buffers[0];
  return array->null_count > 0 && validity && !(validity[row / 8] >> row % 8 & 1);
}

static const char *bytes_of(const struct ArrowArray *array, int64_t row, size_t *out_len) {
  const int32_t *offsets = array->buffers[1];
  *out_len = (size_t)(offsets[row + 1] - offsets[row]);
  return (const char *)array->buffers[2] + offsets[row];
}

static void print_text(const struct ArrowArray *array, int64_t row) {
  size_t len;
  const char *text = bytes_of(array, row, &len);
  cli_json_text(text, len);
}

static void print_attributes(const struct ArrowArray *map, int64_t row) {
  const int32_t *offsets = map->buffers[1];
  const struct ArrowArray *keys = map->children[0]->children[0];
  const struct ArrowArray *values = map->children[0]->children[1];
  putchar('{');
  for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
    if (i > offsets[row]) putchar(',');
    print_text(keys, i);
    putchar(':');
    print_text(values, i);
  }
  putchar('}');
}

static void print_object(const struct ArrowArray *batch, int64_t row, bool as_text) {
  struct ArrowArray **columns = batch->children;
  size_t len;
  const char *data = bytes_of(columns[DATA], row, &len);
  printf("{\"message_id\":");
  print_text(columns[MESSAGE_ID], row);
  printf(",\"data\":");
  if (as_text)
    cli_json_text(data, len);
  else
    cli_json_base64(data, len);
  printf(",\"attributes\":");
  print_attributes(columns[ATTRIBUTES], row);
  printf(",\"publish_time_us\":%lld,\"ordering_key\":",
         (long long)((const int64_t *)columns[PUBLISH_TIME]->buffers[1])[row]);
  if (is_null(columns[ORDERING_KEY], row))
    printf("null");
  else
    print_text(columns[ORDERING_KEY], row);
  if (is_null(columns[DELIVERY_ATTEMPT], row))
    printf(",\"delivery_attempt\":null}\n");
  else
    printf(",\"delivery_attempt\":%d}\n",
           (int)((const int32_t *)columns[DELIVERY_ATTEMPT]->buffers[1])[row]);
}

static void print_data(const struct ArrowArray *batch, int64_t row) {
  size_t len;
  const char *data = bytes_of(batch->children[DATA], row, &len);
  fwrite(data, 1, len, stdout);
  putchar('\n');
}

bool cli_rows_print(const struct cli_options *options, struct pubsub_chunk *chunk) {
  struct ArrowSchema schema;
  struct ArrowArray batch;
  struct pubsub_error error = {0};
  if (pubsub_chunk_export(chunk, &schema, &batch, &error) != PUBSUB_OK) return !cli_fail(&error);
  for (int64_t row = 0; row < batch.length; row++) {
    if (options->json)
      print_object(&batch, row, options->text);
    else
      print_data(&batch, row);
  }
  batch.release(&batch);
  schema.release(&schema);
  return true;
}
