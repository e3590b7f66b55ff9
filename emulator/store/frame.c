#include "store/frame.h"

#include "store/crc.h"
#include <stdio.h>

static const char magic[] = "pubsubst";

static void write32(uint8_t *out, uint32_t value) {
  for (int i = 0; i < 4; i++)
    out[i] = (uint8_t)(value >> 8 * i);
}

static void write64(uint8_t *out, uint64_t value) {
  write32(out, (uint32_t)value);
  write32(out + 4, (uint32_t)(value >> 32));
}

static uint32_t read32(const uint8_t *in) {
  return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static uint64_t read64(const uint8_t *in) {
  return read32(in) | (uint64_t)read32(in + 4) << 32;
}

/* ---- heads ---- */

void file_head_write(const struct file_head *head, uint8_t out[HEAD_BYTES]) {
  memset(out, 0, HEAD_BYTES);
  memcpy(out, magic, 8);
  write32(out + 8, STORE_VERSION);
  write32(out + 12, head->kind);
  write64(out + 16, head->number);
  write64(out + 24, head->first);
  write32(out + 32, head->seed);
  write32(out + HEAD_BYTES - 4, crc32c(0, out, HEAD_BYTES - 4));
}

const char *file_head_read(struct pubsub_view file, struct file_head *out) {
  static char other_version[96];
  if (file.len < HEAD_BYTES || memcmp(file.ptr, magic, 8) != 0) return "not a file of a store";
  uint32_t version = read32(file.ptr + 8);
  if (read32(file.ptr + HEAD_BYTES - 4) != crc32c(0, file.ptr, HEAD_BYTES - 4)) {
    return "its head is damaged";
  }
  if (version != STORE_VERSION) {
    snprintf(other_version, sizeof other_version, "it has version %u; this program reads %d",
             version, STORE_VERSION);
    return other_version;
  }
  *out = (struct file_head){.kind = read32(file.ptr + 12),
                            .number = read64(file.ptr + 16),
                            .first = read64(file.ptr + 24),
                            .seed = read32(file.ptr + 32)};
  return NULL;
}

/* ---- frames ---- */

size_t frame_bytes(size_t payload_bytes) {
  return (FRAME_HEAD_BYTES + payload_bytes + 7) & ~(size_t)7;
}

size_t frame_head_write(uint8_t head[FRAME_HEAD_BYTES], const struct pubsub_view *parts,
                        size_t count, uint32_t seed, uint64_t number, uint64_t durable) {
  static const uint8_t zeros[8];
  size_t len = 0;
  for (size_t i = 0; i < count; i++)
    len += parts[i].len;
  size_t padding = frame_bytes(len) - FRAME_HEAD_BYTES - len;
  memset(head + 24, 0, 8);
  write32(head + 4, (uint32_t)len);
  write64(head + 8, number);
  write64(head + 16, durable);
  uint32_t crc = crc32c(seed, head + 4, FRAME_HEAD_BYTES - 4);
  for (size_t i = 0; i < count; i++)
    crc = crc32c(crc, parts[i].ptr, parts[i].len);
  write32(head, crc32c(crc, zeros, padding));
  return padding;
}

void frame_seal(uint8_t *bytes, size_t payload_bytes, uint32_t seed, uint64_t number,
                uint64_t durable) {
  struct pubsub_view payload = pubsub_view_of(bytes + FRAME_HEAD_BYTES, payload_bytes);
  size_t padding = frame_head_write(bytes, &payload, 1, seed, number, durable);
  memset(bytes + FRAME_HEAD_BYTES + payload_bytes, 0, padding);
}

static bool only_zeros(const uint8_t *ptr, const uint8_t *end) {
  for (; end - ptr >= 8; ptr += 8) {
    if (read64(ptr) != 0) return false;
  }
  while (ptr < end) {
    if (*ptr++ != 0) return false;
  }
  return true;
}

/* What a head claims, with the CRC not looked at yet. False: the frame would not fit. */
static bool peek(struct pubsub_view file, size_t offset, struct frame *out) {
  if (offset > file.len || file.len - offset < FRAME_HEAD_BYTES) return false;
  const uint8_t *head = file.ptr + offset;
  size_t len = read32(head + 4);
  if (len == 0 || frame_bytes(len) > file.len - offset) return false;
  *out = (struct frame){.number = read64(head + 8),
                        .durable = read64(head + 16),
                        .payload = pubsub_view_of(head + FRAME_HEAD_BYTES, len),
                        .end = offset + frame_bytes(len)};
  return true;
}

static bool is_whole(struct pubsub_view file, size_t offset, uint32_t seed,
                     const struct frame *frame) {
  const uint8_t *head = file.ptr + offset;
  return read32(head) == crc32c(seed, head + 4, frame->end - offset - 4);
}

enum frame_state frame_read(struct pubsub_view file, size_t offset, uint32_t seed,
                            struct frame *out) {
  if (peek(file, offset, out) && is_whole(file, offset, seed, out)) return FRAME_WHOLE;
  if (offset >= file.len || only_zeros(file.ptr + offset, file.ptr + file.len)) return FRAME_NONE;
  return FRAME_BROKEN;
}

bool frame_proves(struct pubsub_view file, size_t from, uint32_t seed, uint64_t number) {
  struct frame frame;
  for (size_t offset = from; offset < file.len; offset += 8) {
    if (peek(file, offset, &frame) && frame.number > number && frame.durable > number &&
        frame.durable <= frame.number && is_whole(file, offset, seed, &frame)) {
      return true;
    }
  }
  return false;
}
