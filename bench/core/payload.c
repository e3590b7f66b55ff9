/*
 * Decodes payloads of JSON into columns, again and again, and prints how fast: one line a shape. No
 * Spark, no network, one thread.
 *
 * bench_payload [SECONDS]
 */
#include <pubsub/payload.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS 10000

struct shape {
  const char *name, *schema;
  uint64_t fields; /* that are read */
  void (*write)(char *out, size_t room, int row);
};

static void flat(char *out, size_t room, int row) {
  snprintf(out, room,
           "{\"id\":%d,\"name\":\"customer-%d\",\"amount\":%d.%02d,\"paid\":true,"
           "\"country\":\"CH\",\"pad\":\"%06d\"}",
           row, row % 977, row % 500, row % 100, row);
}

static void nested(char *out, size_t room, int row) {
  snprintf(
      out, room,
      "{\"id\":%d,\"user\":{\"name\":\"user-%d\",\"age\":%d,\"mail\":\"user%d@example.com\"},"
      "\"amount\":%d.25,\"currency\":\"EUR\",\"ok\":%s,\"time\":\"2026-01-31T12:%02d:%02d.123Z\","
      "\"tags\":[\"red\",\"green\",\"b%d\"],\"score\":%d.5e-1,\"note\":\"a text of no great "
      "length\",\"count\":%d}",
      row, row % 977, row % 90, row, row % 10000, row % 2 ? "true" : "false", row % 60, row % 60,
      row % 10, row % 100, row % 7);
}

static void wide(char *out, size_t room, int row) {
  size_t len = 1;
  out[0] = '{';
  for (int i = 0; i < 50; i++)
    len += (size_t)snprintf(out + len, room - len, "%s\"field%02d\":\"value-%d\"", i ? "," : "", i,
                            (row + i) % 10000);
  snprintf(out + len, room - len, "}");
}

static const struct shape shapes[] = {
    {"flat, 100 B", "id INT, name STRING, amount DOUBLE, paid BOOLEAN, country STRING, pad STRING",
     UINT64_MAX, flat},
    {"nested, 260 B",
     "id BIGINT, user STRUCT<name: STRING, age: INT, mail: STRING>, amount DOUBLE, currency STRING,"
     " ok BOOLEAN, time TIMESTAMP, tags ARRAY<STRING>, score DOUBLE, note STRING, count INT",
     UINT64_MAX, nested},
    {"3 of 50 fields, 1 KB", NULL, 1 << 3 | 1 << 20 | (uint64_t)1 << 40, wide},
};

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static char *wide_schema(void) {
  static char out[4096];
  size_t len = 0;
  for (int i = 0; i < 50; i++)
    len += (size_t)snprintf(out + len, sizeof out - len, "%sfield%02d STRING", i ? ", " : "", i);
  return out;
}

static int run(const struct shape *shape, double seconds) {
  const struct pubsub_payload_options options = {
      .schema = shape->schema ? shape->schema : wide_schema(), .allow = PUBSUB_ALLOW_DEFAULT};
  struct pubsub_payload *payload;
  struct pubsub_error error = {0};
  static int32_t offsets[ROWS + 1];
  static char bytes[ROWS * 1200];
  for (int row = 0; row < ROWS; row++) {
    shape->write(bytes + offsets[row], sizeof bytes - (size_t)offsets[row], row);
    offsets[row + 1] = offsets[row] + (int32_t)strlen(bytes + offsets[row]);
  }
  const struct pubsub_payload_rows rows = {
      .offsets = offsets, .bytes = (const uint8_t *)bytes, .count = ROWS};
  if (pubsub_payload_new(&options, &payload, &error) != PUBSUB_OK) return puts(error.text), 1;
  double start = 0, end = 0, batches = 0;
  for (int i = -2; end - start < seconds; i++) {
    if (i == 0) start = now_s();
    pubsub_payload_begin(payload, &rows);
    if (pubsub_payload_decode(payload, &shape->fields, &error) != PUBSUB_OK)
      return puts(error.text), 1;
    if (i >= 0) batches++;
    if (i >= 0) end = now_s();
  }
  double us = (end - start) * 1e6 / (batches * ROWS), mean = (double)offsets[ROWS] / ROWS;
  printf("%-22s %4.0f bytes a row  %.3f us a row  %.2f GB/s\n", shape->name, mean, us,
         mean / us / 1e3);
  pubsub_payload_destroy(payload);
  return 0;
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  int failed = 0;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    failed |= run(&shapes[i], seconds);
  return failed;
}
