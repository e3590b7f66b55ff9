#include "support.h"

#include "store/frame.h"

#define SEED 0x12345679u

/* Two frames with room behind them. */
struct file {
  uint8_t bytes[512];
  size_t second, end;
};

static struct pubsub_view view(const struct file *file) {
  return pubsub_view_of(file->bytes, sizeof file->bytes);
}

static void fill(struct file *file) {
  struct file_head head = {.kind = FILE_LOG, .seed = SEED, .number = 3, .first = 40};
  memset(file, 0, sizeof *file);
  file_head_write(&head, file->bytes);
  memcpy(file->bytes + HEAD_BYTES + FRAME_HEAD_BYTES, "first", 5);
  frame_seal(file->bytes + HEAD_BYTES, 5, SEED, 40, 40);
  file->second = HEAD_BYTES + frame_bytes(5);
  memcpy(file->bytes + file->second + FRAME_HEAD_BYTES, "the second", 10);
  frame_seal(file->bytes + file->second, 10, SEED, 41, 41);
  file->end = file->second + frame_bytes(10);
}

static void heads(void **state) {
  struct file file;
  struct file_head head;
  (void)state;
  fill(&file);
  assert_null(file_head_read(view(&file), &head));
  assert_int_equal(head.number, 3);
  assert_int_equal(head.first, 40);
  assert_int_equal(head.seed, SEED);
  for (size_t i = 0; i < HEAD_BYTES; i++) {
    file.bytes[i] ^= 4;
    assert_non_null(file_head_read(view(&file), &head));
    file.bytes[i] ^= 4;
  }
  assert_non_null(file_head_read(pubsub_view_of(file.bytes, HEAD_BYTES - 1), &head));
}

static void frames_one_behind_the_other(void **state) {
  struct file file;
  struct frame frame;
  (void)state;
  fill(&file);
  assert_int_equal(frame_read(view(&file), HEAD_BYTES, SEED, &frame), FRAME_WHOLE);
  assert_int_equal(frame.number, 40);
  assert_memory_equal(frame.payload.ptr, "first", 5);
  assert_int_equal(frame.end, file.second);
  assert_int_equal(frame_read(view(&file), frame.end, SEED, &frame), FRAME_WHOLE);
  assert_int_equal(frame.payload.len, 10);
  assert_int_equal(frame_read(view(&file), frame.end, SEED, &frame), FRAME_NONE);
  assert_int_equal(frame_read(view(&file), sizeof file.bytes, SEED, &frame), FRAME_NONE);
  assert_int_equal(frame_read(view(&file), HEAD_BYTES, SEED + 1, &frame), FRAME_BROKEN);
}

static void every_flipped_byte_is_seen(void **state) {
  struct file file;
  struct frame frame;
  (void)state;
  fill(&file);
  for (size_t i = HEAD_BYTES; i < file.second; i++) {
    file.bytes[i] ^= 1;
    assert_int_equal(frame_read(view(&file), HEAD_BYTES, SEED, &frame), FRAME_BROKEN);
    file.bytes[i] ^= 1;
  }
}

static void every_cut_is_seen(void **state) {
  struct file file;
  struct frame frame;
  (void)state;
  fill(&file);
  for (size_t len = HEAD_BYTES + 1; len < file.second; len++) {
    assert_int_equal(frame_read(pubsub_view_of(file.bytes, len), HEAD_BYTES, SEED, &frame),
                     FRAME_BROKEN);
  }
}

static void a_later_frame_proves_what_was_durable(void **state) {
  struct file file;
  (void)state;
  fill(&file);
  assert_true(frame_proves(view(&file), HEAD_BYTES + 8, SEED, 40));
  assert_false(frame_proves(view(&file), HEAD_BYTES + 8, SEED, 41));
  assert_false(frame_proves(view(&file), HEAD_BYTES + 8, SEED + 1, 40)); /* not of this store */
  frame_seal(file.bytes + file.second, 10, SEED, 41, 40); /* nothing was known of 40 yet */
  assert_false(frame_proves(view(&file), HEAD_BYTES + 8, SEED, 40));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(heads), cmocka_unit_test(frames_one_behind_the_other),
      cmocka_unit_test(every_flipped_byte_is_seen), cmocka_unit_test(every_cut_is_seen),
      cmocka_unit_test(a_later_frame_proves_what_was_durable)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
