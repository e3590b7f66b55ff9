#include "store/crc.h"

#include <string.h>

/* nibbles[v]: what is left of the value v after 4 steps of the division. */
static const uint32_t nibbles[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

static uint32_t step(uint32_t crc, uint8_t byte) {
  crc ^= byte;
  crc = crc >> 4 ^ nibbles[crc & 15];
  return crc >> 4 ^ nibbles[crc & 15];
}

/* tables[k][v]: what is left of the byte v after k more bytes of zeros. */
static uint32_t tables[8][256];

static void fill_tables(void) {
  for (uint32_t v = 0; v < 256; v++)
    tables[0][v] = step(0, (uint8_t)v);
  for (int k = 1; k < 8; k++) {
    for (uint32_t v = 0; v < 256; v++)
      tables[k][v] = tables[k - 1][v] >> 8 ^ tables[0][tables[k - 1][v] & 255];
  }
}

uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t len) {
  const uint8_t *ptr = bytes;
  if (tables[0][1] == 0) fill_tables();
  crc = ~crc;
  for (; len >= 8; len -= 8, ptr += 8) {
    crc ^=
        (uint32_t)ptr[0] | (uint32_t)ptr[1] << 8 | (uint32_t)ptr[2] << 16 | (uint32_t)ptr[3] << 24;
    crc = tables[7][crc & 255] ^ tables[6][crc >> 8 & 255] ^ tables[5][crc >> 16 & 255] ^
          tables[4][crc >> 24] ^ tables[3][ptr[4]] ^ tables[2][ptr[5]] ^ tables[1][ptr[6]] ^
          tables[0][ptr[7]];
  }
  while (len-- > 0)
    crc = step(crc, *ptr++);
  return ~crc;
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdbool.h>

#if defined(__clang__) /* which has them apart */
#define INSTRUCTIONS "sse4.2,crc32"
#else
#define INSTRUCTIONS "sse4.2"
#endif

__attribute__((target(INSTRUCTIONS))) static uint32_t by_processor(uint32_t crc, const uint8_t *ptr,
                                                                   size_t len) {
  uint64_t wide = (uint32_t)~crc, word;
  for (; len >= sizeof word; len -= sizeof word, ptr += sizeof word) {
    memcpy(&word, ptr, sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  uint32_t narrow = (uint32_t)wide;
  while (len-- > 0)
    narrow = __builtin_ia32_crc32qi(narrow, *ptr++);
  return ~narrow;
}

/* Asked once: a virtual machine answers slowly. Not by __builtin_cpu_supports, whose table not
 * every compiler's runtime brings. */
static bool has_instruction(void) {
  static enum { UNKNOWN, NO, YES } answer;
  unsigned a, b, c = 0, d;
  if (answer == UNKNOWN) answer = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2) ? YES : NO;
  return answer == YES;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len) {
  if (has_instruction()) return by_processor(crc, bytes, len);
  return crc32c_by_table(crc, bytes, len);
}

#else

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len) {
  return crc32c_by_table(crc, bytes, len);
}

#endif
