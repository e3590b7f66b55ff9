/*
 * What a store's files hold: whatever the entries say, reading them back ends with a broker or with
 * a refusal, and nothing is left behind. The bytes are also taken as a file: no frame of it goes
 * beyond it.
 *
 * Input: frames' payloads, each after two bytes of its length.
 */
#include "store/replay.h"
#include "store/restore.h"
#include "support/fuzz.h"

static uint64_t now_us(void *user) {
  (void)user;
  return 1000000;
}

static int64_t wall_us(void *user) {
  (void)user;
  return INT64_C(1700000000000000);
}

static void wake(void *user, uint64_t due_us) {
  (void)user;
  (void)due_us;
}

static void stirred(void *user) {
  (void)user;
}

static bool dead(void *user, const struct subscription *subscription,
                 const struct message *message) {
  (void)user;
  (void)subscription;
  (void)message;
  return false;
}

static void read_as_file(struct pubsub_view file) {
  struct frame frame;
  struct file_head head;
  file_head_read(file, &head);
  for (size_t at = 0; at <= file.len; at += 8) {
    if (frame_read(file, at, 1, &frame) == FRAME_WHOLE) FUZZ_CHECK(frame.end <= file.len);
  }
  frame_proves(file, 0, 1, 0);
}

static void replay_all(struct replay *replay, struct segment *segment, struct fuzz_input *input) {
  while (input->left >= 2) {
    size_t len = fuzz_u8(input);
    len = len << 8 | fuzz_u8(input);
    struct pubsub_view payload = fuzz_bytes(input, len);
    struct pubsub_buf bytes = {0};
    if (pubsub_buf_append(&bytes, payload.ptr, payload.len) != PUBSUB_OK) return;
    struct block *file = block_new(&bytes);
    if (!file) return;
    enum pubsub_status status =
        replay_frame(replay, pubsub_view_of(file->bytes.ptr, payload.len), segment, file, 0);
    block_unref(file);
    if (status != PUBSUB_OK) return;
  }
  struct pubsub_error error = {0};
  replay_sort(replay);
  enum pubsub_status status = restore_broker(replay, &error);
  FUZZ_CHECK((status == PUBSUB_OK) == (error.text[0] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct clock_source source = {now_us, wall_us, wake};
  struct world_callbacks callbacks = {.on_stirred = stirred, .on_dead = dead};
  struct fuzz_input input = {data, size};
  struct broker broker;
  struct replay replay;
  struct log log;
  read_as_file(pubsub_view_of(data, size));
  broker_init(&broker, &source, NULL, &callbacks);
  replay_init(&replay, &broker);
  log_init(&log);
  struct segment *segment = log_add_segment(&log, 1, HEAD_BYTES);
  if (segment) replay_all(&replay, segment, &input);
  replay_clear(&replay);
  broker_clear(&broker);
  log_clear(&log);
  return 0;
}
